"""The same finding again while a step of it waits already: it does not wait twice, nor is it announced twice.

Redeliveries of one message are told by their occurrence, before any guard. This is about a scanner that reports the
same finding anew while the first report's step waits for a person or for a moment. Whoever makes a step wait says so
with `waits`. That is believed only while the run it names was closed as waiting and has its note on the shelf of
those that wait: when the waiting is over nobody needs to take it back, and nothing that got lost blocks anything.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from hub.guards import CountsNothing, Proposal
from hub.guards.rewriting import damaged, named, rewrite
from hub.guards.saying import clipped, moment
from hub.journals import Journal, Note
from hub.model import Decision, Outcome, Step, Verdict


@dataclass(frozen=True, slots=True)
class Repeat(CountsNothing):
    journal: Journal
    name: str = "repeat"

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """Refuse what waits already; not the run that goes on with the one that waited.

        Raises:
            JournalUnwritable: it cannot be read who waits.
        """
        step = proposal.step
        note = await self.journal.note(_name(step))
        if note is None:
            return None
        try:
            run_id, why, person = str(note.body["run"]), str(note.body["why"]), bool(note.body["person"])
        except (KeyError, TypeError) as error:
            raise damaged(note.name, error) from error
        if run_id in (step.resumes, step.run_id) or not await self._waits(run_id):
            return None
        until = moment(note.until)
        then = (
            f"`hub approve {run_id} --because ...` lets it go on, until {until}"
            if person
            else f"it is asked again at {until}"
        )
        return Verdict(
            decision=Decision.REFUSE,
            guard=self.name,
            why=f"this finding waits already, as run {run_id} ({clipped(why)}); {then}",
        )

    async def _waits(self, run_id: str) -> bool:
        if await self.journal.note(f"waiting/{run_id}") is None:
            return False
        run = await self.journal.get(run_id)
        return run is not None and run.outcome is Outcome.WAITING


async def waits(journal: Journal, step: Step, run_id: str, until: datetime, verdict: Verdict) -> None:
    """Say that a step waits. The latest word counts: a run that waits again takes the place of the one before it.

    Args:
        step: as it was judged, with the resource that was found.
        run_id: the run that waits; it has a note ``waiting/<run_id>`` by then.
        until: aware; when the waiting is over at the latest.
        verdict: the word that made it wait.

    Raises:
        JournalUnwritable: it is not written.
    """
    name = _name(step)
    body = {"run": run_id, "why": verdict.why, "person": verdict.until is None}
    await rewrite(journal, name, lambda _: Note(name=name, body=body, until=until))


def _name(step: Step) -> str:
    assert step.bot is not None
    action = step.action
    words = (step.finding.key, step.lane, step.bot.name, *action.args, action.suggested_policy or "")
    # The length goes first, so that no two lists of words run together into one text.
    text = "".join(f"{len(word)}:{word}" for word in words)
    return named("repeat", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
