"""Log groups of CloudWatch Logs."""

from __future__ import annotations

from typing import Any

from bots._aws import Aws

GROUPS = ("arn:{partition}:logs:*:{account}:log-group:*",)
NAME_PATTERN = r"^[A-Za-z0-9._/#-]{1,512}$"


async def log_group(home: Aws, name: str) -> dict[str, Any] | None:
    """The log group of exactly that name; None if there is none."""
    groups = home.pages("logs", "DescribeLogGroups", items="logGroups", logGroupNamePrefix=name)
    found = {group["logGroupName"]: group async for group in groups}
    return found.get(name)


def group_of(arn: str) -> tuple[str, str, str]:
    """Region, account and name in the ARN of a log group, with or without the star AWS puts at its end."""
    _, _, _, region, owner, _, name, *_ = arn.split(":")
    return region, owner, name
