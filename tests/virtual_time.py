"""An event loop whose time passes only while everybody waits: minutes of pacing in milliseconds, and exact."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer whenever nothing is ready. For code that waits for nothing but timers."""

    _now = 1000.0

    def time(self) -> float:
        return self._now

    monotonic = time  # stands in for the module `time` as well

    def _run_once(self) -> None:
        ready, timers = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready and timers:
            self._now = max(self._now, timers[0]._when)
        super()._run_once()  # type: ignore[misc]


def run(loop: VirtualLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run to the end and close the loop."""
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
