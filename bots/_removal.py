"""Whole rules of a security group that go, and come back: what bots that delete rules have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bots._aws import Aws
from bots._bot import on
from bots._groups import GROUP, RULE, rearrange
from bots._rules import EVERYTHING, PORTED, Direction, Rule, protocol_name, to_drop, to_put_back

READS = ("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules")
WRITES = (
    *on(GROUP + RULE, "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"),
    *on(GROUP + RULE, "ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"),
    *on(RULE, "ec2:CreateTags"),
)

Goes = Callable[[Rule], bool]


def _protocol(text: str) -> str:
    name = protocol_name(text)
    known = (*PORTED, "icmp", "icmpv6", EVERYTHING, "*")
    if name not in known and not (name.isascii() and name.isdigit() and int(name) < 256):
        raise ValueError("must be TCP, UDP, ICMP, ICMPv6, ALL or the number of a protocol")
    return name


Protocol = Annotated[str, AfterValidator(_protocol)]
"""As `protocol_name` writes it, or ``*``."""
Port = Annotated[int, Field(ge=0, le=65535)]
AnyPort = Literal["*"] | Port


async def remove(aws: Aws, group_id: str, direction: Direction, goes: Goes) -> None:
    """Revoke every rule that ``goes``."""
    await rearrange(aws, group_id, lambda live: {direction: to_drop(live[direction], goes)})


async def put_back(aws: Aws, group_id: str, direction: Direction, goes: Goes, saved: Iterable[Rule]) -> None:
    """Of the rules that ``goes``, have the ``saved`` ones and no others."""
    kept = tuple(saved)
    await rearrange(aws, group_id, lambda live: {direction: to_put_back(live[direction], goes, kept)})
