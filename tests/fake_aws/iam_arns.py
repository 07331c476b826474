"""ARNs that calls are authorised on: what they are found by, and how names become ARNs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fake_aws.iam_actions import PREFIXES
from tests.fake_aws.strict_iam import NOTHING_NARROWER
from tests.fake_aws.wire import Call

ANY = (NOTHING_NARROWER,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Whose account and which partition the call is made in, and by which role or user."""

    account_id: str
    partition: str
    entity_arn: str


Arns = tuple[str, ...]
Finder = Callable[[Call, Where], Arns]


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def named(call: Call, where: Where, kinds: Mapping[str, str]) -> Arns:
    """ARNs from names: parameter -> the ARN's last part, with ``{}`` for the name. ARNs stay as they are."""
    prefix = PREFIXES.get(call.service, call.service)
    start = f"arn:{where.partition}:{prefix}:{call.region}:{where.account_id}:"
    found = []
    for parameter, tail in kinds.items():
        for name in texts(call.params.get(parameter)):
            found.append(name if name.startswith("arn:") else start + tail.format(name))
    return tuple(found)


def table(kinds: Mapping[str, str]) -> Finder:
    return lambda call, where: named(call, where, kinds)
