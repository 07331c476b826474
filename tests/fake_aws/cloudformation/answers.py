"""How CloudFormation answers: results, pages and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from tests.fake_aws.wire import Answer, Call, refusal

PAGE = 100


class Refused(Exception):
    """CloudFormation refuses the call with this code and message."""

    def __init__(self, message: str, code: str = "ValidationError", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.code, self.status = message, code, status


def answered(call: Call, result: dict[str, Any]) -> Answer:
    """The result as the query protocol writes it; members are named as in botocore's model."""
    operation = get_service_model("cloudformation").operation_model(call.operation)
    found = get_serializer_class("cloudformation", "query")(operation).serialize(result)
    body = found["body"]
    text = body.encode() if isinstance(body, str) else body
    return Answer(int(found["status_code"]), tuple(found["headers"].items()), text)


def refused(call: Call, error: Refused) -> Answer:
    return refusal(call, error.code, error.message, status=error.status)


def page(call: Call, key: str, items: Sequence[Any]) -> dict[str, Any]:
    """One page of a list, at most 100 items."""
    token = str(call.params.get("NextToken") or "0")
    if not token.isdecimal():
        raise Refused("NextToken is not valid")
    start = int(token)
    end = start + min(int(call.params.get("MaxResults") or PAGE), PAGE)
    result: dict[str, Any] = {key: list(items[start:end])}
    if end < len(items):
        result["NextToken"] = str(end)
    return result
