"""Every policy of the templates under parliament, a linter of IAM policies, as a command and as a test.

python -m tests.policy_lint                 all templates; exit 1 if there is anything to say
python -m tests.policy_lint FILE ...        these
"""
