"""A StackSet, its instances, and which accounts a request means."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import cloudformation_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.cloudformation import organization
from tests.fake_aws.cloudformation.answers import Refused
from tests.fake_aws.cloudformation.organization import Organization
from tests.fake_aws.wire import Call

if TYPE_CHECKING:
    from tests.fake_aws.cloudformation.operations import Operation

ADMINISTRATION = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION = "AWSCloudFormationStackSetExecutionRole"
_UNIT = re.compile(r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}")

Place = tuple[str, str]  # account, region


@dataclass(slots=True, kw_only=True)
class Instance:
    """A stack of the set in an account and region, or that there ought to be one."""

    account_id: str
    region: str
    unit: str | None
    stack_id: str = ""
    status: str = "OUTDATED"
    detail: str = "PENDING"
    reason: str = ""
    overrides: dict[str, str] = field(default_factory=dict)
    operation_id: str = ""


@dataclass(slots=True, kw_only=True)
class StackSet:
    """Kept where moto keeps its own. ``units`` are the targeted ones, each with its regions."""

    name: str
    id: str
    account_id: str
    region: str
    template: str
    parameters: dict[str, str]
    tags: dict[str, str]
    capabilities: list[str]
    description: str
    permission_model: str
    auto_deployment: dict[str, bool]
    administration_role_arn: str
    execution_role_name: str
    status: str = "ACTIVE"
    units: dict[str, set[str]] = field(default_factory=dict)
    instances: dict[Place, Instance] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)

    @property
    def arn(self) -> str:
        start = f"arn:{get_partition(self.region)}:cloudformation:{self.region}:{self.account_id}"
        return f"{start}:stackset/{self.id}"

    @property
    def service_managed(self) -> bool:
        return self.permission_model == "SERVICE_MANAGED"

    @property
    def organization(self) -> Organization:
        found = organization.of(self.account_id, self.region)
        assert found is not None, "its account has left the organization"
        return found


def sets_of(account_id: str, region: str) -> dict[str, StackSet]:
    """By id, deleted ones among them."""
    found: dict[str, StackSet] = cloudformation_backends[account_id][region].stacksets
    return found


def home(call: Call) -> str:
    """The account whose StackSets the caller works on.

    Raises:
        Refused: it is no delegated administrator.
    """
    if call.params.get("CallAs") == "DELEGATED_ADMIN":
        return organization.acting_for(call).management
    return call.account_id


def named(call: Call) -> StackSet:
    """The StackSet a call is about.

    Raises:
        Refused: there is none of that name, or the caller may not work on it.
    """
    wanted, account = call.params["StackSetName"], home(call)
    for each in sets_of(account, call.region).values():
        if wanted in (each.id, each.arn) or (wanted == each.name and each.status == "ACTIVE"):
            if each.service_managed:
                organization.acting_for(call)
            elif account != call.account_id:
                break
            return each
    raise Refused(f"StackSet {wanted} not found", "StackSetNotFoundException", 404)


def new_id(name: str) -> str:
    return f"{name}:{uuid.uuid4()}"


# --- which accounts


@dataclass(frozen=True, slots=True)
class Targets:
    """The accounts a request means, each with the targeted unit it is in."""

    accounts: dict[str, str | None]
    units: tuple[str, ...] = ()
    only_some: bool = False

    def places(self, regions: list[str]) -> Iterator[Place]:
        for region in regions:
            for account in self.accounts:
                yield account, region


def targets_of(stack_set: StackSet, params: Mapping[str, Any], action: str) -> Targets:
    """
    Raises:
        Refused: not a way to name accounts of this kind of StackSet.
    """
    asked = params.get("DeploymentTargets") or {}
    if not stack_set.service_managed:
        if asked.get("OrganizationalUnitIds"):
            raise Refused("StackSets with SELF_MANAGED permission model can only have accounts as target")
        accounts = [*(params.get("Accounts") or ()), *(asked.get("Accounts") or ())]
        return Targets(dict.fromkeys(accounts))
    if params.get("Accounts"):
        text = "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target"
        raise Refused(text)
    units, accounts = tuple(asked.get("OrganizationalUnitIds") or ()), asked.get("Accounts") or []
    if not units and action != "UPDATE":
        raise Refused("OrganizationalUnitIds are required")
    for unit in units:
        if _UNIT.fullmatch(unit) is None:
            raise Refused(
                f"1 validation error detected: Value '[{unit}]' at 'deploymentTargets.organizationalUnitIds' "
                f"failed to satisfy constraint: Member must satisfy regular expression pattern: {_UNIT.pattern}"
            )
    stack_set.organization.check_units(units)
    return _filtered(stack_set, units, accounts, asked.get("AccountFilterType"), action)


def _filtered(
    stack_set: StackSet, units: tuple[str, ...], accounts: list[str], kind: str | None, action: str
) -> Targets:
    here = stack_set.organization
    inside: dict[str, str | None] = {
        each: unit for each in here.accounts() if (unit := here.unit_among(each, units))
    }
    if action != "CREATE":
        # Accounts that have gone elsewhere still have what they were given.
        inside |= {place[0]: each.unit for place, each in stack_set.instances.items() if each.unit in units}
    match kind or ("UNION" if accounts else "NONE"):
        case "NONE":
            if accounts:
                raise Refused("Accounts need an AccountFilterType other than NONE")
            return Targets(inside, units)
        case "INTERSECTION":
            return Targets({each: inside[each] for each in accounts if each in inside}, units, only_some=True)
        case "DIFFERENCE":
            chosen = {each: unit for each, unit in inside.items() if each not in accounts}
            return Targets(chosen, units, only_some=action == "DELETE")
        case _ if action == "CREATE":
            raise Refused("The AccountFilterType UNION is not supported for CreateStackInstances")
        case _:
            others = {each.account_id: each.unit for each in stack_set.instances.values()}
            return Targets(inside | {each: others.get(each) for each in accounts}, units)
