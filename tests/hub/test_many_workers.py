"""Four workers on one queue, two of them killed: what each finding comes to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.running import Emulator, emulator
from tests.hub import many_workers
from tests.hub.journals.servers import dynalite
from tests.hub.many_workers import Scenario

SCENARIO = Scenario(findings=120, lease_seconds=6.0)


@pytest.fixture
def running() -> Iterator[Emulator]:
    with emulator() as found:
        yield found


def test_whichever_worker_is_killed_each_finding_is_settled_once_and_nothing_is_lost(
    running: Emulator, tmp_path: Path
) -> None:
    with dynalite() as tables:
        told = many_workers.settle(running, tables, SCENARIO, tmp_path)
    assert told.wrong == ()
    assert told.not_once == ()
    assert told.with_several_ids == ()
    assert all(told.reports.values()), "each was reported"
    assert (told.waiting, told.dead_letters) == (0, 0)
    assert told.exits == (0,) * SCENARIO.workers, "who was told to stop had nothing left to do"
    assert len(told.writes) == SCENARIO.findings
    # A kill may repeat what was at work at that moment, and nothing else.
    assert sum(told.writes.values()) - SCENARIO.findings <= SCENARIO.kills * SCENARIO.hands
    assert told.taken_over > 0, "the killed workers left something behind"
