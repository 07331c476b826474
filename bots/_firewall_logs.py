"""Where a Network Firewall's logs go, one destination for each type of log, and how to change that."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TargetGone, on

FIREWALLS = ("arn:{partition}:network-firewall:*:{account}:firewall/*",)
LOG_GROUPS = ("arn:{partition}:logs:*:{account}:log-group:*",)
STREAMS = ("arn:{partition}:firehose:*:{account}:deliverystream/*",)
SERVICE_ROLE = (
    "arn:{partition}:iam::{account}:role/aws-service-role/delivery.logs.amazonaws.com/AWSServiceRoleForLogDelivery",
)
# AWS checks ...LogDelivery on the caller when a firewall's logs are redirected, and calls none of them itself
# in the caller's name: they set up what carries the logs.
READS = (
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    *on(FIREWALLS, "network-firewall:DescribeLoggingConfiguration"),
    *on(STREAMS, "firehose:DescribeDeliveryStream"),
)
WRITES = (
    "logs:PutResourcePolicy",
    "logs:CreateLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    *on(FIREWALLS, "network-firewall:UpdateLoggingConfiguration"),
    *on(LOG_GROUPS, "logs:CreateLogGroup", "logs:PutRetentionPolicy"),
    *on(STREAMS, "firehose:TagDeliveryStream"),
    *on(SERVICE_ROLE, "iam:CreateServiceLinkedRole"),
)
_KEYS = ("LogDestinationType", "LogDestination")

Destinations = dict[str, dict[str, Any]]
"""By type of log: LogDestinationType and LogDestination, as AWS has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """``dashboard``: AWS's monitoring dashboard is on, which goes with every change of the logging."""

    arn: str
    region: str
    dashboard: bool


def _firewall_arn(aws: Aws, target: Target) -> str:
    """The firewall's ARN, also when the finding gave its name.

    Raises:
        CannotFix: another account's.
    """
    if not target.id.startswith("arn:"):
        return f"arn:{aws.partition}:network-firewall:{aws.region}:{aws.account_id}:firewall/{target.id}"
    owner = target.id.split(":")[4]
    if owner != aws.account_id:
        raise CannotFix(
            f"firewall {target.id} belongs to account {owner}: only its owner can change where it logs"
        )
    return target.id


async def live_logging(aws: Aws, target: Target) -> tuple[Firewall, Destinations]:
    """The firewall and where its logs go.

    Raises:
        TargetGone: there is no such firewall.
        CannotFix: it is another account's.
    """
    arn = _firewall_arn(aws, target)
    region, gone = arn.split(":")[3], ("ResourceNotFoundException",)
    answer = await aws.at(region).find(
        "network-firewall", "DescribeLoggingConfiguration", absent=gone, FirewallArn=arn
    )
    if answer is None:
        raise TargetGone(f"firewall {arn} does not exist")
    configs = answer.get("LoggingConfiguration", {}).get("LogDestinationConfigs", ())
    firewall = Firewall(arn=arn, region=region, dashboard=answer.get("EnableMonitoringDashboard", False))
    return firewall, {each["LogType"]: {key: each[key] for key in _KEYS} for each in configs}


@contextlib.asynccontextmanager
async def moved(aws: Aws, firewall: Firewall, now: Destinations, wanted: Destinations) -> AsyncIterator[None]:
    """The wanted destinations inside the block. When a call or the block fails, all is as it was."""
    reached = now
    try:
        for step in _steps(now, wanted):
            await _put(aws, firewall, step)
            reached = step
        yield
    except AwsError:
        with contextlib.suppress(AwsError):
            for step in _steps(reached, now):
                await _put(aws, firewall, step)
        raise


def _steps(now: Destinations, wanted: Destinations) -> Iterator[Destinations]:
    """AWS takes one change at a time: a destination added, removed, or replaced by one of its kind."""
    at = dict(now)
    for log, place in now.items():
        if wanted.get(log, {}).get("LogDestinationType") != place["LogDestinationType"]:
            del at[log]
            yield dict(at)
    for log, place in wanted.items():
        if at.get(log) != place:
            at[log] = place
            yield dict(at)


async def _put(aws: Aws, firewall: Firewall, destinations: Destinations) -> None:
    configs = [{"LogType": log, **place} for log, place in sorted(destinations.items())]
    await aws.at(firewall.region).call(
        "network-firewall",
        "UpdateLoggingConfiguration",
        FirewallArn=firewall.arn,
        LoggingConfiguration={"LogDestinationConfigs": configs},
        **({"EnableMonitoringDashboard": True} if firewall.dashboard else {}),
    )
