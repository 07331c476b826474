"""Rules of a security group that go, and come back: what bots that delete or turn rules have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bots import _rules
from bots._aws import Aws
from bots._bot import on
from bots._groups import GROUP, RULE, rearrange
from bots._rules import EVERYTHING, PORTED, Change, Direction, Rule, Rules

WRITES = (
    *on(GROUP + RULE, "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"),
    *on(GROUP + RULE, "ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"),
    *on(RULE, "ec2:CreateTags"),
)

# For bots that turn rules into others besides.
TURNING_WRITES = (*WRITES, *on(GROUP + RULE, "ec2:ModifySecurityGroupRules"))

Goes = Callable[[Rule], bool]


def _protocol(text: str) -> str:
    name = _rules.protocol_name(text)
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
    await rearrange(aws, group_id, lambda live: {direction: _rules.to_drop(live[direction], goes)})


async def put_back(aws: Aws, group_id: str, direction: Direction, goes: Goes, saved: Iterable[Rule]) -> None:
    """Of the rules that ``goes``, have the ``saved`` ones and no others."""
    kept = tuple(saved)
    await rearrange(aws, group_id, lambda live: {direction: _rules.to_put_back(live[direction], goes, kept)})


async def restore(aws: Aws, group_id: str, direction: Direction, mine: Goes, saved: Iterable[Rule]) -> None:
    """Make the rules that are ``mine`` the ``saved`` ones again; those that were turned are turned back."""
    kept = tuple(saved)

    def back(live: Mapping[Direction, Rules]) -> dict[Direction, Change]:
        now = {each: rule for each, rule in live[direction].items() if mine(rule)}
        return {direction: _rules.to_restore(now, kept)}

    await rearrange(aws, group_id, back)
