"""What changes are counted apart by."""

from __future__ import annotations

from collections.abc import Iterable

from hub.model import Step
from hub.rules.guard_model import EachOf


def counted_apart(each: Iterable[EachOf], step: Step) -> list[str]:
    """In words, always in the same order: ``account 222233334444``, ``bot sg_delete``."""
    assert step.bot is not None
    assert step.target is not None
    of = {"account": step.target.account_id, "bot": step.bot.name, "region": step.target.region}
    return [f"{one} {of[one]}" for one in sorted(each)]
