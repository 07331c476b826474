"""Which accounts have a stack of the spokes' StackSet, where the hub may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.accounts import HubIdentity

# Of the organization's management account, and of one that administers StackSets for it.
_CALLERS = ("SELF", "DELEGATED_ADMIN")


@dataclass(frozen=True, slots=True)
class Instance:
    """A stack instance as ListStackInstances tells it; ``status`` is CURRENT, OUTDATED or INOPERABLE."""

    status: str
    reason: str

    @property
    def current(self) -> bool:
        return self.status == "CURRENT"

    @property
    def told(self) -> str:
        """Status and reason, for people."""
        return f"stack instance {self.status}{': ' if self.reason else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Instances:
    """``asked`` is false when the hub could not look; then nothing is known of any account."""

    asked: bool = False
    of: Mapping[str, Instance] = field(default_factory=dict)


async def instances(identity: HubIdentity, stack_set: str) -> Instances:
    """The stack instances of the StackSet by account. Not being allowed to ask is nothing wrong.

    Args:
        stack_set: its name, "" to ask nobody.
    """
    if not stack_set:
        return Instances()
    cloudformation = await identity.kept("cloudformation")
    for caller in _CALLERS:
        found: dict[str, Instance] = {}
        pages = cloudformation.get_paginator("list_stack_instances")
        try:
            async for page in pages.paginate(StackSetName=stack_set, CallAs=caller):
                for each in page["Summaries"]:
                    # The role is global: one region with a stack that is right is enough.
                    if not (had := found.get(each["Account"])) or not had.current:
                        found[each["Account"]] = Instance(each["Status"], each.get("StatusReason", ""))
        except (ClientError, BotoCoreError):
            continue
        return Instances(asked=True, of=found)
    return Instances()
