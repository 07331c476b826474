"""A removal step by step. Each step is right whether or not an earlier run has done it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rich.text import Text

from deploy.errors import InputWrong
from deploy.instances import Missed
from deploy.names import ARCHIVE_STACK, PLAIN_STACK
from deploy.organization import administered
from deploy.removal import Kept, delete_journal, delete_queue, kept_by, take_spokes_away, waiting
from deploy.session import Aws
from deploy.stack import delete_stack, find
from deploy.stack_sets import StackSets
from hub.cli.console import out, print_json
from hub.cli.counting import counted
from hub.cli.deploy import options
from hub.cli.deploy.conduct import Declined, answer, insist, must_be_able_to_ask
from hub.cli.deploy.words import counted_accounts, listed, missed_table, say, say_event


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the person chose."""

    hub_stack: str
    stack_set: str
    spokes_only: bool
    accounts: tuple[str, ...]
    retained: tuple[str, ...]
    journal_too: bool
    journal_agreed: bool

    @property
    def everything(self) -> bool:
        """Whether the hub goes, too."""
        return not self.spokes_only and not self.accounts

    def check(self) -> None:
        """
        Raises:
            InputWrong: the options contradict each other.
        """
        if self.journal_too and not self.everything:
            raise InputWrong("--spokes-only and --account leave the hub as it is, and its journal with it")
        if self.journal_agreed and not self.journal_too:
            raise InputWrong("--yes-delete-journal goes with --journal-too")


async def run(chosen: Chosen, account: options.Account, manner: options.Manner) -> int:
    """The whole command; its exit status."""
    must_be_able_to_ask(yes=manner.yes)
    if chosen.journal_too and not chosen.journal_agreed:
        must_be_able_to_ask(yes=False)
    chosen.check()
    async with account.open() as aws:
        removal = _Removal(aws, chosen, manner)
        status = await removal.run()
    if manner.as_json:
        print_json(removal.told)
    return status


class _Removal:
    """One run, with the person who is asked about it."""

    def __init__(self, aws: Aws, chosen: Chosen, manner: options.Manner) -> None:
        self.told: dict[str, Any] = {"removed": [], "kept": {}, "missed": []}
        self._aws = aws
        self._chosen = chosen
        self._manner = manner
        self._hear = None if manner.as_json else say_event

    async def run(self) -> int:
        stack_sets = await self._stack_sets()
        plain, hub = await self._stacks()
        kept = await kept_by(self._aws, self._chosen.hub_stack) if self._chosen.everything else Kept()
        if not await self._agreed(stack_sets, [*plain, *hub], kept):
            self._say("nothing is deployed here")
            return 0
        if stack_sets is not None:
            missed = await self._spokes(stack_sets)
            if missed:
                return self._stopped(missed)
        for name in (*plain, *hub):
            await self._stack(name)
        if self._chosen.everything:
            await self._what_is_kept(kept)
        return 0

    async def _stack_sets(self) -> StackSets | None:
        """The StackSet, if it is there and this account administers it."""
        seen = await administered(self._aws, self._chosen.stack_set)
        if seen.unseen:
            self._say(f"StackSets of the organization are not seen from here: {seen.unseen}")
        return seen.stack_sets if await seen.stack_sets.definition() is not None else None

    async def _stacks(self) -> tuple[list[str], list[str]]:
        cloudformation = await self._aws.client("cloudformation")
        names = [] if self._chosen.accounts else [PLAIN_STACK]
        names += [ARCHIVE_STACK, self._chosen.hub_stack] if self._chosen.everything else []
        there = [name for name in names if await find(cloudformation, name) is not None]
        return [n for n in there if n == PLAIN_STACK], [n for n in there if n != PLAIN_STACK]

    async def _agreed(self, stack_sets: StackSets | None, stacks: Sequence[str], kept: Kept) -> bool:
        """Say what will go and ask; False when there is nothing."""
        what = []
        if stack_sets is not None:
            what.append(await self._of_accounts(stack_sets))
        what += [f"stack {name}" for name in stacks]
        if self._chosen.journal_too and kept.journal:
            what.append(f"table {kept.journal}, the journal: nothing that was fixed can be undone any more")
        if not what and not kept.dead_letters:
            return False
        if not self._manner.as_json:
            out().print("Will be deleted:", style="bold")
            for line in what:
                out().print(f"  {line}", markup=False)
        insist("Delete all this?", yes=self._manner.yes)
        if self._chosen.journal_too and not self._chosen.journal_agreed:
            self._insist_on_the_journal(kept.journal)
        return True

    async def _of_accounts(self, stack_sets: StackSets) -> str:
        if self._chosen.accounts:
            return f"the spoke role in {listed(self._chosen.accounts)}"
        count = len({each.account_id for each in await stack_sets.instances()})
        return f"the spoke role in {counted_accounts(count)}, and StackSet {stack_sets.name}"

    @staticmethod
    def _insist_on_the_journal(table: str) -> None:
        """A yes is said quickly; a name is not."""
        if table and answer("Type the table's name to delete the journal for good: ").strip() != table:
            say(f"that is not {table}")
            raise Declined

    async def _spokes(self, stack_sets: StackSets) -> tuple[Missed, ...]:
        with counted("accounts", shown=not self._manner.as_json) as count:
            try:
                missed = await take_spokes_away(
                    replace(stack_sets, count=count),
                    retained=self._chosen.retained,
                    only=self._chosen.accounts,
                )
            except (asyncio.CancelledError, KeyboardInterrupt):
                say(
                    "AWS goes on by itself with the operation it has begun; the same command does what is left."
                )
                raise
        if not missed:
            of_some = f"the spoke role in {listed(self._chosen.accounts)}"
            self._removed(of_some if self._chosen.accounts else f"StackSet {stack_sets.name}")
        return missed

    def _stopped(self, missed: tuple[Missed, ...]) -> int:
        self.told["missed"] = [asdict(each) for each in missed]
        if not self._manner.as_json:
            out().print(missed_table(missed, {}))
        self._say(
            "the hub stays until no account is left; --retain ACCOUNT lets go of one that cannot be entered"
        )
        return 1

    async def _stack(self, name: str) -> None:
        await delete_stack(
            await self._aws.client("cloudformation"), name, patience=self._aws.patience, hear=self._hear
        )
        self._removed(f"stack {name}")

    async def _what_is_kept(self, kept: Kept) -> None:
        if kept.journal and self._chosen.journal_too:
            await delete_journal(self._aws, kept.journal)
            self._removed(f"table {kept.journal}")
        elif kept.journal:
            self._keeps("journal", kept.journal, "the journal, protected against deletion")
        await self._dead_letters(kept.dead_letters)
        # What a stack keeps, AWS tells once it is gone.
        for kind, name in (await kept_by(self._aws, self._chosen.hub_stack)).others:
            self._keeps(kind, name, kind)

    async def _dead_letters(self, url: str) -> None:
        """An empty queue is of no use to anybody; findings nobody has looked at are."""
        count = await waiting(self._aws, url)
        if count is None:
            return
        if count and not self._chosen.journal_too:
            self._keeps("dead_letters", url, f"the dead-letter queue, with about {count} messages")
            return
        await delete_queue(self._aws, url)
        self._removed(f"queue {url}")

    def _removed(self, what: str) -> None:
        self.told["removed"].append(what)
        if not self._manner.as_json:
            out().print(Text(f"deleted {what}", style="green"))

    def _keeps(self, key: str, name: str, what: str) -> None:
        self.told["kept"][key] = name
        if not self._manner.as_json:
            out().print(Text(f"kept {name}: {what}", style="yellow"))

    def _say(self, text: str) -> None:
        if not self._manner.as_json:
            say(text)
