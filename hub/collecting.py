"""How often Python looks for garbage that only its cycle collector finds, in a process that works for hours."""

from __future__ import annotations

import gc

OBJECTS = 50_000


def collect_seldom() -> None:
    """Look after 50,000 new objects instead of 700.

    A call of AWS makes thousands of objects and hardly a cycle, so looking for them as often as Python does
    took an eighth of a worker's CPU (DESIGN.md, 26). To be called once, at the edge.
    """
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
