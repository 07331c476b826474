"""The journal's table: there, whole, and able to be put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bots._aws import AwsError, together
from hub.aws.accounts import HubIdentity
from hub.doctor.asking import ask, unseen
from hub.doctor.words import DEPLOY_HUB, Line, failed, ok, warning
from hub.errors import JournalUnwritable
from hub.journals.dynamodb_item import SCHEMA_KEY, schema_of
from hub.journals.dynamodb_table import table_definition, time_to_live
from hub.journals.schema import SCHEMA, admit

_SUBJECT = "journal"


async def look(identity: HubIdentity, table: str) -> list[Line]:
    """Everything about it."""
    try:
        held = (await ask(identity, "dynamodb", "describe_table", TableName=table))["Table"]
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return [failed(_SUBJECT, f"there is no table {table}: nothing can be fixed", DEPLOY_HUB)]
        return [unseen(_SUBJECT, error)]
    return [
        *_shape(held),
        *await together(_recovery(identity, table), _expiry(identity, table), _schema(identity, table)),
    ]


def _shape(held: Mapping[str, Any]) -> Iterator[Line]:
    status = held["TableStatus"]
    if status in ("ACTIVE", "UPDATING"):
        yield ok(_SUBJECT, f"table {held['TableName']} is {status.lower()}")
    else:
        yield failed(
            _SUBJECT, f"the table is {status.lower()}: nothing can be fixed", "look at it in DynamoDB"
        )
    wanted = table_definition()
    if held["KeySchema"] != wanted["KeySchema"]:
        yield failed(
            _SUBJECT, "the table's key is another than this hub's", "give the hub a table of its own"
        )
    have = {each["IndexName"]: each for each in held.get("GlobalSecondaryIndexes", ())}
    for index in wanted["GlobalSecondaryIndexes"]:
        name = index["IndexName"]
        if name not in have:
            yield failed(_SUBJECT, f"index {name} is missing: `hub history` cannot ask by it", DEPLOY_HUB)
        elif not _same(have[name], index):
            yield warning(_SUBJECT, f"index {name} is another than this hub's", DEPLOY_HUB)
    if not held.get("DeletionProtectionEnabled"):
        yield warning(_SUBJECT, "the table is not protected from deletion", DEPLOY_HUB)


def _same(have: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    projected, asked = have["Projection"], wanted["Projection"]
    return (
        have["KeySchema"] == wanted["KeySchema"]
        and projected["ProjectionType"] == asked["ProjectionType"]
        and sorted(projected.get("NonKeyAttributes", ())) == sorted(asked["NonKeyAttributes"])
    )


async def _recovery(identity: HubIdentity, table: str) -> Line:
    subject = "journal recovery"
    try:
        answer = await ask(identity, "dynamodb", "describe_continuous_backups", TableName=table)
    except AwsError as error:
        return unseen(subject, error)
    held = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if held.get("PointInTimeRecoveryStatus") != "ENABLED":
        return warning(subject, "point-in-time recovery is off", DEPLOY_HUB)
    return ok(subject, "point-in-time recovery is on")


async def _expiry(identity: HubIdentity, table: str) -> Line:
    subject, wanted = "journal expiry", time_to_live()["AttributeName"]
    try:
        answer = await ask(identity, "dynamodb", "describe_time_to_live", TableName=table)
    except AwsError as error:
        return unseen(subject, error)
    held = answer["TimeToLiveDescription"]
    if held.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING") or held.get("AttributeName") != wanted:
        return warning(subject, f"time to live by {wanted} is off: runs are kept for ever", DEPLOY_HUB)
    return ok(subject, f"runs expire by {wanted}")


async def _schema(identity: HubIdentity, table: str) -> Line:
    subject = "journal schema"
    try:
        answer = await ask(identity, "dynamodb", "get_item", TableName=table, Key=SCHEMA_KEY)
    except AwsError as error:
        return unseen(subject, error)
    if "Item" not in answer:
        return ok(subject, "not noted yet: no hub has begun on it")
    try:
        noted = schema_of(answer["Item"])
        admit(SCHEMA, noted)
    except JournalUnwritable as error:
        return failed(subject, "this hub cannot use what is kept", "update the hub", answer=str(error))
    return ok(subject, f"version {noted.version}; this hub writes {SCHEMA.version}")
