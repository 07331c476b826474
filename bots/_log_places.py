"""Where AWS's log delivery can carry logs: a bucket, a log group or a Firehose stream of the account."""

from __future__ import annotations

import re
from typing import Any, Literal

from bots import _log_bucket
from bots._aws import Aws
from bots._bot import CannotFix
from bots._log_bucket import LogBucket
from bots._log_groups import NAME_PATTERN, log_group

Kind = Literal["S3", "CloudWatchLogs", "KinesisDataFirehose"]
Place = dict[str, Any]
"""LogDestinationType and LogDestination, as Network Firewall has them."""

CREATE = "create"
DELIVERY = "delivery.logs.amazonaws.com"
RETENTION_DAYS = 365  # of a log group made here; AWS would keep its logs for ever
RESOURCE_POLICIES = 10  # a region can have so many
_PREFIX = r"(/[A-Za-z0-9!_.*'()-]+)*/?"
_WORDS = {"S3": "bucket", "CloudWatchLogs": "log group", "KinesisDataFirehose": "delivery stream"}
_NAMES = {
    "S3": _log_bucket.NAME_PATTERN.removesuffix("$") + _PREFIX,
    "CloudWatchLogs": NAME_PATTERN.strip("^$"),
    "KinesisDataFirehose": r"[A-Za-z0-9_.-]{1,64}",
}


def check_name(kind: Kind, name: str) -> None:
    """
    Raises:
        ValueError: no such place can be, or none can be made.
    """
    if name == CREATE:
        if kind == "KinesisDataFirehose":
            raise ValueError("a delivery stream must be named: only a bucket or a log group can be made")
    elif not re.fullmatch(_NAMES[kind], name):
        raise ValueError(f"{name} can be no {_WORDS[kind]}")


def place_of(home: Aws, kind: Kind, name: str, *, own: str) -> Place:
    """The place a finding names. ``own`` says in the name of one that is made what it is for."""
    if name == CREATE:
        means = {"S3": "s3", "CloudWatchLogs": "cloudwatch"}[kind]
        name = f"{home.account_id}-{means}-{own}-logs-{home.region}"
    if kind == "CloudWatchLogs":
        where = {"logGroup": name}
    elif kind == "KinesisDataFirehose":
        where = {"deliveryStream": name}
    else:
        # Only the first slash ends the bucket's name.
        bucket, _, prefix = name.rstrip("/").partition("/")
        where = {"bucketName": bucket} | ({"prefix": prefix} if prefix else {})
    return {"LogDestinationType": kind, "LogDestination": where}


async def look_at(home: Aws, place: Place, *, made: bool) -> tuple[LogBucket | None, tuple[str, ...]]:
    """The bucket to make if it is missing, and what to know about the place.

    Args:
        made: it is made if it is missing.

    Raises:
        CannotFix: logs cannot go there.
    """
    where = place["LogDestination"]
    match place["LogDestinationType"]:
        case "S3":
            return await _bucket(home, where["bucketName"], made=made)
        case "CloudWatchLogs":
            if await log_group(home, where["logGroup"]) is None and not made:
                raise CannotFix(f"there is no log group {where['logGroup']} in {home.region}")
            return None, await _about_policies(home)
        case _:
            await _refuse_other_streams(home, where["deliveryStream"])
            return None, ()


async def _bucket(home: Aws, name: str, *, made: bool) -> tuple[LogBucket | None, tuple[str, ...]]:
    bucket = await _log_bucket.look(home, name, region=home.region if made else None)
    if not (made or bucket.existed):
        raise CannotFix(f"there is no bucket {name}: only {CREATE} makes one, with a name of its own")
    notes = await _log_bucket.remarks(home, bucket)
    if await _log_bucket.default_encryption(home, bucket) != "AES256":
        notes += (f"the key of {name} must be a customer managed one that lets {DELIVERY} use it",)
    return bucket if made else None, notes


async def _about_policies(home: Aws) -> tuple[str, ...]:
    policies = home.pages("logs", "DescribeResourcePolicies", items="resourcePolicies")
    texts = [each.get("policyDocument", "") async for each in policies]
    if len(texts) < RESOURCE_POLICIES or any(DELIVERY in text for text in texts):
        return ()
    return (
        f"{home.region} has all {RESOURCE_POLICIES} resource policies for log groups: AWS cannot add its own",
    )


async def _refuse_other_streams(home: Aws, name: str) -> None:
    """Raises CannotFix for a stream that is not there or is fed by something else."""
    gone = ("ResourceNotFoundException",)
    answer = await home.find("firehose", "DescribeDeliveryStream", absent=gone, DeliveryStreamName=name)
    if answer is None:
        raise CannotFix(f"there is no delivery stream {name} in {home.region}")
    kind = answer["DeliveryStreamDescription"]["DeliveryStreamType"]
    if kind != "DirectPut":
        raise CannotFix(f"delivery stream {name} takes its data from {kind}, not by direct PUT as logs come")


def shown(place: Place | None) -> str:
    """The place in words."""
    if place is None:
        return "nowhere"
    return f"to {_WORDS[place['LogDestinationType']]} {'/'.join(place['LogDestination'].values())}"


async def make_group(home: Aws, place: Place) -> None:
    """The log group, made if it is missing; a period after which logs expire is never changed."""
    name = place["LogDestination"]["logGroup"]
    await home.find("logs", "CreateLogGroup", absent=("ResourceAlreadyExistsException",), logGroupName=name)
    group = await log_group(home, name)
    if group is not None and "retentionInDays" not in group:
        await home.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=RETENTION_DAYS)
