"""Off, dry run or on: by the rules file for accounts, OUs, bots ..., by settings for the whole hub, by the finding."""

from __future__ import annotations

from hub.guards import CurrentRules
from hub.guards.where import Entries, Fit, deciding
from hub.model import Decision, Step, Verdict
from hub.rules.guard_model import ModeEntry, ModeWord

_CAREFUL = (ModeWord.ON, ModeWord.DRY_RUN, ModeWord.OFF)  # in rising order


class Mode:
    """The first entry that fits decides; where none fits the hub is on.

    Where it cannot be known whether an entry fits, the most careful word counts that may be right.

    Args:
        dry_run: whatever would be on is a dry run (HUB_DRY_RUN).
    """

    name = "mode"

    def __init__(self, rules: CurrentRules, *, dry_run: bool) -> None:
        self._entries = Entries(rules, "mode", lambda current: current.modes)
        self._dry_run = dry_run

    async def judge(self, step: Step) -> Verdict | None:
        decided = self._decided(step)
        if decided is not None and decided.entry.mode is ModeWord.OFF:
            return self._say(
                Decision.REFUSE,
                f"the hub is off here: {_because(decided)}; have the entry changed to get this fixed, "
                "and send the finding again",
            )
        # Some bots have always had a word for it of their own.
        if getattr(step.params, "dry_run", False):
            return self._say(Decision.DRY_RUN, "the finding asks for a dry run")
        if self._dry_run:
            return self._say(Decision.DRY_RUN, "the hub is in dry run (HUB_DRY_RUN)")
        if decided is not None and decided.entry.mode is ModeWord.DRY_RUN:
            return self._say(Decision.DRY_RUN, f"the hub only looks here: {_because(decided)}")
        return None

    def _decided(self, step: Step) -> Fit[ModeEntry] | None:
        """The entry that counts; None where none fits."""
        may_decide = deciding(self._entries.about(step))
        return max(may_decide, key=lambda fit: _CAREFUL.index(fit.entry.mode), default=None)

    def _say(self, decision: Decision, why: str) -> Verdict:
        return Verdict(decision=decision, guard=self.name, why=why)


def _because(fit: Fit[ModeEntry]) -> str:
    if fit.unknown:
        return f"{fit.place} says so for some accounts, and {fit.unknown}, so it counts: {fit.entry.comment}"
    return f"{fit.place}: {fit.entry.comment}"
