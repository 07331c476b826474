"""SNS."""

from __future__ import annotations

from tests.fake_aws.moto_gaps import _topics
from tests.fake_aws.wire import Answer, Call


def before(call: Call) -> Answer | None:
    return _topics.before(call)
