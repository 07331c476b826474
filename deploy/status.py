"""Where hub and spoke roles are: what AWS has, held against what this version would put there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bots._bot import Risk
from bots._catalogue import Catalogue
from deploy.instances import Instance
from deploy.organization import Organization, Standing, administered, read_organization
from deploy.permissions import bots_of, version
from deploy.session import Aws
from deploy.spokes import rendered
from deploy.stack import Stack, find
from deploy.stack_sets import Definition, StackSets
from deploy.template import differences, hub_template, parse
from spoke_role.policy import select

CURRENT = "current"
# Nobody can do anything there.
SUSPENDED = "suspended"
# In an OU whose accounts get the role by themselves, without it: it was excluded, or has only just come.
WITHOUT = "without"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """A stack, and what of its template is not as this version has it."""

    stack: Stack
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """How the role is in one account. ``state`` is CURRENT, SUSPENDED, WITHOUT or AWS's word in lower case."""

    account_id: str
    name: str
    unit: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokesState:
    """The StackSet.

    Attributes:
        permissions: the version of its template; ``wanted`` the one this version has for the same choice.
        lacking: bots of this version it does not allow all they need.
        under_way: whether AWS is at work on it.
    """

    name: str
    model: str
    permissions: str
    wanted: str
    lacking: tuple[str, ...]
    under_way: bool
    accounts: tuple[AccountState, ...]

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """By OU and state, how many accounts."""
        found: dict[str, Counter[str]] = {}
        for each in self.accounts:
            found.setdefault(each.unit, Counter())[each.state] += 1
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything as seen from one account.

    Attributes:
        plain: the spoke role of this account as a plain stack.
        unseen: why the StackSet could not be looked at; "" when it could.
    """

    hub: StackState | None
    plain: StackState | None
    spokes: SpokesState | None
    unseen: str

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as it should be, and what to do; a line for each."""
        found = []
        if self.hub is None and self.spokes is None and self.plain is None:
            found.append("nothing is deployed here: `hub deploy hub` makes the hub's stack")
        for state, command in ((self.hub, "hub deploy hub"), (self.plain, "hub deploy spokes --here")):
            if state is not None and not state.stack.well:
                found.append(
                    f"stack {state.stack.name} is {state.stack.status}: {state.stack.reason or command}"
                )
            elif state is not None and state.differs:
                found.append(
                    f"stack {state.stack.name} is of another version: `{command}` brings it up to date"
                )
        if self.spokes is not None:
            found += self._of_spokes(self.spokes)
        return tuple(found)

    @staticmethod
    def _of_spokes(spokes: SpokesState) -> list[str]:
        found = []
        if spokes.permissions != spokes.wanted:
            found.append(
                f"the spoke roles have permissions {spokes.permissions}, this version {spokes.wanted}: "
                "`hub deploy spokes` brings them up to date"
            )
        behind = sum(each.state not in (CURRENT, WITHOUT, SUSPENDED) for each in spokes.accounts)
        if behind:
            found.append(
                f"{behind} of {len(spokes.accounts)} accounts do not have the role as they should: "
                "run `hub deploy spokes` again"
            )
        return found


async def look(
    aws: Aws,
    *,
    hub_stack: str,
    plain_stack: str,
    stack_set: str,
    meant: Sequence[str],
) -> Status:
    """Look at everything this account can see.

    Args:
        meant: templates the spoke roles may be of, see `meant_for`.

    Raises:
        DeploymentFailed: AWS does not tell.
    """
    spokes, unseen = await _spokes(aws, stack_set, meant)
    return Status(
        hub=await _stack(aws, hub_stack, [hub_template()]),
        plain=await _stack(aws, plain_stack, meant),
        spokes=spokes,
        unseen=unseen,
    )


async def _stack(aws: Aws, name: str, templates: Iterable[str]) -> StackState | None:
    cloudformation = await aws.client("cloudformation")
    stack = await find(cloudformation, name)
    if stack is None:
        return None
    if stack.status == "REVIEW_IN_PROGRESS":
        return StackState(stack=stack, differs=())
    there = (await cloudformation.get_template(StackName=name, TemplateStage="Original"))["TemplateBody"]
    differs = min((differences(there, text) for text in templates), key=len)
    return StackState(stack=stack, differs=differs)


def meant_for(bots: Sequence[str] | None, max_risk: Risk | None, catalogue: Catalogue) -> tuple[str, ...]:
    """What the role's template may be: for the chosen bots, else for all, or for those up to some risk.

    Raises:
        InputWrong: there is no such bot, or their permissions do not fit.
    """
    if bots is not None or max_risk is not None:
        return (rendered(bots, max_risk, catalogue),)
    # From all of them down; some risks may choose the same bots.
    choices = {tuple(bot.name for bot in select(max_risk=risk, catalogue=catalogue)): risk for risk in Risk}
    return tuple(rendered(None, risk, catalogue) for names, risk in reversed(choices.items()) if names)


async def _spokes(aws: Aws, name: str, meant: Sequence[str]) -> tuple[SpokesState | None, str]:
    seen = await administered(aws, name)
    before = await seen.stack_sets.definition()
    if before is None:
        return None, seen.unseen
    organization = await read_organization(aws) if seen.who else None
    return await _state(seen.stack_sets, before, organization, seen.who, meant), ""


async def _state(
    stack_sets: StackSets,
    there: Definition,
    organization: Organization | None,
    who: Standing | None,
    templates: Sequence[str],
) -> SpokesState:
    deployed = parse(there.template)
    permissions = version(deployed)
    versions = [version(parse(text)) for text in templates]
    every = select()
    allowed = bots_of(deployed, every)
    instances = await stack_sets.instances()
    accounts = [_account(each, organization) for each in instances]
    if organization is not None and who is not None:
        known = {each.account_id for each in instances}
        accounts += _without(organization, await stack_sets.units(), known | {who.management_id})
    return SpokesState(
        name=stack_sets.name,
        model=there.model,
        permissions=permissions,
        wanted=permissions if permissions in versions else versions[0],
        lacking=tuple(bot.name for bot in every if bot.name not in allowed),
        under_way=await stack_sets.under_way() is not None,
        accounts=tuple(sorted(accounts, key=lambda each: (each.unit, each.account_id))),
    )


def _account(instance: Instance, organization: Organization | None) -> AccountState:
    account = organization.accounts.get(instance.account_id) if organization else None
    unit = organization.units[account.unit_id].path if organization and account else ""
    return AccountState(
        account_id=instance.account_id,
        name=account.name if account else "",
        unit=unit,
        state=SUSPENDED if instance.suspended else instance.status.lower(),
        reason=instance.reason if instance.behind else "",
    )


def _without(organization: Organization, units: Iterable[str], known: set[str]) -> list[AccountState]:
    found: dict[str, AccountState] = {}
    for unit_id in units:
        for account in organization.below(organization.units[unit_id]):
            if account.id not in known and account.active:
                path = organization.units[account.unit_id].path
                found[account.id] = AccountState(
                    account_id=account.id, name=account.name, unit=path, state=WITHOUT
                )
    return list(found.values())


def document(status: Status) -> dict[str, Any]:
    """The status as JSON."""

    def of(state: StackState | None) -> dict[str, Any] | None:
        if state is None:
            return None
        stack = state.stack
        return {
            "stack": stack.name,
            "status": stack.status,
            "reason": stack.reason,
            "differs": list(state.differs),
            "outputs": dict(stack.outputs),
            "parameters": dict(stack.parameters),
        }

    spokes = status.spokes
    return {
        "hub": of(status.hub),
        "here": of(status.plain),
        "spokes": None
        if spokes is None
        else {
            "stack_set": spokes.name,
            "model": spokes.model,
            "permissions": spokes.permissions,
            "wanted": spokes.wanted,
            "lacking": list(spokes.lacking),
            "under_way": spokes.under_way,
            "counts": {unit: dict(counts) for unit, counts in spokes.counts.items()},
            "accounts": [
                {name: getattr(each, name) for name in ("account_id", "name", "unit", "state", "reason")}
                for each in spokes.accounts
            ],
        },
        "unseen": status.unseen,
        "problems": list(status.problems),
    }
