"""What the published report says about a run that waits, and about one that went on. Pure."""

from __future__ import annotations

from typing import Any

from hub.model import Decision, Outcome, Run


def waiting_words(run: Run) -> dict[str, Any]:
    """Keys and values for the run's entry; none for a run that neither waits nor has waited.

    ``Until`` and ``Expires at`` are times as ISO text; each is there only where it is known.
    """
    told: dict[str, Any] = {}
    if run.outcome is Outcome.WAITING:
        word = next((word for word in reversed(run.verdicts or ()) if word.decision is Decision.WAIT), None)
        until = word.until if word else None
        told["Waits for"] = "a person" if until is None else "a moment"
        told["Waits because of"] = word.guard if word else ""
        if until is not None:
            told["Until"] = until.isoformat()
        elif word and word.expires_at is not None:
            told["Expires at"] = word.expires_at.isoformat()
        reject = f"hub reject {run.run_id} --because ..."
        told["How"] = f"hub approve {run.run_id} --because ..., or {reject}" if until is None else reject
    if run.resumes is not None:
        told["Resumes"] = run.resumes
    if run.approved_by:
        told["Approved by"] = run.approved_by
    return told
