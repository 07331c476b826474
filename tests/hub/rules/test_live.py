"""A running hub follows its rules file, and keeps the last good rules while the file is broken."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from hub.errors import RulesWrong
from hub.rules.live import LOOK_AGAIN_SECONDS, LiveRules
from hub.rules.model import Trust
from tests.hub.rules.files import CATALOGUE

NONE = "version: 1\ntrust_finding_actions: none\n"
LISTED = "version: 1\ntrust_finding_actions: listed\n"


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Running:
    """A rules file that a hub follows, its clock, and how often it was said to be broken."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = Clock()
        self.broken = 0
        file.write_text(NONE)
        self._rules = LiveRules(str(file), CATALOGUE, on_broken=self._count, clock=self.clock)

    def _count(self) -> None:
        self.broken += 1

    def trust(self, *, after: float = LOOK_AGAIN_SECONDS) -> Trust:
        self.clock.seconds += after
        return self._rules.current().rules.trust


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path / "rules.yaml")


def test_a_changed_file_is_in_force_seconds_later(running: Running) -> None:
    assert running.trust(after=0) is Trust.NONE
    running.file.write_text(LISTED)
    assert running.trust(after=LOOK_AGAIN_SECONDS / 2) is Trust.NONE
    assert running.trust(after=LOOK_AGAIN_SECONDS / 2) is Trust.LISTED


def test_a_clock_that_was_put_back_does_not_keep_old_rules(running: Running) -> None:
    running.file.write_text(LISTED)
    assert running.trust(after=-3600) is Trust.LISTED


@pytest.mark.parametrize("broken", ["version: 2\n", "", "[", "\x00", None])
def test_a_broken_file_keeps_the_last_good_rules_and_is_told(
    broken: str | None, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hub.rules.live")
    if broken is None:
        running.file.unlink()
    else:
        running.file.write_text(broken)
    assert [running.trust() for _ in range(3)] == [Trust.NONE] * 3
    assert running.broken == 3, "an alarm stays on as long as the file is broken"
    [told] = caplog.records
    assert told.levelno == logging.ERROR
    assert str(running.file) in str(getattr(told, "error", ""))
    running.file.write_text(LISTED)
    assert running.trust() is Trust.LISTED
    assert running.trust() is Trust.LISTED
    assert running.broken == 3


def test_a_file_put_back_as_it_was_is_no_longer_broken(running: Running) -> None:
    running.file.write_text("[")
    assert running.trust() is Trust.NONE
    running.file.write_text(NONE)
    assert [running.trust() for _ in range(2)] == [Trust.NONE] * 2
    assert running.broken == 1


def test_a_file_that_came_back_is_read(running: Running) -> None:
    running.file.unlink()
    running.trust()
    running.file.write_text(NONE)
    assert [running.trust() for _ in range(2)] == [Trust.NONE] * 2
    assert running.broken == 1


@pytest.mark.parametrize("content", [b"", b"version: 2", b"\xff\xfe", None])
def test_a_hub_does_not_start_on_a_file_it_cannot_use(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RulesWrong, match=r"rules\.yaml"):
        LiveRules(str(file), CATALOGUE, on_broken=lambda: None)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + LISTED.encode())
    live = LiveRules(str(file), CATALOGUE, on_broken=lambda: None)
    assert live.current().rules.trust is Trust.LISTED
