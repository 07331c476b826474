"""What waits is taken up again: by whom, when, once, and whatever was cut off in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from hub import sweep as sweeping
from hub.app import Hub, open_hub
from hub.errors import JournalUnwritable
from hub.flow import record, waiting
from hub.flow.answering import answer, question
from hub.flow.going_on import AGAIN_AFTER
from hub.flow.kit import Kit
from hub.flow.resume import body_for, resumed_id
from hub.flow.waiting import Waiting
from hub.journals import Note
from hub.journals.memory import MemoryJournal
from hub.model import Message, Outcome, Run
from hub.settings import Settings
from hub.sweep import EVERY_SECONDS, Sweeper, by_the_clock, ready, sweep
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws, allow
from tests.hub.flow.approvals import BOT, Closed, asking, later, people
from tests.hub.flow.test_settle import RIGHTS, bucket, only, versioning, writes
from tests.hub.messages import message
from tests.virtual_time import VirtualLoop, run


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


@pytest.fixture
def queue(aws: FakeAws, spoke: Admin, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> str:
    """A queue that the hub may write to."""
    for name, value in aws.hub_credentials(allow("sqs:SendMessage")).items():
        monkeypatch.setenv(name, value)
    url = aws.admin(HUB_ACCOUNT).client("sqs").create_queue(QueueName=f"findings-{spoke.account_id}")
    return str(url["QueueUrl"])


@pytest.fixture
def settings(spoke: Admin, queue: str, hub_settings: MakeSettings) -> MakeSettings:
    """Of a hub on that queue."""

    def make(*accounts: str, **more: object) -> Settings:
        return hub_settings(spoke.account_id, *accounts, **({"queue_url": queue} | more))

    return make


def bodies(aws: FakeAws, queue: str) -> Sequence[str]:
    """Of everything sent since this was asked last."""
    sqs: Any = aws.admin(HUB_ACCOUNT).client("sqs")
    request = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200}
    found: list[str] = []
    while more := sqs.receive_message(**request).get("Messages"):
        found += [each["Body"] for each in more]
    return found


async def waits_for(hub: Hub, spoke: Admin, name: str = "data") -> tuple[str, str]:
    """A bucket that a bot would change, and the run that waits with it."""
    full = bucket(spoke, name)
    found = only(await hub.settle(message(spoke.account_id, BOT, key=name, id=full)))
    assert found.outcome is Outcome.WAITING
    return full, found.run_id


async def says(hub: Hub, run_id: str, *, approved: bool = True) -> Waiting:
    return await answer(hub.kit, await question(hub.kit, run_id), approved=approved, because="see OPS-17")


async def standing(hub: Hub, run_id: str) -> Waiting | None:
    return await waiting.read(hub.kit.journal, run_id)


@asynccontextmanager
async def answered(aws: FakeAws, hub: Hub, run_id: str) -> AsyncIterator[None]:
    """A person has said yes, and the command was cut off before it told the queue."""
    async with people(aws, hub, "ada") as (ada,):
        await says(ada, run_id)
        yield


async def test_what_was_answered_and_never_sent_is_sent_once_and_again_when_it_seems_to_be_lost(
    aws: FakeAws, spoke: Admin, queue: str, settings: MakeSettings
) -> None:
    async with open_hub(settings()) as opened:
        hub = asking(opened)
        name, run_id = await waits_for(hub, spoke)
        assert await sweep(hub.kit) == 0, "nobody has answered"
        async with answered(aws, hub, run_id):
            pass
        assert await sweep(hub.kit) == 1
        assert await sweep(hub.kit) == 0
        early = later(hub, seconds=AGAIN_AFTER.total_seconds() - 1)
        assert await sweep(early.kit) == 0
        assert await sweep(later(hub, seconds=AGAIN_AFTER.total_seconds() + 1).kit) == 1
        sent = bodies(aws, queue)
        assert sent == [body_for(run_id)] * 2
        done = only(await hub.settle(Message(body=sent[0])))
        assert await hub.settle(Message(body=sent[1])) is None
        assert await sweep(later(hub, days=1).kit) == 0
    assert done.outcome is Outcome.FIXED
    assert writes(aws, spoke) == ["PutBucketVersioning"]
    assert versioning(spoke, name) == "Enabled"


async def test_what_waits_for_a_moment_goes_on_by_itself_and_waits_again_if_it_is_still_not_time(
    aws: FakeAws, spoke: Admin, queue: str, settings: MakeSettings
) -> None:
    async with open_hub(settings()) as opened:
        begin = opened.kit.now()
        window = Closed(begin + timedelta(hours=1))
        hub = Hub(replace(opened.kit, change_guards=(window,)))
        name, run_id = await waits_for(hub, spoke)
        assert await sweep(hub.kit) == 0
        then = later(hub, hours=1, seconds=1)
        assert await sweep(then.kit) == 1
        window.until = begin + timedelta(hours=2)
        again = only(await then.settle(Message(body=bodies(aws, queue)[0])))
        assert (again.outcome, again.run_id, again.resumes) == (
            Outcome.WAITING,
            resumed_id(run_id),
            run_id,
        )
        assert await standing(hub, run_id) is None, "one of them waits, not both"
        assert await sweep(then.kit) == 0
        at_last = later(hub, hours=2, seconds=1)
        assert await sweep(at_last.kit) == 1
        done = only(await at_last.settle(Message(body=bodies(aws, queue)[0])))
    assert (done.outcome, done.resumes) == (Outcome.FIXED, again.run_id)
    assert versioning(spoke, name) == "Enabled"


async def test_what_nobody_answered_ends_as_refused_when_its_time_is_over(
    aws: FakeAws, spoke: Admin, queue: str, settings: MakeSettings
) -> None:
    async with open_hub(settings()) as opened:
        hub = asking(opened, expires=timedelta(hours=2))
        name, run_id = await waits_for(hub, spoke)
        assert await sweep(later(hub, hours=1).kit) == 0
        late = later(hub, hours=3)
        assert await sweep(late.kit) == 1
        done = only(await late.settle(Message(body=bodies(aws, queue)[0])))
        assert await standing(hub, run_id) is None
    assert done.outcome is Outcome.REFUSED
    assert "nobody said yes until" in done.message
    assert versioning(spoke, name) == "Off"


async def cut_off_at_closing(hub: Hub, spoke: Admin) -> tuple[Message, Waiting]:
    """A finding whose worker died when its run was to be closed as waiting, and the note it left."""

    async def dies(*_: object) -> Run:
        raise JournalUnwritable("the worker is gone")

    sent = message(spoke.account_id, BOT, id=bucket(spoke))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "close", dies)
        with pytest.raises(JournalUnwritable):
            await hub.settle(sent)
    [note] = [each async for each in waiting.everybody(hub.kit.journal)]
    return sent, note


async def test_a_note_of_a_run_that_was_cut_off_before_it_was_closed_is_passed_over_until_the_finding_comes_again(
    aws: FakeAws, spoke: Admin, queue: str, settings: MakeSettings
) -> None:
    async with open_hub(settings()) as opened:
        hub = asking(opened, expires=timedelta(hours=2))
        sent, note = await cut_off_at_closing(hub, spoke)
        late = later(hub, hours=3)
        assert note.ready(late.kit.now())
        assert await sweep(late.kit) == 0
        assert bodies(aws, queue) == []
        assert await standing(hub, note.run_id) == note, "it is needed when the finding comes again"
        again = only(await hub.settle(replace(sent, again=True)))
        assert (again.outcome, again.run_id) == (Outcome.WAITING, note.run_id)
        assert await sweep(late.kit) == 1


async def test_a_note_of_a_run_that_came_to_another_end_is_cleared_away(
    aws: FakeAws, spoke: Admin, queue: str, settings: MakeSettings
) -> None:
    async with open_hub(settings()) as opened:
        hub = asking(opened, expires=timedelta(hours=2))
        sent, note = await cut_off_at_closing(hub, spoke)
        freely = Hub(replace(hub.kit, change_guards=()))
        assert only(await freely.settle(replace(sent, again=True))).outcome is Outcome.FIXED
        assert await sweep(later(hub, hours=3).kit) == 0
        assert await standing(hub, note.run_id) is None
    assert bodies(aws, queue) == []


async def test_many_who_look_at_the_same_time_send_each_once(
    aws: FakeAws, spoke: Admin, queue: str, settings: MakeSettings
) -> None:
    async with open_hub(settings()) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        async with answered(aws, hub, run_id):
            pass
        told = await asyncio.gather(*(sweep(hub.kit) for _ in range(5)))
    assert sum(told) == 1
    assert bodies(aws, queue) == [body_for(run_id)]


async def test_of_all_who_share_a_journal_one_looks_each_minute(
    spoke: Admin, settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Kit] = []

    async def look(kit: Kit) -> int:
        looks.append(kit)
        return 0

    monkeypatch.setattr(sweeping, "sweep", look)
    async with open_hub(settings()) as hub:
        now = hub.kit.now()
        journal = MemoryJournal(now=lambda: now)
        three = [Sweeper(replace(hub.kit, journal=journal, now=lambda: now)) for _ in range(3)]
        for _ in range(2):
            await asyncio.gather(*(each.once() for each in three))
        assert len(looks) == 1
        now += timedelta(seconds=EVERY_SECONDS - 2)
        await asyncio.gather(*(each.once_a_minute(seconds=None) for each in three))
        assert len(looks) == 1, "each of them knows that it is not time"
        await three[0].once()
        assert len(looks) == 2, "by the clock of others it may be"
        now += timedelta(seconds=EVERY_SECONDS)
        await asyncio.gather(*(each.once_a_minute(seconds=None) for each in three))
        assert len(looks) == 3


async def test_one_pass_has_an_end_and_the_next_goes_on_behind_it(
    aws: FakeAws, spoke: Admin, queue: str, settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST", 2)
    async with open_hub(settings()) as opened:
        window = Closed(opened.kit.now() + timedelta(hours=1))
        hub = Hub(replace(opened.kit, change_guards=(window,)))
        ids = {(await waits_for(hub, spoke, f"data-{number}"))[1] for number in range(5)}
        then = later(hub, hours=2)
        assert [await sweep(then.kit) for _ in range(4)] == [2, 2, 1, 0]
    assert set(bodies(aws, queue)) == {body_for(each) for each in ids}


async def test_a_queue_that_is_away_ends_the_pass_and_loses_nothing(
    aws: FakeAws,
    spoke: Admin,
    queue: str,
    settings: MakeSettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_hub(settings()) as opened:
        window = Closed(opened.kit.now() + timedelta(hours=1))
        hub = later(Hub(replace(opened.kit, change_guards=(window,))), seconds=0)
        for number in range(3):
            await waits_for(hub, spoke, f"data-{number}")
        then = later(hub, hours=2)
        away = Hub(replace(then.kit, settings=settings(queue_url=f"{queue}-gone")))
        await Sweeper(away.kit).once()
        [said] = [each for each in caplog.records if each.message == "sweep not finished"]
        assert "could not be told to go on" in said.__dict__["error"]
        tries = [call for call in aws.calls(HUB_ACCOUNT) if call.params.get("QueueUrl") == f"{queue}-gone"]
        assert len(tries) == 1, "the others would fare no better"
        assert await sweep(then.kit) == 3
    assert len(bodies(aws, queue)) == 3


async def test_without_a_queue_it_is_carried_out_at_once(
    aws: FakeAws, spoke: Admin, settings: MakeSettings
) -> None:
    async with open_hub(settings(queue_url="")) as opened:
        hub = asking(opened)
        name, run_id = await waits_for(hub, spoke)
        async with answered(aws, hub, run_id):
            pass
        assert await sweep(hub.kit) == 1
        assert await sweep(hub.kit) == 0
    assert versioning(spoke, name) == "Enabled"


async def test_what_another_worker_is_at_does_not_keep_the_others_from_going_on(
    aws: FakeAws, spoke: Admin, settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_hub(settings(queue_url="")) as opened:
        window = Closed(opened.kit.now() + timedelta(hours=1))
        hub = Hub(replace(opened.kit, change_guards=(window,)))
        names = [await waits_for(hub, spoke, f"data-{number}") for number in range(2)]
        taken = f"finding/{resumed_id(names[0][1])}"
        assert await hub.kit.journal.lease(taken, owner="another", seconds=600) is not None
        assert await sweep(later(hub, hours=2).kit) == 1
    assert [versioning(spoke, name) for name, _ in names] == ["Off", "Enabled"]
    assert "could not go on with a run" in caplog.messages


class Away(MemoryJournal):
    """A journal that cannot be read for its first minutes."""

    looks = 0

    async def lease(self, name: str, *, owner: str, seconds: float) -> Any:
        self.looks += 1
        if self.looks == 1:
            raise JournalUnwritable("the table is away")
        if self.looks == 2:
            raise RuntimeError("a defect")
        return None

    def shelf(self, shelf: str) -> AsyncIterator[Note]:
        raise AssertionError("nobody has the lease")


def test_a_journal_that_is_away_never_ends_a_workers_sweeping(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Away()
    kit: Any = SimpleNamespace(journal=journal, now=journal._now)
    loop = VirtualLoop()

    async def some_minutes() -> None:
        task = asyncio.create_task(Sweeper(kit).for_ever())
        await asyncio.sleep(3.5 * EVERY_SECONDS)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(loop, some_minutes())
    assert journal.looks == 4
    assert caplog.messages == ["sweep not finished"] * 2
    assert [each.levelno for each in caplog.records] == [logging.WARNING, logging.ERROR]


class Endless(MemoryJournal):
    """A journal that does not answer."""

    async def lease(self, name: str, *, owner: str, seconds: float) -> Any:
        await asyncio.Event().wait()


def test_a_pass_is_broken_off_when_its_time_is_over_and_not_begun_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = Endless()
    kit: Any = SimpleNamespace(journal=journal, now=journal._now)
    loop = VirtualLoop()

    async def passes() -> list[float]:
        began = [loop.time()]
        for seconds in (20.0, 4.9, -3.0):
            await Sweeper(kit).once(seconds=seconds)
            began.append(loop.time())
        return began

    began = run(loop, passes())
    assert [after - before for before, after in pairwise(began)] == [20.0, 0.0, 0.0]
    assert caplog.messages == ["sweep broken off, out of time"]


@pytest.mark.parametrize(
    ("event", "by_clock"),
    [
        ({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}, True),
        ({"source": "aws.scheduler", "detail-type": "Scheduled Event"}, True),
        ({"detail-type": "EC2 Instance State-change Notification"}, False),
        ({"Records": [], "detail-type": "Scheduled Event"}, False),
        ({}, False),
        (None, False),
        (["Scheduled Event"], False),
    ],
)
def test_only_an_event_of_the_clock_is_taken_for_one(event: object, by_clock: bool) -> None:
    assert by_the_clock(event) is by_clock


FORGED = [
    body_for("never-heard-of"),
    body_for(""),
    body_for("x" * 5000),
    '{"remediation-hub:resume": 7}',
    '{"remediation-hub:resume": null}',
    '{"remediation-hub:resume": "RUN", "approved": true}',
    '["remediation-hub:resume"]',
    '{"remediation-hub:resume": "RUN"',
    '{"remediation-hub:resume": "\\ud800"}',
    "[" * 5000 + "remediation-hub:resume",
]


@pytest.mark.parametrize("body", FORGED)
async def test_a_forged_message_changes_nothing_and_answers_nothing(
    body: str, aws: FakeAws, spoke: Admin, settings: MakeSettings
) -> None:
    async with open_hub(settings(queue_url="")) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        before = await standing(hub, run_id)
        report = await hub.settle(Message(body=body.replace("RUN", run_id), message_id="forged"))
        assert report is None or (report.error and report.runs == ())
        assert await standing(hub, run_id) == before
    assert writes(aws, spoke) == []


async def test_a_message_for_a_run_that_is_not_ready_is_settled_and_changes_nothing(
    aws: FakeAws, spoke: Admin, settings: MakeSettings
) -> None:
    async with open_hub(settings(queue_url="")) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        before = await standing(hub, run_id)
        assert await hub.settle(Message(body=body_for(run_id))) is None
        assert await standing(hub, run_id) == before
        assert [each async for each in ready(hub.kit)] == []
    assert writes(aws, spoke) == []
