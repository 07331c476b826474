"""CloudFormation as AWS does it: stacks with events and rollback, change sets, StackSets.

moto 5.2.5 makes resources out of templates, but never fails half-way, leaves half of the types out and
knows of StackSets little more than the names. Here its stacks and its resource models are kept, and what
happens to them is done anew. Time passes by looking: an operation of a StackSet goes on one step whenever
somebody asks for it, so that tests see it run without waiting. Stacks are done when the call returns.
"""
