"""IAM."""

from __future__ import annotations

from tests.fake_aws.moto_gaps import _iam_roles
from tests.fake_aws.wire import Answer, Call


def before(call: Call) -> Answer | None:
    return _iam_roles.before(call)
