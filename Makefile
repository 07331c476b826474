# One line each; `make help` prints them.
.DEFAULT_GOAL := help
.PHONY: help setup demo test guards bench check fix generated package bot clean lock
# Tests start many processes; each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
PY := .venv/bin/python
STAMP := .venv/.ready

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP) ## make the virtual environment with the locked versions

demo: $(STAMP) ## the main job on an embedded AWS: organization, findings, fixes, reports, approval, undo
	.venv/bin/hub demo

test: $(STAMP) tests/dynalite/node_modules ## the whole test suite, in parallel
	$(PY) -m pytest -n auto

guards: $(STAMP) ## the guards' own tests, which take every branch of every guard
	$(PY) -m pytest -q -n auto tests/hub/guards --cov=hub.guards --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

bench: $(STAMP) ## figures of speed, each against a floor of the same run
	$(PY) -m benchmarks

check: $(STAMP) ## lint, types and generated files, as CI does
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	$(PY) -m spoke_role.generate --check
	$(PY) -m deploy.pages --check
	.venv/bin/cfn-lint deploy/*.yaml spoke_role/*.yaml
	.venv/bin/hadolint Dockerfile
	$(PY) -m tests.policy_lint

fix: $(STAMP) ## format, mend what the linter can, regenerate
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	$(PY) -m spoke_role.generate
	$(PY) -m deploy.pages

generated: $(STAMP) ## write the files made from the bots' headers, the settings and the templates
	$(PY) -m spoke_role.generate
	$(PY) -m deploy.pages

package: $(STAMP) ## build the Lambda packages into dist/
	.venv/bin/hub package

bot: $(STAMP) ## start a bot and its test, both to be filled in: make bot NAME=s3_do_something
	$(PY) -m bots._new $(NAME)

lock: ## resolve the versions anew, the hub's and those of what the bench sets it beside
	.venv/bin/pip-compile --quiet --extra demo --extra dev --generate-hashes --allow-unsafe --no-emit-index-url \
	  --no-emit-find-links --no-strip-extras --output-file requirements.lock pyproject.toml
	cd benchmarks/c7n && ../../.venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --no-emit-index-url \
	  --no-emit-find-links --no-strip-extras --output-file requirements.lock requirements.in

tests/dynalite/node_modules: tests/dynalite/package-lock.json
	npm ci --prefix tests/dynalite --no-audit --no-fund --loglevel error
	@touch $@

clean: ## remove what was built
	rm -rf .venv .bench build dist tests/dynalite/node_modules demo-output
