"""What a person says to a step that waits: who may say it, and that the first word counts.

Nothing is carried out here. The answer is written to the journal; whoever takes the run up again asks the guards
anew, also whether this person may say yes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.errors import HubError
from hub.flow import waiting
from hub.flow.kit import Kit
from hub.flow.resume import resumed_id, step_again
from hub.flow.waiting import Waiting
from hub.guards.approval import Approval, may_not
from hub.guards.saying import moment
from hub.model import Answer, Outcome, Run, Step

LONGEST_REASON = 1000  # characters
_TRIES = 5


class NotAnswered(HubError):
    """The answer does not count, and nothing was written. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked.

    Attributes:
        run: the run that waits, with what was there and what would be called.
        waits: whom or what it waits for.
    """

    run: Run
    waits: Waiting


async def question(kit: Kit, run_id: str) -> Question:
    """What is asked about this run.

    Raises:
        NotAnswered: nothing is, or somebody has answered already.
    """
    run = await kit.journal.get(run_id)
    if run is None:
        raise NotAnswered(f"the journal knows no run {run_id[:40]!r}; `hub waiting` lists those that wait")
    if run.outcome is not Outcome.WAITING:
        raise NotAnswered(f"run {run_id} does not wait: it {_ended(run)}")
    waits = await waiting.read(kit.journal, run_id)
    if waits is None:
        raise NotAnswered(await _gone_on(kit, run_id))
    if waits.answer is not None:
        said = "approved" if waits.answer.approved else "rejected"
        raise NotAnswered(
            f"{waits.answer.by} was faster and {said} run {run_id} at {moment(waits.answer.at)}: "
            f"{waits.answer.because}"
        )
    if await kit.journal.get(resumed_id(run_id, waits.attempt)) is not None:
        raise NotAnswered(await _gone_on(kit, run_id, waits.attempt))
    return Question(run=run, waits=waits)


async def answer(kit: Kit, asked: Question, *, approved: bool, because: str) -> Waiting:
    """Write down what the caller of this process says to it, as STS names the caller.

    Args:
        asked: as `question` gave it and the person has seen it.

    Raises:
        NotAnswered: the caller may not, it is too late, or somebody was faster.
        JournalUnwritable: it was not written.
    """
    said = Answer(
        approved=approved,
        by=(await kit.identity.caller())["Arn"],
        because=reason(because),
        at=kit.now(),
        requested_by=asked.waits.requested_by,
    )
    await _ensure_may(kit, asked, said)
    for _ in range(_TRIES):
        kept = await waiting.write(kit.journal, replace(asked.waits, answer=said))
        if kept is not None:
            return kept
        # Somebody has answered or taken it up, and then this says who; or only the queue was told meanwhile.
        asked = await question(kit, asked.run.run_id)
    raise NotAnswered(f"run {asked.run.run_id} is being worked on at this moment; look at it again")


def reason(because: str) -> str:
    """The reason on one line, without control characters.

    Raises:
        NotAnswered: nothing is left of it, or it is too long.
    """
    words = "".join(each if each.isprintable() else " " for each in because)
    text = " ".join(words.split())
    if not text:
        raise NotAnswered("a reason is needed, for whoever reads later why this was done")
    if len(text) > LONGEST_REASON:
        raise NotAnswered(f"the reason has {len(text):,} characters; at most {LONGEST_REASON:,} are kept")
    return text


async def _ensure_may(kit: Kit, asked: Question, said: Answer) -> None:
    run, waits = asked.run, asked.waits
    if waits.expires_at is not None and waits.expires_at <= said.at:
        raise NotAnswered(
            f"run {run.run_id} waited until {moment(waits.expires_at)}, which is over, so nothing "
            "will be changed; the finding asks again when it comes again"
        )
    if said.approved and waits.due_at is not None:
        raise NotAnswered(
            f"run {run.run_id} waits for no person but until {moment(waits.due_at)}: {waits.why}; "
            "it goes on by itself, and `hub reject` ends it"
        )
    step = await _step(kit, run)
    if step is None or step.problem is not None:
        if not said.approved:
            # There is nothing left that would be done, so nobody can be kept from saying no.
            return
        gone = "no rule asks for it any more" if step is None else step.problem
        raise NotAnswered(f"run {run.run_id} could not go on: {gone}; `hub reject` ends it")
    for guard in kit.change_guards:
        if isinstance(guard, Approval) and (wrong := may_not(said, guard.entry_for(step))):
            raise NotAnswered(
                f"run {run.run_id} was not {'approved' if said.approved else 'rejected'}: {wrong}"
            )


async def _step(kit: Kit, run: Run) -> Step | None:
    """The step as it would be taken up again by the rules of this moment."""
    step = await step_again(kit, run)
    if step is None or step.target is None:
        return step
    # The look may have found the resource elsewhere than the finding said.
    return replace(step, target=replace(step.target, region=run.region))


async def _gone_on(kit: Kit, run_id: str, attempt: int = 0) -> str:
    """What is said about a run that waits no more."""
    after = await kit.journal.get(resumed_id(run_id, attempt))
    if after is None:
        return f"run {run_id} does not wait any more"
    said = [word.why for word in after.verdicts or () if word.guard == Approval.name and word.why]
    words = "; ".join((_ended(after), *said[-1:]))
    return f"run {run_id} does not wait any more: it went on as run {after.run_id}, which {words}"


def _ended(run: Run) -> str:
    return f"ended {run.outcome}: {run.message}" if run.outcome is not None else "is being worked on"
