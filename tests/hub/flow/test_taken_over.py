"""A run that was cut off, and the next worker that takes it up: no word about it is untrue, whatever has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.app import Hub, open_hub
from hub.errors import JournalUnwritable
from hub.flow.way_back import NothingToUndo
from hub.journals import Journal
from hub.journals.memory import MemoryJournal
from hub.leases import Leases
from hub.model import Outcome, Run
from hub.settings import Settings
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import POLICY_NAME, FakeAws, allow, policy
from tests.hub.flow.cutting_off import cut_off
from tests.hub.flow.test_settle import RIGHTS, bucket, hub_with, only, versioning, writes
from tests.hub.messages import message

BEFORE = {"region": "us-east-1", "status": "Off", "mfa_delete": False}
NOTHING = policy(allow("s3:ListAllMyBuckets"))


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({POLICY_NAME: RIGHTS})


class Away(MemoryJournal):
    """Refuses the next call of one method."""

    def __init__(self, method: str = "") -> None:
        super().__init__()
        self.refused = method

    def _refuse(self, method: str) -> None:
        if method == self.refused:
            self.refused = ""
            raise JournalUnwritable("DynamoDB PutItem in us-east-1 was throttled")

    async def get(self, run_id: str) -> Run | None:
        self._refuse("get")
        return await super().get(run_id)

    async def open(self, run: Run) -> Run:
        self._refuse("open")
        return await super().open(run)

    async def close(self, run: Run) -> None:
        self._refuse("close")
        await super().close(run)

    async def settle(self, occurrence: str, *, report_id: str) -> None:
        self._refuse("settle")
        await super().settle(occurrence, report_id=report_id)


@asynccontextmanager
async def hub_on(journal: Journal, settings: Settings) -> AsyncIterator[Hub]:
    """A hub whose runs and leases are in that journal."""
    async with (
        open_hub(settings) as hub,
        Leases(journal, seconds=settings.lease_seconds) as leases,
        hub_with(hub, journal=journal, leases=leases) as found,
    ):
        yield found


async def taken_up(spoke: Admin, hub_settings: MakeSettings, later: Settings) -> Run:
    """The run of a finding whose worker died after the change, as a hub with other settings ends it."""
    sent = message(spoke.account_id, "s3_enable_versioning", id=bucket(spoke))
    journal = MemoryJournal()
    async with hub_on(journal, hub_settings(spoke.account_id)) as it:
        await cut_off(it, sent)
    async with hub_on(journal, later) as it:
        return only(await it.settle(sent))


async def test_a_change_whose_outcome_could_not_be_recorded_is_never_called_unmade(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", id=name)
    async with hub_on(Away("close"), hub_settings(spoke.account_id)) as it:
        with pytest.raises(JournalUnwritable):
            await it.settle(sent)
        assert versioning(spoke, name) == "Enabled"
        run = only(await it.settle(sent))
    assert (run.outcome, run.changed, run.before) == (Outcome.FIXED, True, BEFORE)
    assert writes(aws, spoke) == ["PutBucketVersioning"]


@pytest.mark.parametrize("method", ["get", "open"])
async def test_what_a_worker_before_did_is_not_forgotten_because_the_journal_is_busy(
    method: str, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", id=name)
    journal = Away()
    async with hub_on(journal, hub_settings(spoke.account_id)) as it:
        await cut_off(it, sent)
        spoke.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
        journal.refused = method
        with pytest.raises(JournalUnwritable):
            await it.settle(sent)
        run = only(await it.settle(sent))
    assert (run.outcome, run.changed, run.before) == (Outcome.FIXED, True, BEFORE)


async def test_a_run_that_cannot_be_looked_at_again_says_that_it_may_have_changed_something(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", id=name)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        await cut_off(hub, sent)
        aws.allow_only(spoke, NOTHING)
        run = only(await hub.settle(sent))
        assert run.outcome is Outcome.DENIED
        assert run.changed
        assert "may have changed it" in run.message
        aws.allow_only(spoke, RIGHTS)
        assert only(await hub.undo(run.run_id)).outcome is Outcome.RESTORED
    assert versioning(spoke, name) == "Suspended"


async def test_a_run_that_the_rules_forbid_by_now_says_that_it_may_have_changed_something(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    later = hub_settings(spoke.account_id, deployment_mode="single", accounts=())
    run = await taken_up(spoke, hub_settings, later)
    assert run.outcome is Outcome.REFUSED
    assert run.changed
    assert "may have changed it" in run.message


async def test_a_dry_run_that_takes_up_a_fix_tells_what_was_fixed(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    run = await taken_up(spoke, hub_settings, hub_settings(spoke.account_id, dry_run=True))
    assert (run.outcome, run.changed, run.before) == (Outcome.FIXED, True, BEFORE)


async def test_what_was_recorded_is_reported_however_the_settings_changed_before_the_report(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", "no_such_bot", id=name)
    journal = Away("settle")
    async with hub_on(journal, hub_settings(spoke.account_id, dry_run=True)) as it:
        with pytest.raises(JournalUnwritable):
            await it.settle(sent)
    spoke.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    async with hub_on(journal, hub_settings("444455556666")) as it:
        report = await it.settle(sent)
    assert report is not None
    assert report.outcomes == (Outcome.WOULD_FIX, Outcome.INVALID)


async def test_an_undo_whose_outcome_could_not_be_recorded_is_finished_when_asked_again(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", id=name)
    journal = Away()
    async with hub_on(journal, hub_settings(spoke.account_id)) as it:
        run = only(await it.settle(sent))
        journal.refused = "close"
        with pytest.raises(JournalUnwritable):
            await it.undo(run.run_id)
        assert versioning(spoke, name) == "Suspended"
        assert only(await it.undo(run.run_id)).outcome is Outcome.RESTORED
        with pytest.raises(NothingToUndo, match="undone before"):
            await it.undo(run.run_id)
