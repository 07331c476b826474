"""What a person took back is not done again by the next finding, until the time that person chose is over.

Nothing but `lift` ends it sooner, not an approval either: whoever approves may know nothing of the undo.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime

from hub.guards import CountsNothing, Proposal
from hub.guards.resource_memory import Hold, Memory, Recall, remember
from hub.guards.saying import clipped, moment
from hub.journals import Journal
from hub.journals.rules import utc_now
from hub.model import Decision, Verdict


class TakenBack(CountsNothing):
    """``recall`` is shared with other guards that go by what is remembered of a resource."""

    name = "taken back"

    def __init__(self, recall: Recall) -> None:
        self._recall = recall

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """Refuse what is held.

        Raises:
            JournalUnwritable: it cannot be read what is held.
        """
        step = proposal.step
        assert step.bot is not None
        hold = (await self._recall.of(proposal)).holds.get(step.bot.name)
        if hold is None or hold.until <= proposal.now:
            return None
        return Verdict(
            decision=Decision.REFUSE,
            guard=self.name,
            why=f"{clipped(hold.by)} took back what {step.bot.name} did here, at {moment(hold.at)} because "
            f'"{clipped(hold.because)}", so it is not done again before {moment(hold.until)}; to have it '
            f"done sooner: `hub lift {shlex.quote(step.lane)} {step.bot.name}`",
        )


async def hold(
    journal: Journal,
    *,
    lane: str,
    bot: str,
    until: datetime,
    by: str,
    because: str,
    at: datetime | None = None,
) -> None:
    """Keep a bot off a resource. Said again, the last word counts.

    Args:
        lane: the resource, as `hub.model.Step.lane` tells it.
        bot: the bot's name.
        until: aware.
        by: who says so, as STS tells it.
        because: why, in that person's words.
        at: aware; None: now.

    Raises:
        JournalUnwritable: it is not kept.
    """
    said = Hold(by=by, because=because, at=at or utc_now(), until=until)

    def held(memory: Memory) -> Memory:
        return replace(memory, holds={**memory.holds, bot: said})

    await remember(journal, lane, held, until=until)


async def lift(journal: Journal, *, lane: str, bot: str) -> Hold | None:
    """Let the bot work on the resource again.

    Returns:
        What was held; None if nothing was.

    Raises:
        JournalUnwritable: it is still held.
    """
    lifted: Hold | None = None

    def freed(memory: Memory) -> Memory:
        nonlocal lifted
        rest = dict(memory.holds)
        lifted = rest.pop(bot, None)
        return replace(memory, holds=rest)

    await remember(journal, lane, freed)
    return lifted
