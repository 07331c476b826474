"""Who changed a resource last, as CloudTrail's event history tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import Target
from hub.aws.accounts import is_the_hubs
from hub.aws.arns import parse
from hub.aws.limits import is_read
from hub.aws.resource_arns import arn_of, region_of

MOST_CALLS = 2  # of an API that answers two a second in an account and region
# What the history has under the ARN; most other things it has under the name or id.
_BY_ARN = frozenset({
    "AWS::CertificateManager::Certificate", "AWS::ECR::Repository", "AWS::IAM::ManagedPolicy", "AWS::KMS::Key",
    "AWS::SNS::Topic", "AWS::SecretsManager::Secret",
})  # fmt: skip
_SESSION = re.compile(r"arn:[a-z-]+:sts::[0-9]{12}:assumed-role/[^/]+/(?P<session>[^/]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who changed a resource.

    Attributes:
        who: an ARN, the name of an AWS service, or what else CloudTrail says of the caller; nothing secret.
        what: the call, ``AuthorizeSecurityGroupIngress``.
        at: when, aware, in UTC.
    """

    who: str
    what: str
    at: datetime


async def last_actors(account: Aws, target: Target, *, most: int = 3) -> tuple[Actor, ...]:
    """Who changed the resource of late, each with the latest change, newest first; at most ``most``.

    The history goes back 90 days and lags by some minutes. Left out are calls that were refused or only read,
    and the hub's own sessions, in all accounts it enters by the spoke role. It takes two calls at most, so of a
    resource that others look at all the time, changes may be missed.

    Returns:
        () too where the history cannot be had: this is only for people, and nothing depends on it.
    """
    try:
        return await _look_up(account.at(region_of(target)), target, most)
    except AwsError:
        return ()


async def _look_up(home: Aws, target: Target, most: int) -> tuple[Actor, ...]:
    found: dict[str, Actor] = {}
    calls = 0
    for name in _names(target):
        more: dict[str, str] = {}
        while calls < MOST_CALLS and len(found) < most:
            asked = [{"AttributeKey": "ResourceName", "AttributeValue": name}]
            answer = await home.call("cloudtrail", "LookupEvents", LookupAttributes=asked, **more)
            calls += 1
            for actor in _changes(answer["Events"]):
                found.setdefault(actor.who, actor)
            if not answer.get("NextToken"):
                break
            more = {"NextToken": answer["NextToken"]}
        if found:
            break
    return tuple(sorted(found.values(), key=lambda actor: actor.at, reverse=True)[:most])


def _names(target: Target) -> tuple[str, ...]:
    """What the history may have the resource under, the likeliest first."""
    if target.id == target.account_id:
        return ()  # the whole account, or nothing that the finding names
    if (arn := parse(arn_of(target) or "")) is None:
        return _names_without_arn(target)
    bare = re.split("[:/]", arn.resource, maxsplit=1)[-1]
    return (str(arn), bare) if target.type in _BY_ARN else (bare, str(arn))


def _names_without_arn(target: Target) -> tuple[str, ...]:
    given, last = parse(target.id), re.split("[:/]", target.id)[-1]
    if target.type.startswith("AWS::IAM::"):
        return (last,) if given is None or given.account == target.account_id else ()
    # What is put together of several parts is somebody else's, or not what the target is said to be.
    return (last,) if last == target.id else ()


def _changes(events: list[Mapping[str, Any]]) -> Iterator[Actor]:
    for event in events:
        record: Mapping[str, Any] = json.loads(event["CloudTrailEvent"])
        if "errorCode" in record or _only_read(event, record):
            continue
        caller = record.get("userIdentity") or {}
        session = _SESSION.fullmatch(caller.get("arn") or "")
        if session is None or not is_the_hubs(session["session"]):
            yield Actor(
                who=_who(caller, event), what=event["EventName"], at=event["EventTime"].astimezone(UTC)
            )


def _only_read(event: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    # A text in the event, a truth value in the record; older records have neither.
    said = event.get("ReadOnly", record.get("readOnly"))
    return is_read(event["EventName"]) if said is None else str(said).lower() == "true"


def _who(caller: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    service = caller.get("invokedBy") or ""
    if arn := caller.get("arn"):
        # CloudFormation and its like call with the rights of whoever asked them to.
        return f"{arn} by way of {service}" if service else str(arn)
    if service:
        return str(service)
    if account := caller.get("accountId"):
        name = event.get("Username")
        return f"{name} of account {account}" if name else f"account {account}"
    return str(event.get("Username") or "somebody CloudTrail does not name")
