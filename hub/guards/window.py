"""Windows, in which changes are made only, and freezes, in which none are. What is right already waits for neither."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.guards import CountsNothing, CurrentRules, Proposal
from hub.guards.hours import is_open, next_opening
from hub.guards.saying import moment
from hub.guards.where import Entries, Fit, as_seen
from hub.model import Decision, Verdict
from hub.rules.guard_model import Freeze, Window


class Windows(CountsNothing):
    """A step waits for the end of the freezes that fit and then, asked again, for a window that fits."""

    name = "window"

    def __init__(self, rules: CurrentRules) -> None:
        self._windows = Entries(rules, "windows", lambda current: current.windows)
        self._freezes = Entries(rules, "freezes", lambda current: current.freezes)

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        step = as_seen(proposal)
        frozen = [
            fit for fit in self._freezes.about(step) if fit.entry.starts <= proposal.now < fit.entry.ends
        ]
        return self._frozen(frozen) or self._closed(self._windows.about(step), proposal.now)

    def _frozen(self, frozen: list[Fit[Freeze]]) -> Verdict | None:
        sure = [fit for fit in frozen if not fit.unknown]
        if sure:
            last = max(sure, key=lambda fit: fit.entry.ends)
            return self._wait(
                last.entry.ends,
                f"nothing is changed here until {moment(last.entry.ends)}: {last.place}: {last.entry.comment}",
            )
        return self._unknown(frozen[0]) if frozen else None

    def _closed(self, windows: tuple[Fit[Window], ...], now: datetime) -> Verdict | None:
        inside = [fit for fit in windows if is_open(fit.entry, now)]
        outside = [fit for fit in windows if fit not in inside]
        if not outside or any(not fit.unknown for fit in inside):
            return None
        closed = [fit for fit in outside if not fit.unknown]
        if not closed:
            return self._unknown(outside[0])
        if inside:
            return self._unknown(inside[0])
        opens, first = min(((next_opening(fit.entry, now), fit) for fit in closed), key=lambda each: each[0])
        local = opens.astimezone(first.entry.clock)
        return self._wait(
            opens,
            f"changes are made here only within windows, and none is open; the next opens "
            f"{local:%Y-%m-%d %H:%M} {first.entry.zone}: {first.place}: {first.entry.comment}",
        )

    def _wait(self, until: datetime, why: str) -> Verdict:
        return Verdict(
            decision=Decision.WAIT,
            guard=self.name,
            why=f"{why}; it is asked again by itself then",
            until=until.astimezone(UTC),
        )

    def _unknown(self, fit: Fit[Freeze] | Fit[Window]) -> Verdict:
        return Verdict(
            decision=Decision.UNREACHABLE,
            guard=self.name,
            why=f"{fit.unknown}, so nobody can tell whether {fit.place} holds it back, and nothing was changed; "
            "send the finding again when they can be",
        )
