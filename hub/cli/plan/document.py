"""A planned step as one JSON document, without secrets. The pages for people are made of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.flow.looking import REST_UNKNOWN
from hub.flow.redaction import plain
from hub.flow.saved_plan import Plan, told_mark
from hub.model import Outcome, Run

SCHEMA = "remediation-hub/plan/1"


def step(run: Run, *, undo: str, redact: Callable[[str], str]) -> dict[str, Any]:
    """The step that this run would be.

    Args:
        undo: how far its bot's changes can be taken back, in its own words.
        redact: takes secrets out of a text.
    """
    outcome = run.outcome or Outcome.INTERRUPTED
    rest = [note.removeprefix(REST_UNKNOWN) for note in run.notes if note.startswith(REST_UNKNOWN)]
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run.run_id,
        "finding": {"key": run.finding_key, "rule": run.rule, "severity": run.severity},
        "account": run.account_id,
        "account_name": run.account_name,
        "region": run.region,
        "target": {"type": run.target_type, "id": run.target_id or run.entity_id or run.entity_name or ""},
        "bot": run.bot,
        "parameters": run.args,
        "suggested_policy": run.suggested_policy,
        "outcome": outcome.value,
        "meaning": outcome.meaning,
        "message": run.message,
        "notes": [note for note in run.notes if not note.startswith(REST_UNKNOWN)],
        "decided_by": run.decided_by or None,
        "guards": [
            {"guard": said.guard, "decision": said.decision.value, "why": said.why}
            for said in run.verdicts or ()
        ],
        "before": run.before,
        "calls": None if run.planned is None else [call._asdict() for call in run.planned],
        "calls_after_these": " ".join(rest) or None,
        "undo": {"degree": run.undo, "why": undo},
    }
    clean: dict[str, Any] = plain(told, redact)
    return clean


def head(kept: Plan) -> dict[str, Any]:
    """What is told of a saved plan besides its steps."""
    return {
        "schema": SCHEMA,
        "plan": kept.plan_id,
        "made": told_mark(kept.made),
        "hub": kept.hub,
        "good_until": kept.ends_at.isoformat(),
        "begun": told_mark(kept.begun),
        "applied": told_mark(kept.applied),
        "steps": len(kept.runs),
        "to_carry_out": sum(map(len, kept.groups)),
    }
