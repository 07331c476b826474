"""What is remembered of a resource is read once for a change, and two who write at once lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from hub.errors import JournalUnwritable
from hub.guards import resource_memory
from hub.guards.flapping import Flapping
from hub.guards.resource_memory import Hold, Memory, Recall, recalled, remember
from hub.guards.rewriting import TRIES, named, parts, rewrite
from hub.guards.taken_back import TakenBack, hold, lift
from hub.journals import Note
from hub.journals.memory import MemoryJournal
from tests.hub.guards.changes import Day
from tests.hub.guards.steps import NOW, in_force
from tests.hub.guards.test_flapping import nobody

LANE = "222233334444/AWS::S3::Bucket/data"
LATER = NOW + timedelta(days=1)


def fixed(memory: Memory) -> Memory:
    return Memory(fixed={**memory.fixed, "bot": (NOW,)}, holds=memory.holds)


def becoming(memory: Memory) -> Callable[[Memory], Memory]:
    return lambda _: memory


async def test_both_guards_read_once_for_a_change_and_again_for_the_next_attempt() -> None:
    day = Day()
    recall = Recall(day.journal)
    guards = (TakenBack(recall), Flapping(in_force(), recall, nobody))
    for attempt in (1, 2):
        proposal = day.proposal()
        for guard in guards:
            assert await guard.judge_change(proposal) is None
        assert day.journal.calls == ["note"] * attempt


async def test_a_fix_is_counted_by_what_was_read_when_it_was_judged() -> None:
    day = Day()
    recall = Recall(day.journal)
    guard = Flapping(in_force(), recall, nobody)
    for number in (1, 2):
        await guard.judge_change(day.proposal(f"run {number}"))
        await day.end(guard, f"run {number}")
        day.later(minutes=1)
    assert day.journal.calls == ["note", "keep"] * 2
    kept = (await recalled(day.journal, day.proposal().step.lane)).memory
    assert len(kept.fixed[day.proposal().run.bot]) == 2


async def test_what_a_person_held_between_the_judging_and_the_counting_is_not_lost() -> None:
    day = Day()
    guard = Flapping(in_force(), Recall(day.journal), nobody)
    lane, bot = day.proposal().step.lane, day.proposal().run.bot
    await guard.judge_change(day.proposal("run"))
    await hold(day.journal, lane=lane, bot="other", until=LATER, by="ada", because="needed", at=NOW)
    await day.end(guard, "run")
    kept = (await recalled(day.journal, lane)).memory
    assert (list(kept.fixed), list(kept.holds)) == ([bot], ["other"])


async def test_what_is_kept_in_hand_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_memory, "MOST_RECALLED", 2)
    day = Day()
    recall = Recall(day.journal)
    proposals = [day.proposal(run_id) for run_id in "abc"]
    for proposal in (*proposals, proposals[2], proposals[1], proposals[0]):
        await recall.of(proposal)
    assert day.journal.calls == ["note"] * 4


async def test_what_was_kept_is_read_as_it_was() -> None:
    day = Day()
    memory = Memory(
        fixed={"bot": (NOW - timedelta(hours=1), NOW)},
        holds={"bot": Hold(by="ada", because="needed", at=NOW, until=LATER)},
    )
    assert (await recalled(day.journal, LANE)).memory == Memory()
    await remember(day.journal, LANE, becoming(memory), until=LATER)
    assert (await recalled(day.journal, LANE)).memory == memory


async def test_nothing_is_written_where_nothing_changes() -> None:
    day = Day()
    await remember(day.journal, LANE, lambda memory: memory)
    await remember(day.journal, LANE, fixed, until=LATER)
    writes = len(day.journal.writes())
    await remember(day.journal, LANE, fixed, until=LATER)
    assert len(day.journal.writes()) == writes == 1


async def test_the_longest_time_counts() -> None:
    day = Day()
    await hold(day.journal, lane=LANE, bot="bot", until=LATER, by="ada", because="needed", at=NOW)
    await remember(day.journal, LANE, fixed, until=NOW + timedelta(hours=1))
    day.later(hours=2)
    assert "bot" in (await recalled(day.journal, LANE)).memory.holds


@pytest.mark.parametrize("first", ["keep", "drop"])
async def test_who_was_overtaken_looks_again_and_loses_nothing(first: str) -> None:
    day = Day()
    await hold(day.journal, lane=LANE, bot="bot", until=LATER, by="ada", because="needed", at=NOW)
    day.journal.before_writing.append(
        lambda: hold(day.journal, lane=LANE, bot="other", until=LATER, by="bob", because="too", at=NOW)
    )
    if first == "keep":
        await remember(day.journal, LANE, fixed, until=LATER)
    else:
        await lift(day.journal, lane=LANE, bot="bot")
    memory = (await recalled(day.journal, LANE)).memory
    assert set(memory.holds) == ({"bot", "other"} if first == "keep" else {"other"})
    assert set(memory.fixed) == ({"bot"} if first == "keep" else set())


@pytest.mark.parametrize("wanted", [Note(name="", body={"n": 1}, until=LATER), None])
async def test_who_is_overtaken_every_time_gives_up_and_says_so(wanted: Note | None) -> None:
    day = Day()

    async def faster() -> None:
        there = await day.journal.note("x/y")
        kept = Note(name="x/y", body={}, until=LATER, version=there.version if there else 0)
        assert await MemoryJournal.keep(day.journal, kept)

    await faster()
    day.journal.before_writing = [faster] * (TRIES + 1)
    with pytest.raises(JournalUnwritable, match=f"wrote the note 'x/y' {TRIES} times"):
        await rewrite(day.journal, "x/y", lambda _: wanted)
    # One is left: the second try gets through.
    await rewrite(day.journal, "x/y", lambda _: wanted)
    there = await day.journal.note("x/y")
    assert (there.body if there else None) == (wanted.body if wanted else None)


@pytest.mark.parametrize("body", [{}, {"fixed": [], "holds": {}}, {"fixed": {"b": ["x"]}, "holds": {}}])
async def test_a_damaged_note_is_not_taken_for_an_empty_one(body: dict[str, object]) -> None:
    day = Day()
    await day.journal.keep(Note(name=f"resource/{LANE}", body=body, until=LATER))
    with pytest.raises(JournalUnwritable, match=r"resource/222233334444/.*is damaged"):
        await recalled(day.journal, LANE)


async def test_lanes_that_no_store_would_take_are_remembered_apart() -> None:
    day = Day()
    lanes = ("x" * 3000, "x" * 3001, "a\nb", "a\tb", "\ud800", "é" * 460)
    for number, lane in enumerate(lanes):
        memory = Memory(fixed={"b": (NOW + timedelta(seconds=number),)})
        await remember(day.journal, lane, becoming(memory), until=LATER)
    for number, lane in enumerate(lanes):
        assert (await recalled(day.journal, lane)).memory.fixed == {"b": (NOW + timedelta(seconds=number),)}


def test_names_are_such_as_every_journal_takes() -> None:
    assert named("resource", LANE) == f"resource/{LANE}"
    for rest in ("x" * 900, "a\nb", "\ud800"):
        name = named("resource", rest)
        assert name.startswith("resource/sha256:")
        assert len(name.encode()) <= 900
    assert parts("a/b", "c") != parts("a", "b/c")
    assert parts("\ud800") != parts("\ud801")
