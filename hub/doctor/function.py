"""The function, where there is one: does it run, with these settings, and does it get findings?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bots._aws import AwsError
from hub.aws.accounts import HubIdentity
from hub.doctor.asking import ask, unseen
from hub.doctor.queue import TIMEOUTS, Queue
from hub.doctor.words import DEPLOY_HUB, Line, failed, ok, unknown, warning
from hub.settings import Settings, variables

_SUBJECT = "function"
# What doctor judges by; where the function is told otherwise, doctor's words are about another hub.
_SHARED = (
    "deployment_mode",
    "role_name",
    "external_id",
    "own_account_by_role",
    "accounts",
    "queue_url",
    "report_topic_arn",
    "journal",
    "dry_run",
)


async def look(identity: HubIdentity, name: str, queue: Queue | None) -> list[Line]:
    """Everything about it.

    Args:
        name: the hub's name, which its function has, too.
    """
    try:
        held = await ask(identity, "lambda", "get_function_configuration", FunctionName=name)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            seen = "there is none: workers elsewhere take the findings (`hub work`), which AWS cannot tell of"
            return [unknown(_SUBJECT, seen)]
        return [unseen(_SUBJECT, error)]
    return [
        *_state(held),
        *_settings(identity.settings, held),
        *_time(held, queue),
        await _source(identity, name, queue),
    ]


def _state(held: Mapping[str, Any]) -> Iterator[Line]:
    state, update = held.get("State", "Active"), held.get("LastUpdateStatus", "Successful")
    seen = (
        f"{held['FunctionName']} version {held['Version']}, {held.get('Runtime', 'an image')} on "
        f"{', '.join(held.get('Architectures', ['x86_64']))}, changed {held['LastModified'][:19]}"
    )
    code = f"SHA-256 of the code {held['CodeSha256']}"
    if state == "Failed" or update == "Failed":
        why = held.get("StateReason") or held.get("LastUpdateStatusReason", "")
        yield failed(_SUBJECT, f"{seen}: {state}, last update {update}", DEPLOY_HUB, answer=why)
    elif update == "InProgress" or state == "Pending":
        yield unknown(
            _SUBJECT, f"{seen}: an update is on its way", "run doctor again in a minute", answer=code
        )
    else:
        yield ok(_SUBJECT, seen, answer=code)


def _settings(settings: Settings, held: Mapping[str, Any]) -> Iterator[Line]:
    told: Mapping[str, str] = held.get("Environment", {}).get("Variables", {})
    theirs = {field: told[name] for field in _SHARED for name in variables(field) if name in told}
    differ = [
        variables(field)[0] for field in theirs if theirs[field] != _as_variable(getattr(settings, field))
    ]
    if differ:
        seen = f"it is told otherwise than doctor about {', '.join(sorted(differ))}"
        yield warning(_SUBJECT, seen, "give doctor the function's settings")


def _as_variable(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _time(held: Mapping[str, Any], queue: Queue | None) -> Iterator[Line]:
    wanted = TIMEOUTS * held["Timeout"]
    if queue is not None and queue.invisible_seconds < wanted:
        seen = (
            f"findings become visible again after {queue.invisible_seconds} s, AWS advises {TIMEOUTS} times "
            f"the function's {held['Timeout']} s"
        )
        yield warning("queue", seen, DEPLOY_HUB)


async def _source(identity: HubIdentity, name: str, queue: Queue | None) -> Line:
    subject = "event source"
    request = {"FunctionName": name} | ({"EventSourceArn": queue.arn} if queue else {})
    try:
        found = (await ask(identity, "lambda", "list_event_source_mappings", **request))[
            "EventSourceMappings"
        ]
    except AwsError as error:
        return unseen(subject, error)
    if not found:
        return failed(subject, "the function gets no findings from the queue", DEPLOY_HUB)
    [mapping, *_] = found
    if mapping["State"] not in ("Enabled", "Enabling", "Updating", "Creating"):
        return failed(
            subject, f"it is {mapping['State'].lower()}: findings wait", "enable the event source mapping"
        )
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", ()):
        return failed(subject, "one finding that fails brings the whole batch back", DEPLOY_HUB)
    most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    return ok(subject, f"enabled, {most or 'as many as Lambda likes'} batches at a time")
