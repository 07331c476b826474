"""A stack's change on the command line: shown, asked about, made with its events told, or left for review."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from deploy.adoption import JOURNAL
from deploy.change_set import carry_out, discard
from deploy.proposal import REMAINS, Proposal, present
from deploy.session import Aws
from deploy.stack import Stack, delete_stack
from hub.cli.console import out
from hub.cli.deploy.conduct import insist
from hub.cli.deploy.words import changes_table, outputs_table, say, say_event, values_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How it ended.

    Attributes:
        facts: for machines.
        stack: the stack as it is now; None when its change was left for review.
        changed: whether anything was done.
    """

    facts: dict[str, Any]
    stack: Stack | None
    changed: bool


class StackChange:
    """One change of one stack, with the person who is asked about it."""

    def __init__(self, aws: Aws, name: str, *, yes: bool, quiet: bool) -> None:
        self._aws = aws
        self._name = name
        self._yes = yes
        self._quiet = quiet
        self._hear = None if quiet else say_event

    async def start(self) -> Stack | None:
        """The stack as it is; None when there is none, or what was left of an attempt was cleared away.

        Raises:
            Declined: what is left of a failed attempt is to stay.
        """
        stack = await present(self._aws, self._name)
        if stack is None:
            return None
        if stack.status == "REVIEW_IN_PROGRESS":
            say(f"stack {self._name} is a change set nobody executed; it is made anew")
        elif stack.status in REMAINS:
            say(f"stack {self._name} is what is left of an attempt that failed ({stack.status})")
            insist("It has to be deleted first. Delete it?", yes=self._yes)
        else:
            return stack
        await delete_stack(
            await self._aws.client("cloudformation"),
            stack.id,
            patience=self._aws.patience,
            hear=self._hear,
        )
        return None

    async def settle(
        self, proposal: Proposal, *, first: Callable[[], Awaitable[object]] | None = None, only: bool = False
    ) -> Settled:
        """Show the change, ask, and make it.

        Args:
            first: what has to be done before, once the person has agreed.
            only: do not make it, leave the change set.

        Raises:
            Declined: the person says no.
            DeploymentFailed: AWS took it back.
        """
        if proposal.values.kept and not self._quiet:
            say(f"kept as the stack has them: {', '.join(sorted(proposal.values.kept))}")
        change_set = proposal.change_set
        if change_set is None:
            assert proposal.before is not None
            return self._nothing(proposal.before)
        cloudformation = await self._aws.client("cloudformation")
        try:
            if not self._quiet:
                if proposal.imports:
                    say("a former hub has left this behind; it is taken into the new stack first, as it is")
                self._show(proposal)
            insist("Make these changes?", yes=self._yes or only)
            if first is not None:
                await first()
        except BaseException:
            # Whatever it was, Ctrl-C too: a change nobody wants is not left for somebody to execute.
            await discard(cloudformation, change_set, patience=self._aws.patience)
            raise
        if only:
            return self._left_for_review(proposal)
        try:
            after = await carry_out(cloudformation, change_set, patience=self._aws.patience, hear=self._hear)
        except (asyncio.CancelledError, KeyboardInterrupt):
            say(f"AWS goes on by itself; `hub deploy status` shows how stack {self._name} ends")
            raise
        if not self._quiet:
            if after.outputs:
                out().print(outputs_table(after.outputs.items()))
            out().print(f"stack {after.name}: {after.status}", style="bold green", markup=False)
        return Settled(
            facts={**_facts(proposal), "status": after.status, "outputs": dict(after.outputs)},
            stack=after,
            changed=True,
        )

    def _nothing(self, stack: Stack) -> Settled:
        if not self._quiet:
            out().print(f"nothing to change: stack {stack.name} is as asked ({stack.status})", markup=False)
        facts = {"stack": stack.name, "changes": [], "status": stack.status, "outputs": dict(stack.outputs)}
        return Settled(facts=facts, stack=stack, changed=False)

    def _show(self, proposal: Proposal) -> None:
        assert proposal.change_set is not None
        if values := values_table(proposal):
            out().print(values)
        if proposal.before is None:
            say("all other parameters have the template's defaults")
        changes = proposal.change_set.changes
        out().print(changes_table(changes))
        if any(change.resource == JOURNAL and change.replacement == "True" for change in changes):
            text = "The journal is replaced by an empty one: this hub can undo nothing of what it has done so far."
            out().print(text, style="bold red")

    def _left_for_review(self, proposal: Proposal) -> Settled:
        change_set = proposal.change_set
        assert change_set is not None
        execute = (
            "aws cloudformation execute-change-set "
            f"--region {self._aws.region} --change-set-name {change_set.arn}"
        )
        if not self._quiet:
            out().print(f"change set {change_set.name} waits for review; nothing was changed. To execute it:")
            out().print(f"  {execute}", markup=False, soft_wrap=True)
        return Settled(
            facts={**_facts(proposal), "status": "proposed", "execute": execute}, stack=None, changed=False
        )


def _facts(proposal: Proposal) -> dict[str, Any]:
    change_set = proposal.change_set
    assert change_set is not None
    return {
        "stack": change_set.stack_name,
        "change_set": change_set.arn,
        "changes": [asdict(change) for change in change_set.changes],
        "parameters": proposal.values.all,
        "kept": sorted(proposal.values.kept),
        "made": list(proposal.made),
    }
