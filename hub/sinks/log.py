"""Writes one line to the log for each report: which, about what, and how it ended."""

from __future__ import annotations

import logging
from collections import Counter

from hub.flow.report import attributes, document
from hub.model import Report

log = logging.getLogger(__name__)

MAX_RUNS = 50  # a line of a log has to stay a line
MAX_CHARACTERS = 1000


class LogSink:
    """The log as a place for reports. A warning when something failed, else an information.

    Messages and snapshots stay out of it: the journal has them.
    """

    @property
    def name(self) -> str:
        return "log"

    async def publish(self, report: Report) -> None:
        told = document(report)
        entries = told["Rules violations found"]
        status = attributes(report)["status"]
        extra: dict[str, object] = {
            "report": report.report_id,
            "finding": _short(told["findingKey"]),
            "account": _short(told["Account id"]),
            "status": status,
            "outcomes": dict(Counter(entry["Outcome"] for entry in entries)),
            "bots": [_short(bot) for bot in dict.fromkeys(entry["Remediation"] for entry in entries)][
                :MAX_RUNS
            ],
            "runs": [entry["Run"] for entry in entries[:MAX_RUNS]],
            "changed": sum(entry["Changed"] for entry in entries),
        }
        if report.error is not None:
            extra["error"] = _short(told["Handle event failed"])
        log.log(logging.WARNING if status == "failed" else logging.INFO, "report", extra=extra)


def _short(value: str) -> str:
    return value if len(value) <= MAX_CHARACTERS else value[:MAX_CHARACTERS] + "…"
