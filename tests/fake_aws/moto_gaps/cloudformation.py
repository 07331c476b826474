"""CloudFormation: done anew in `tests.fake_aws.cloudformation`, on moto's stacks and resource models."""

from __future__ import annotations

import threading

from moto.core.exceptions import ServiceException

from tests.fake_aws.cloudformation import (
    auto_deployment,
    change_set_calls,
    stack_calls,
    stack_set_calls,
    stack_set_views,
    stack_views,
)
from tests.fake_aws.cloudformation.answers import Refused, answered, refused
from tests.fake_aws.wire import Answer, Call

_CALLS = {
    **stack_calls.CALLS,
    **stack_views.CALLS,
    **change_set_calls.CALLS,
    **stack_set_calls.CALLS,
    **stack_set_views.CALLS,
}
_LOCK = threading.RLock()


def before(call: Call) -> Answer | None:
    own = _CALLS.get(call.operation)
    if own is None:
        return None
    try:
        with _LOCK:
            result = own(call)
    except Refused as error:
        return refused(call, error)
    except ServiceException as error:
        return refused(call, Refused(str(error.message), str(error.code)))
    return answered(call, result)


def account_moved(management: str, account_id: str) -> None:
    """Organizations tells of every account that has come, gone or changed its unit."""
    with _LOCK:
        auto_deployment.account_moved(management, account_id)
