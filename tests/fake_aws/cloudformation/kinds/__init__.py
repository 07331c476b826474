"""Resource types that moto leaves out or takes half of, by what they are for. Importing them makes them known."""

from tests.fake_aws.cloudformation.kinds import buckets, compute, data, messages, watching

__all__ = ["buckets", "compute", "data", "messages", "watching"]
