"""A running hub follows its rules file, and keeps the last good rules while the file is broken."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.errors import RulesWrong
from hub.rules.live import LOOK_AGAIN_SECONDS, LiveRules, RulesFile, Source
from hub.rules.model import Trust
from tests.hub.rules.files import CATALOGUE

NONE = "version: 1\ntrust_finding_actions: none\n"
LISTED = "version: 1\ntrust_finding_actions: listed\n"


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Running:
    """Rules in a file that a hub follows, its clock, and how often they were said to be broken."""

    file: Path
    clock: Clock = field(default_factory=Clock)
    broken: int = 0
    rules: LiveRules = field(init=False)

    async def start(self, source: Source | None = None) -> None:
        self.file.write_text(NONE)
        self.rules = await LiveRules.start(
            source or RulesFile(str(self.file)), CATALOGUE, on_broken=self._count, clock=self.clock
        )

    def _count(self) -> None:
        self.broken += 1

    async def trust(self, *, after: float = LOOK_AGAIN_SECONDS) -> Trust:
        self.clock.seconds += after
        await self.rules.refresh()
        return self.rules.current().rules.trust


@pytest.fixture
async def running(tmp_path: Path) -> Running:
    made = Running(tmp_path / "rules.yaml")
    await made.start()
    return made


async def test_a_changed_file_is_in_force_seconds_later(running: Running) -> None:
    assert await running.trust(after=0) is Trust.NONE
    running.file.write_text(LISTED)
    assert await running.trust(after=LOOK_AGAIN_SECONDS / 2) is Trust.NONE
    assert await running.trust(after=LOOK_AGAIN_SECONDS / 2) is Trust.LISTED


async def test_a_clock_that_was_put_back_does_not_keep_old_rules(running: Running) -> None:
    running.file.write_text(LISTED)
    assert await running.trust(after=-3600) is Trust.LISTED


@pytest.mark.parametrize("broken", ["version: 2\n", "", "[", "\x00", None])
async def test_a_broken_file_keeps_the_last_good_rules_and_is_told(
    broken: str | None, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hub.rules.live")
    if broken is None:
        running.file.unlink()
    else:
        running.file.write_text(broken)
    assert [await running.trust() for _ in range(3)] == [Trust.NONE] * 3
    assert running.broken == 3, "an alarm stays on as long as the file is broken"
    [told] = caplog.records
    assert told.levelno == logging.ERROR
    assert str(running.file) in str(getattr(told, "error", ""))
    running.file.write_text(LISTED)
    assert await running.trust() is Trust.LISTED
    assert await running.trust() is Trust.LISTED
    assert running.broken == 3


async def test_a_file_put_back_as_it_was_is_no_longer_broken(running: Running) -> None:
    running.file.write_text("[")
    assert await running.trust() is Trust.NONE
    running.file.write_text(NONE)
    assert [await running.trust() for _ in range(2)] == [Trust.NONE] * 2
    assert running.broken == 1


async def test_a_file_that_came_back_is_read(running: Running) -> None:
    running.file.unlink()
    await running.trust()
    running.file.write_text(NONE)
    assert [await running.trust() for _ in range(2)] == [Trust.NONE] * 2
    assert running.broken == 1


@pytest.mark.parametrize("content", [b"", b"version: 2", b"\xff\xfe", None])
async def test_a_hub_does_not_start_on_a_file_it_cannot_use(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RulesWrong, match=r"rules\.yaml"):
        await LiveRules.start(RulesFile(str(file)), CATALOGUE, on_broken=lambda: None)


async def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + LISTED.encode())
    live = await LiveRules.start(RulesFile(str(file)), CATALOGUE, on_broken=lambda: None)
    assert live.current().rules.trust is Trust.LISTED


class Slow:
    """A source that answers when it is told to, and tells an unchanged version from a changed one."""

    address = "s3://bucket/rules.yaml"
    seconds = 30.0

    def __init__(self) -> None:
        self.content, self.version = NONE.encode(), "1"
        self.asked: list[str] = []
        self.arrived, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def read(self, known: str, /) -> tuple[bytes, str] | None:
        self.asked.append(known)
        self.arrived.set()
        await self.may_answer.wait()
        return None if known == self.version else (self.content, self.version)


async def test_all_who_come_during_a_look_wait_for_what_it_sees(tmp_path: Path) -> None:
    source, running = Slow(), Running(tmp_path / "unused")
    await running.start(source)
    source.content, source.version = LISTED.encode(), "2"
    source.may_answer.clear()
    source.arrived.clear()
    running.clock.seconds += 3600
    waiting = [asyncio.create_task(running.trust(after=0)) for _ in range(3)]
    await source.arrived.wait()
    source.may_answer.set()
    assert await asyncio.gather(*waiting) == [Trust.LISTED] * 3
    assert source.asked == ["", "1"], "one look is enough"


async def test_one_who_is_cancelled_during_a_look_leaves_it_to_the_next(tmp_path: Path) -> None:
    source, running = Slow(), Running(tmp_path / "unused")
    await running.start(source)
    source.content, source.version = LISTED.encode(), "2"
    source.may_answer.clear()
    source.arrived.clear()
    first = asyncio.create_task(running.trust(after=3600))
    await source.arrived.wait()
    first.cancel()
    source.may_answer.set()
    assert await running.trust(after=0) is Trust.LISTED


async def test_a_source_that_tells_changes_is_asked_for_what_is_new_and_broken_as_long_as_it_is_the_same(
    tmp_path: Path,
) -> None:
    source, running = Slow(), Running(tmp_path / "unused")
    await running.start(source)
    assert await running.trust(after=30) is Trust.NONE
    source.content, source.version = b"[", "2"
    assert [await running.trust(after=30) for _ in range(3)] == [Trust.NONE] * 3
    assert running.broken == 3
    source.content, source.version = LISTED.encode(), "3"
    assert await running.trust(after=29) is Trust.NONE
    assert await running.trust(after=1) is Trust.LISTED
    assert source.asked == ["", "1", "1", "2", "2", "2"]
