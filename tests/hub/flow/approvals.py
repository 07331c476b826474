"""Steps that wait, and people who answer, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.app import Hub
from hub.aws.accounts import HubIdentity
from hub.guards import Proposal
from hub.guards.approval import Approval
from hub.model import Decision, Run, Step, Verdict
from hub.rules.guard_model import ApprovalEntry, GuardRules
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws, allow, policy

BOT = "s3_enable_versioning"


def arn(name: str) -> str:
    """What STS calls this person."""
    return f"arn:aws:sts::{HUB_ACCOUNT}:assumed-role/Security/{name}"


def credentials(aws: FakeAws, name: str) -> dict[str, str]:
    """A person's, who may tell queues and nothing else."""
    rights = policy(allow("sqs:SendMessage"))
    return dict(aws.role_credentials(HUB_ACCOUNT, "Security", [rights], session=name))


async def person(aws: FakeAws, hub: Hub, name: str) -> Hub:
    """The same hub in the hands of a person."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in credentials(aws, name).items():
            patch.setenv(variable, value)
        identity = HubIdentity(hub.kit.settings)
        await identity.caller()
        await identity.kept("sqs")
    return Hub(replace(hub.kit, identity=identity))


@asynccontextmanager
async def people(aws: FakeAws, hub: Hub, *names: str) -> AsyncIterator[list[Hub]]:
    """The same hub in the hands of each of them."""
    found = [await person(aws, hub, name) for name in names]
    try:
        yield found
    finally:
        for each in found:
            await each.kit.identity.close()


def asking(hub: Hub, **entry: Any) -> Hub:
    """The same hub with a rule that lets every change wait for a person."""
    rules = GuardRules(
        file="rules.yaml", approvals=(ApprovalEntry(line=3, comment="changes are seen first", **entry),)
    )
    return Hub(replace(hub.kit, change_guards=(Approval(lambda: rules),)))


def at(hub: Hub, now: datetime) -> Hub:
    """The same hub at another time."""
    return Hub(replace(hub.kit, now=lambda: now))


def later(hub: Hub, **more: float) -> Hub:
    """The same hub so much later than now."""
    return at(hub, hub.kit.now() + timedelta(**more))


@dataclass(slots=True)
class Closed:
    """A change guard that lets everything wait until it is opened."""

    until: datetime
    name: str = "window"
    is_open: bool = False

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        if self.is_open or proposal.now >= self.until:
            return None
        return Verdict(decision=Decision.WAIT, guard=self.name, why="the window is closed", until=self.until)

    async def ended(self, step: Step, run: Run) -> None:
        """It counts nothing."""
