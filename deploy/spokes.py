"""Brings the spoke role into accounts: by a StackSet, or as a plain stack where no StackSet reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bots._bot import Risk
from bots._catalogue import BrokenBot, Catalogue, UnknownBot
from deploy.calls import PATIENCE, Patience
from deploy.errors import InputWrong, ParametersWrong
from deploy.instances import Missed, Target
from deploy.next_steps import spoke_parameters
from deploy.parameters import Values, settle
from deploy.session import Aws
from deploy.spokes_plan import Plan
from deploy.stack import find
from deploy.stack_sets import CallAs, Definition, StackSets
from deploy.template import parse
from spoke_role import template as role
from spoke_role.documents import TooLarge
from spoke_role.policy import select

SERVICE_MANAGED: Mapping[str, Any] = {
    "PermissionModel": "SERVICE_MANAGED",
    "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
}


def self_managed(*, admin_role: str = "", execution_role: str = "") -> dict[str, Any]:
    """What makes a StackSet enter accounts by roles that are there already, instead of the organization's.

    Args:
        admin_role: ARN; AWS's usual one when "".
        execution_role: name; AWS's usual one when "".
    """
    roles = {"AdministrationRoleARN": admin_role, "ExecutionRoleName": execution_role}
    return {"PermissionModel": "SELF_MANAGED", **{key: value for key, value in roles.items() if value}}


def kept_roles(chosen: Mapping[str, Any], before: Definition | None) -> dict[str, Any]:
    """The roles of a self-managed StackSet: as chosen, else as it has them."""
    if before is None:
        return dict(chosen)
    return self_managed(admin_role=before.admin_role, execution_role=before.execution_role) | dict(chosen)


def rendered(bots: Sequence[str] | None, max_risk: Risk | None, catalogue: Catalogue) -> str:
    """The role's template for the chosen bots; for all but the optional ones when nobody chose.

    Raises:
        InputWrong: there is no such bot, none is left, or their permissions do not fit.
    """
    try:
        chosen = select(bots, max_risk, catalogue)
        if not chosen:
            raise InputWrong("no bot is left; a role that may do nothing is of no use")
        return role.render(chosen)
    except (UnknownBot, BrokenBot, TooLarge, role.TooLong) as error:
        raise InputWrong(str(error)) from error


async def role_values(
    aws: Aws, template: str, given: Mapping[str, str], present: Mapping[str, str] | None, *, hub_stack: str
) -> Values:
    """What the role's parameters will be: as given, else as the hub's stack of this account says, else as
    they are.

    Raises:
        ParametersWrong: they do not fit, or one is known from nowhere.
    """
    hub = await find(await aws.client("cloudformation"), hub_stack)
    told: dict[str, str] = {}
    if hub is not None and "HubRoleName" in hub.outputs:
        told = spoke_parameters(hub, await aws.account_id())
    try:
        return settle(parse(template), {**told, **given}, present)
    except ParametersWrong as error:
        if told or present:
            raise
        hint = (
            f"there is no hub's stack {hub_stack} in account {await aws.account_id()}, {aws.region}, to know it "
            "from: run this in the hub's account and region, or give each with -P"
        )
        raise ParametersWrong([*error.problems, hint]) from error


async def roll_out(
    stack_sets: StackSets,
    what: Plan,
    *,
    template: str,
    values: Values,
    region: str,
    model: Mapping[str, Any] = SERVICE_MANAGED,
) -> tuple[Missed, ...]:
    """Do what the plan says; accounts that do not have the role as they should, and why.

    Raises:
        DeploymentFailed: AWS refused the whole operation, stopped it or took too long.
    """
    missed: list[Missed] = []
    if what.definition == "create":
        await stack_sets.create(template, values.request, **model)
    elif what.definition == "update":
        missed += await stack_sets.update(template, values.request, **model)
    for target, home in what.again:
        missed += await stack_sets.refresh(target, home)
    for target in what.added:
        missed += await stack_sets.add(target, region)
    _, still = await _as_it_is(stack_sets, missed)
    return still


async def _as_it_is(
    stack_sets: StackSets, missed: Iterable[Missed]
) -> tuple[tuple[str, ...], tuple[Missed, ...]]:
    """Accounts that have the role, and those that do not: a later operation may have mended what an
    earlier one missed."""
    found = {(each.account_id, each.region): each for each in missed}
    landed = set()
    for instance in await stack_sets.instances():
        place = (instance.account_id, instance.region)
        if instance.current:
            landed.add(instance.account_id)
        if not instance.behind:
            found.pop(place, None)
        else:
            reason = instance.reason or instance.status.lower()
            found.setdefault(place, Missed(account_id=place[0], region=place[1], reason=reason))
    return tuple(sorted(landed)), tuple(found[place] for place in sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Where the spoke role is now. ``accounts`` have it as it should be."""

    accounts: tuple[str, ...]
    missed: tuple[Missed, ...]


async def deploy_spokes(
    cloudformation: Any,
    *,
    template: str,
    name: str,
    parameters: Mapping[str, str],
    organizational_units: Sequence[str],
    region: str,
    call_as: CallAs = "SELF",
    patience: Patience = PATIENCE,
) -> Rollout:
    """Bring the spoke role into every account of the OUs and of the OUs below them, now and in future,
    without looking first.

    Args:
        organizational_units: ids (``ou-...``, or the root's ``r-...``). The management account is in
            none of them for StackSets.
        region: where the stacks live. The role itself is global, so one region is enough.
        call_as: DELEGATED_ADMIN when this account administers StackSets for the management account.

    Raises:
        DeploymentFailed: AWS refused the whole operation, stopped it or took too long. Single accounts
            that failed do not raise; they are in the answer.
    """
    stack_sets = StackSets(cloudformation=cloudformation, name=name, call_as=call_as, patience=patience)
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())]
    missed: list[Missed] = []
    if await stack_sets.definition() is None:
        await stack_sets.create(template, given, **SERVICE_MANAGED)
    else:
        missed += await stack_sets.update(template, given, **SERVICE_MANAGED)
    missed += await stack_sets.add(Target(units=tuple(organizational_units)), region)
    accounts, still = await _as_it_is(stack_sets, missed)
    return Rollout(accounts=accounts, missed=still)
