"""Changes that wait for a person's yes: what is dangerous and no rule allows, and what the file asks it for.

Whoever can write to the journal can write an answer there. So who may say yes is a matter of IAM in the first
place; the approvers of an entry narrow it down to those who call themselves so before STS.
"""

from __future__ import annotations

from hub.guards import CountsNothing, CurrentRules, Proposal
from hub.guards.saying import moment
from hub.guards.where import Entries, Fit, as_seen, deciding
from hub.model import Answer, Decision, Step, Verdict
from hub.rules import globs
from hub.rules.guard_model import ApprovalEntry

BY_DEFAULT = ApprovalEntry(line=0, comment="what is dangerous and no rule allows")


class Approval(CountsNothing):
    """Waits for a person, and lets pass what a person who may has said yes to."""

    name = "approval"

    def __init__(self, rules: CurrentRules) -> None:
        self._entries = Entries(rules, "approval", lambda found: found.approvals)

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        step = proposal.step
        fits = tuple(deciding(self._entries.about(as_seen(proposal))))
        why = _why(step, fits)
        if not why:
            return None
        # Of entries that may fit, the first: nobody shall say yes who may not.
        entry = fits[0].entry if fits else BY_DEFAULT
        wrong = ""
        if step.answer is not None and step.answer.approved:
            wrong = may_not(step.answer, entry)
            if not wrong:
                because = f"approved by {step.answer.by}: {step.answer.because}"
                return Verdict(decision=Decision.GO, guard=self.name, why=because)
        expires_at = proposal.now + entry.expires
        words = f"waits for a person: {why}" + (f"; {wrong}" if wrong else "")
        if proposal.only_asked:
            return Verdict(decision=Decision.WAIT, guard=self.name, why=words, expires_at=expires_at)
        return Verdict(
            decision=Decision.WAIT,
            guard=self.name,
            why=f"{words}; `hub approve {proposal.run.run_id} --because ...` or `hub reject`, until "
            f"{moment(expires_at)}",
            expires_at=expires_at,
        )

    def entry_for(self, step: Step) -> ApprovalEntry:
        """Who may say yes to a step that waits, and for how long."""
        fits = tuple(deciding(self._entries.about(step)))
        return fits[0].entry if fits else BY_DEFAULT


def may_not(answer: Answer, entry: ApprovalEntry) -> str:
    """Why this person's yes does not count, "" if it does."""
    if entry.approvers and not any(globs.compiled(each).match(answer.by) for each in entry.approvers):
        return f"{answer.by} is none of those who may approve ({', '.join(entry.approvers)})"
    if entry.four_eyes and answer.by == answer.requested_by:
        return f"{answer.by} asked for it, and four eyes are to see it"
    return ""


def _why(step: Step, fits: tuple[Fit[ApprovalEntry], ...]) -> str:
    if not fits:
        return step.needs_approval
    fit = fits[0]
    unknown = f", as {fit.unknown}" if fit.unknown else ""
    return f"{fit.place}: {fit.entry.comment}{unknown}"
