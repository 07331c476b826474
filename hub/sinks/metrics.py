"""Figures for CloudWatch, as log lines in its embedded metric format; nothing is called and nothing waited for.

The format: "Specification: Embedded metric format" in the Amazon CloudWatch user guide. A metric is paid for
by its combination of dimensions, so bot and outcome are dimensions and accounts, of which there are
thousands, are properties to search for with Logs Insights. What an alarm watches has no dimensions at all,
for an alarm cannot add up what it has to search for first.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from hub.model import Outcome, Report

log = logging.getLogger(__name__)

MOST_VALUES = 100  # of one metric in one line
MOST_ACCOUNTS = 50
TOTALS = ("Findings", "Failed", "Unreachable", "Throttled")
RULES_BROKEN = "RulesBroken"
_UNITS = dict.fromkeys((*TOTALS, RULES_BROKEN, "Runs", "Throttles", "Waiting"), "Count")
_UNITS |= dict.fromkeys(("Duration", "QueueAge"), "Seconds")


class MetricsSink:
    """Counts what is reported until `emit` writes it down and starts anew.

    Args:
        namespace: of the metrics; "" writes nothing.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._totals = Counter[str]()
        self._runs: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._accounts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    @property
    def name(self) -> str:
        return "metrics"

    async def publish(self, report: Report) -> None:
        if not self._namespace:
            return
        self._totals.update(_counted_as(report))
        for run in report.runs:
            outcome = run.outcome or Outcome.INTERRUPTED
            # The bot of an invalid run is any word somebody wrote into a finding, and each would be paid for.
            key = "invalid" if outcome is Outcome.INVALID else run.bot, str(outcome)
            self._runs[key].append(round(run.seconds, 3))
            self._accounts[key][run.account_id] += 1

    def rules_broken(self) -> None:
        """The rules file was looked at and could not be used, so older rules are in force."""
        self._totals[RULES_BROKEN] += 1

    def emit(self, **more: float) -> None:
        """Write one line about everything, one for each outcome and one for each bot and outcome.

        Args:
            more: ``Throttles`` since the last time, ``Waiting`` messages, ``QueueAge`` of the oldest.
        """
        if not self._namespace:
            return
        # Also the noughts: they show that the hub lives and has nothing to do.
        totals = {name: self._totals[name] for name in TOTALS}
        if broken := self._totals[RULES_BROKEN]:
            # Most hubs need never pay for this one.
            totals[RULES_BROKEN] = broken
        self._line({**totals, **more})
        ended = Counter[str]()
        for (bot, outcome), seconds in sorted(self._runs.items()):
            ended[outcome] += len(seconds)
            accounts = dict(self._accounts[bot, outcome].most_common(MOST_ACCOUNTS))
            for start in range(0, len(seconds), MOST_VALUES):
                some = seconds[start : start + MOST_VALUES]
                self._line(
                    {"Runs": len(some), "Duration": some},
                    {"Bot": bot, "Outcome": outcome},
                    {} if start else {"accounts": accounts},
                )
        for outcome, runs in sorted(ended.items()):
            self._line({"Runs": runs}, {"Outcome": outcome})
        self._totals.clear()
        self._runs.clear()
        self._accounts.clear()

    def _line(
        self,
        metrics: Mapping[str, float | list[float]],
        dimensions: Mapping[str, str] | None = None,
        properties: Mapping[str, object] | None = None,
    ) -> None:
        named = dict(dimensions or {})
        about = {
            "Namespace": self._namespace,
            "Dimensions": [list(named)],
            "Metrics": [{"Name": name, "Unit": _UNITS[name]} for name in metrics],
        }
        emf = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]}}
        log.info("metrics", extra={**emf, **named, **(properties or {}), **metrics})


def _counted_as(report: Report) -> Iterator[str]:
    """Each finding counts once, however many bots it named. ``Failed`` is all that did not end well."""
    outcomes = set(report.outcomes)
    yield "Findings"
    if report.error is not None or not all(outcome.well for outcome in outcomes):
        yield "Failed"
    if Outcome.UNREACHABLE in outcomes:
        yield "Unreachable"
    if Outcome.THROTTLED in outcomes:
        yield "Throttled"
