"""Steps that wait for a person, and go on when one has said yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.app import Hub, open_hub
from hub.aws.accounts import HubIdentity
from hub.flow import waiting
from hub.flow.resume import body_for, resumed_id
from hub.guards import Proposal
from hub.journals import Note
from hub.model import Answer, Decision, Message, Outcome, Report, Run, Step, Verdict
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy
from tests.hub.flow.test_settle import history, only, writes
from tests.hub.messages import message

RIGHTS = policy(allow("ec2:*", resource="*"))
ADA = "arn:aws:sts::111122223333:assumed-role/Security/ada"


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


def group(admin: Admin) -> str:
    return str(admin.client("ec2").create_security_group(GroupName="old", Description="unused")["GroupId"])


def is_there(admin: Admin, group_id: str) -> bool:
    found = admin.client("ec2").describe_security_groups(Filters=[{"Name": "group-id", "Values": [group_id]}])
    return bool(found["SecurityGroups"])


def tag(admin: Admin, group_id: str, value: str) -> None:
    admin.client("ec2").create_tags(Resources=[group_id], Tags=[{"Key": "team", "Value": value}])


async def asked_to_delete(hub: Hub, spoke: Admin, group_id: str) -> Run:
    """What comes of a finding that asks for what is dangerous."""
    sent = message(spoke.account_id, "sg_delete", id=group_id, region="us-east-1", type="SG")
    return only(await hub.settle(sent))


async def answer(hub: Hub, run_id: str, *, approved: bool = True, by: str = ADA) -> None:
    waits = await waiting.read(hub.kit.journal, run_id)
    assert waits is not None
    said = Answer(
        approved=approved,
        by=by,
        because="the team is gone",
        at=hub.kit.now(),
        requested_by=waits.requested_by,
    )
    assert await waiting.write(hub.kit.journal, replace(waits, answer=said)) is not None


async def go_on(hub: Hub, run_id: str) -> Report | None:
    return await hub.settle(Message(body=body_for(run_id)))


async def test_what_is_dangerous_waits_and_is_carried_out_once_when_a_person_says_yes(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    unused = group(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        waits = await asked_to_delete(hub, spoke, unused)
        assert (waits.outcome, waits.changed) == (Outcome.WAITING, False)
        assert "sg_delete is destructive" in waits.message
        assert f"hub approve {waits.run_id}" in waits.message
        assert await go_on(hub, waits.run_id) is None, "nobody has said yes"
        assert writes(aws, spoke) == []
        await answer(hub, waits.run_id)
        done = only(await go_on(hub, waits.run_id))
        assert await go_on(hub, waits.run_id) is None, "it waits no more"
        kept = {run.run_id: run for run in await history(hub)}
    assert (done.outcome, done.run_id, done.resumes) == (
        Outcome.FIXED,
        resumed_id(waits.run_id),
        waits.run_id,
    )
    assert done.approved_by == ADA
    assert not is_there(spoke, unused)
    assert kept[waits.run_id].outcome is Outcome.WAITING, "what was is not written over"
    assert writes(aws, spoke) == ["DeleteSecurityGroup"]


async def test_a_no_ends_it_as_refused(aws: FakeAws, spoke: Admin, hub_settings: MakeSettings) -> None:
    unused = group(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        waits = await asked_to_delete(hub, spoke, unused)
        await answer(hub, waits.run_id, approved=False)
        done = only(await go_on(hub, waits.run_id))
        assert await waiting.read(hub.kit.journal, waits.run_id) is None
    assert (done.outcome, done.message) == (Outcome.REFUSED, f"rejected by {ADA}: the team is gone")
    assert writes(aws, spoke) == []


async def test_an_approval_of_something_that_has_changed_since_is_asked_for_anew(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    unused = group(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        waits = await asked_to_delete(hub, spoke, unused)
        await answer(hub, waits.run_id)
        tag(spoke, unused, "payments")
        again = only(await go_on(hub, waits.run_id))
        assert (again.outcome, again.resumes, again.approved_by) == (Outcome.WAITING, waits.run_id, "")
        assert is_there(spoke, unused)
        await answer(hub, again.run_id)
        done = only(await go_on(hub, again.run_id))
    assert done.outcome is Outcome.FIXED


async def test_nobody_says_yes_in_time(spoke: Admin, hub_settings: MakeSettings) -> None:
    unused = group(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        waits = await asked_to_delete(hub, spoke, unused)
        later = Hub(replace(hub.kit, now=lambda: datetime.now(UTC) + timedelta(days=7, seconds=1)))
        done = only(await go_on(later, waits.run_id))
    assert done.outcome is Outcome.REFUSED
    assert "nobody said yes until" in done.message
    assert is_there(spoke, unused)


async def test_a_dry_run_does_not_wait(spoke: Admin, hub_settings: MakeSettings) -> None:
    unused = group(spoke)
    async with open_hub(hub_settings(spoke.account_id, dry_run=True)) as hub:
        run = await asked_to_delete(hub, spoke, unused)
        assert [each async for each in waiting.everybody(hub.kit.journal)] == []
    assert run.outcome is Outcome.WOULD_FIX
    assert "would wait: waits for a person" in run.message


async def test_a_note_that_is_damaged_keeps_nobody_else_waiting(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    unused = group(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        waits = await asked_to_delete(hub, spoke, unused)
        until = datetime.now(UTC) + timedelta(days=1)
        damaged = Note(name="waiting/damaged", body={"run": 7}, until=until, shelf=waiting.SHELF)
        assert await hub.kit.journal.keep(damaged)
        found = [each.run_id async for each in waiting.everybody(hub.kit.journal)]
    assert found == [waits.run_id]


class LaterThanLook:
    """Lets a step wait for a moment after somebody has said yes."""

    name = "later"

    def __init__(self, until: datetime) -> None:
        self.until = until

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        if proposal.now >= self.until:
            return None
        return Verdict(decision=Decision.WAIT, guard=self.name, why="not yet", until=self.until)

    async def ended(self, step: Step, run: Run) -> None:
        """Nothing is counted."""


async def test_a_yes_is_carried_through_a_wait_for_a_moment_and_so_is_who_asked(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    unused = group(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        begun = datetime.now(UTC)
        later = LaterThanLook(begun + timedelta(hours=2))
        hub = Hub(replace(opened.kit, change_guards=(*opened.kit.change_guards, later)))
        first = await asked_to_delete(hub, spoke, unused)
        asked = await waiting.read(hub.kit.journal, first.run_id)
        assert asked is not None
        await answer(hub, first.run_id)
        person = replace(hub.kit, identity=SomebodyElse(hub.kit.identity))  # type: ignore[arg-type]
        second = only(await go_on(Hub(person), first.run_id))
        assert (second.outcome, second.message, second.approved_by) == (Outcome.WAITING, "not yet", ADA)
        waits = await waiting.read(hub.kit.journal, second.run_id)
        assert waits is not None
        assert waits.requested_by == asked.requested_by, "not who went on with it"
        in_time = Hub(replace(hub.kit, now=lambda: begun + timedelta(hours=3)))
        done = only(await go_on(in_time, second.run_id))
    assert (done.outcome, done.approved_by) == (Outcome.FIXED, ADA)


class SomebodyElse:
    """The hub's identity under another name."""

    def __init__(self, identity: HubIdentity) -> None:
        self._identity = identity

    def __getattr__(self, name: str) -> object:
        return getattr(self._identity, name)

    async def caller(self) -> dict[str, str]:
        return {**await self._identity.caller(), "Arn": "arn:aws:sts::111122223333:assumed-role/Hub/other"}
