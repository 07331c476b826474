"""Lambda. All of it is in `_functions`: no import can name this module."""  # noqa: N999 - a service's name

from tests.fake_aws.moto_gaps._functions import after, before

__all__ = ["after", "before"]
