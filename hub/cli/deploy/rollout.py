"""A rollout of the spoke role: what was chosen is worked out, shown, asked about and done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bots._bot import Risk
from deploy.advice import advice
from deploy.errors import InputWrong
from deploy.instances import Missed
from deploy.names import PLAIN_STACK
from deploy.organization import (
    Organization,
    Standing,
    check_trusted_access,
    is_account_id,
    read_organization,
    standing,
)
from deploy.parameters import Values
from deploy.proposal import proposed
from deploy.removal import take_spokes_away
from deploy.session import Aws
from deploy.spokes import SERVICE_MANAGED, kept_roles, rendered, role_values, roll_out
from deploy.spokes_plan import Plan, Wish, plan
from deploy.stack_sets import Definition, StackSets
from hub.cli.bots import known_bots
from hub.cli.console import out, print_json
from hub.cli.counting import counted
from hub.cli.deploy import options
from hub.cli.deploy.change import StackChange
from hub.cli.deploy.conduct import insist, must_be_able_to_ask
from hub.cli.deploy.words import counted_accounts, missed_table, plan_lines, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the person chose.

    Attributes:
        units: OUs as they were named.
        again: accounts whose stack is taken away first, because it is not what CloudFormation believes.
        roles: of a self-managed StackSet; None for a service-managed one.
    """

    units: tuple[str, ...]
    accounts: tuple[str, ...]
    excluded: tuple[str, ...]
    again: tuple[str, ...]
    here: bool
    bots: tuple[str, ...] | None
    max_risk: Risk | None
    roles: Mapping[str, Any] | None

    def check(self) -> None:
        """
        Raises:
            InputWrong: the options contradict each other, or choose nothing.
        """
        if not (self.units or self.accounts or self.again or self.here):
            raise InputWrong("which accounts? give --ou, --account or --here")
        if self.roles is not None and self.units:
            raise InputWrong("a self-managed StackSet knows no OUs: list the accounts with --account")
        if set(self.again) & set(self.excluded):
            raise InputWrong("an account is either made --again or left out with --exclude")
        if self.excluded and not self.units:
            raise InputWrong("--exclude leaves accounts out of an --ou, and there is none")
        wrong = [each for each in (*self.accounts, *self.excluded, *self.again) if not is_account_id(each)]
        if wrong:
            raise InputWrong(f"{', '.join(wrong)}: an account id has 12 digits")


async def run(
    chosen: Chosen,
    given: options.Given,
    account: options.Account,
    manner: options.Manner,
    *,
    hub_stack: str,
    stack_set: str,
) -> int:
    """The whole command; its exit status."""
    must_be_able_to_ask(yes=manner.yes)
    chosen.check()
    parameters = given.read()
    template = rendered(chosen.bots, chosen.max_risk, known_bots())
    told: dict[str, Any] = {}
    missed: tuple[Missed, ...] = ()
    async with account.open() as aws:
        role = _Role(aws, template, parameters, hub_stack, manner)
        if chosen.units or chosen.accounts or chosen.again:
            told["stack_set"], missed = await role.everywhere(chosen, stack_set)
        if chosen.here:
            told["here"] = await role.here()
    if manner.as_json:
        print_json(told)
    return 1 if missed else 0


class _Role:
    """The role on its way, with the person who is asked about it."""

    def __init__(
        self, aws: Aws, template: str, given: Mapping[str, str], hub_stack: str, manner: options.Manner
    ) -> None:
        self._aws = aws
        self._template = template
        self._given = given
        self._hub_stack = hub_stack
        self._manner = manner

    async def _values(self, present: Mapping[str, str] | None) -> Values:
        return await role_values(self._aws, self._template, self._given, present, hub_stack=self._hub_stack)

    async def here(self) -> dict[str, Any]:
        """As a plain stack of this account."""
        change = StackChange(self._aws, PLAIN_STACK, yes=self._manner.yes, quiet=self._manner.as_json)
        before = await change.start()
        proposal = await proposed(
            self._aws,
            name=PLAIN_STACK,
            before=before,
            template={"TemplateBody": self._template},
            values=await self._values(before.parameters if before else None),
        )
        return (await change.settle(proposal)).facts

    async def everywhere(self, chosen: Chosen, name: str) -> tuple[dict[str, Any], tuple[Missed, ...]]:
        """By a StackSet."""
        stack_sets, who, organization = await self._organization(chosen, name)
        before = await self._before(stack_sets, chosen)
        values = await self._values(before.parameters if before else None)
        wish = Wish(
            units=tuple(organization.unit(each) for each in chosen.units) if organization else (),
            accounts=(*chosen.accounts, *chosen.again),
            excluded=chosen.excluded,
        )
        instances = await stack_sets.instances() if before else ()
        if unknown := set(chosen.again) - {each.account_id for each in instances}:
            raise InputWrong(f"StackSet {name} has no stack in {', '.join(sorted(unknown))} to make again")
        what = plan(
            wish,
            organization=organization,
            management_id=who.management_id if who else "",
            before=before,
            instances=[each for each in instances if each.account_id not in chosen.again],
            targeted=await stack_sets.units() if before and organization else (),
            template=self._template,
            values=values,
        )
        if not self._manner.as_json:
            if chosen.again:
                out().print(f"taken away first, and made anew: {', '.join(chosen.again)}", markup=False)
            for line in plan_lines(what, name):
                out().print(line)
        missed: tuple[Missed, ...] = ()
        if not what.does_nothing:
            insist("Go ahead?", yes=self._manner.yes)
            if chosen.again:
                await take_spokes_away(stack_sets, only=chosen.again)
            model = SERVICE_MANAGED if chosen.roles is None else kept_roles(chosen.roles, before)
            missed = await self._roll_out(stack_sets, what, values, model)
            self._say_end(what, missed, organization)
        facts = {**asdict(what), "name": name, "values": values.all, "missed": _facts(missed)}
        return facts, missed

    async def _organization(
        self, chosen: Chosen, name: str
    ) -> tuple[StackSets, Standing | None, Organization | None]:
        cloudformation = await self._aws.client("cloudformation")
        stack_sets = StackSets(cloudformation=cloudformation, name=name, patience=self._aws.patience)
        if chosen.roles is not None:
            return stack_sets, None, None
        who = await standing(self._aws)
        await check_trusted_access(self._aws, who)
        organization = await read_organization(self._aws)
        return replace(stack_sets, call_as=who.call_as), who, organization

    async def _before(self, stack_sets: StackSets, chosen: Chosen) -> Definition | None:
        """The StackSet once AWS is done with what it is doing to it."""
        before = await stack_sets.definition()
        if before is None:
            return None
        wanted = (chosen.roles or SERVICE_MANAGED)["PermissionModel"]
        if before.model != wanted:
            raise InputWrong(
                f"StackSet {stack_sets.name} is {before.model} and that cannot be changed: "
                "choose another --stack-set, or remove it first"
            )
        if await stack_sets.under_way() is not None:
            say("an operation is under way; it is waited for")
            with counted("waiting for it", shown=not self._manner.as_json) as count:
                await replace(stack_sets, count=count).wait_for_others()
        return await stack_sets.definition()

    async def _roll_out(
        self, stack_sets: StackSets, what: Plan, values: Values, model: Mapping[str, Any]
    ) -> tuple[Missed, ...]:
        with counted("accounts", shown=not self._manner.as_json) as count:
            try:
                return await roll_out(
                    replace(stack_sets, count=count),
                    what,
                    template=self._template,
                    values=values,
                    region=self._aws.region,
                    model=model,
                )
            except (asyncio.CancelledError, KeyboardInterrupt):
                say(
                    "AWS goes on by itself with the operation it has begun. `hub deploy status` shows how far "
                    "it is; the same command again does what is left."
                )
                raise

    def _say_end(self, what: Plan, missed: tuple[Missed, ...], organization: Organization | None) -> None:
        if self._manner.as_json:
            return
        names = {each.id: each.name for each in organization.accounts.values()} if organization else {}
        if missed:
            out().print(missed_table(missed, names))
        else:
            done = len({*what.new, *what.updated})
            out().print(
                f"done: {counted_accounts(done)}, permissions {what.permissions.after}", style="bold green"
            )


def _facts(missed: Iterable[Missed]) -> list[dict[str, str]]:
    return [{**asdict(each), "advice": advice(each.reason)} for each in missed]
