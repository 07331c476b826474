"""The organization's OUs and accounts, and what the account that deploys may do in it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-enable-trusted-access.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-delegated-admin.html
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from botocore.exceptions import ClientError

from deploy.calls import code, items, said
from deploy.errors import DeploymentFailed, InputWrong
from deploy.session import Aws
from deploy.stack_sets import CallAs, StackSets

STACKSETS = "member.org.stacksets.cloudformation.amazonaws.com"
# Organizations throttles early; reads that wait for each other would still take minutes in a large tree.
READS_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who the account that deploys is in its organization."""

    account_id: str
    organization_id: str
    management_id: str
    call_as: CallAs


async def standing(aws: Aws) -> Standing:
    """Find out by itself how StackSets are to be called.

    Raises:
        DeploymentFailed: the account can administer no StackSets of the organization, and what to do.
    """
    account_id = await aws.account_id()
    organizations = await aws.client("organizations")
    try:
        found = (await organizations.describe_organization())["Organization"]
    except ClientError as error:
        if code(error) == "AWSOrganizationsNotInUseException":
            raise DeploymentFailed(
                f"account {account_id} is in no organization: deploy with --self-managed, or --here alone"
            ) from error
        raise DeploymentFailed(said(error)) from error
    management = found["MasterAccountId"]
    told = {"account_id": account_id, "organization_id": found["Id"], "management_id": management}
    if account_id == management:
        return Standing(**told, call_as="SELF")
    if not await _is_delegated(organizations, account_id):
        raise DeploymentFailed(
            f"account {account_id} is neither the organization's management account ({management}) nor a "
            "delegated administrator of StackSets. Use one of them, or have the management account run: "
            f"aws organizations register-delegated-administrator --account-id {account_id} "
            f"--service-principal {STACKSETS}"
        )
    return Standing(**told, call_as="DELEGATED_ADMIN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Administered:
    """A StackSet as this account may call it.

    Attributes:
        who: None where the account administers no StackSets of the organization; self-managed ones it still may.
        unseen: why it does not; "" where it does.
    """

    stack_sets: StackSets
    who: Standing | None
    unseen: str


async def administered(aws: Aws, name: str) -> Administered:
    """The StackSet of that name, whether or not it is there."""
    stack_sets = StackSets(
        cloudformation=await aws.client("cloudformation"), name=name, patience=aws.patience
    )
    try:
        who = await standing(aws)
    except DeploymentFailed as error:
        return Administered(stack_sets=stack_sets, who=None, unseen=str(error))
    return Administered(stack_sets=replace(stack_sets, call_as=who.call_as), who=who, unseen="")


async def _is_delegated(organizations: Any, account_id: str) -> bool:
    try:
        async for each in items(
            organizations,
            "list_delegated_administrators",
            "DelegatedAdministrators",
            ServicePrincipal=STACKSETS,
        ):
            if each["Id"] == account_id:
                return True
    except ClientError as error:
        # An account that is delegated nothing may not even ask.
        if code(error) != "AccessDeniedException":
            raise DeploymentFailed(said(error)) from error
    return False


async def check_trusted_access(aws: Aws, who: Standing) -> None:
    """StackSets may act in the organization's accounts only once somebody has allowed it.

    Raises:
        DeploymentFailed: nobody has, and how it is done.
    """
    cloudformation = await aws.client("cloudformation")
    found = await cloudformation.describe_organizations_access(CallAs=who.call_as)
    if found["Status"] != "ENABLED":
        raise DeploymentFailed(
            "StackSets may not act in the organization's accounts yet: trusted access is "
            f"{found['Status']}. As the management account ({who.management_id}) run: "
            "aws cloudformation activate-organizations-access"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of the organization and the OU (or root) it is in."""

    id: str
    name: str
    active: bool
    unit_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An OU, or the root, whose path is ``/``."""

    id: str
    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """All OUs and accounts, as they were when it was read."""

    units: Mapping[str, Unit]
    accounts: Mapping[str, Account]

    def unit(self, word: str) -> Unit:
        """The OU of that id, path (``/Workloads/Production``) or, where only one has it, name.

        Raises:
            InputWrong: there is none, or more than one of that name.
        """
        if word in self.units:
            return self.units[word]
        if "/" in word:
            path = "/" + word.strip("/")
            found = [unit for unit in self.units.values() if unit.path == path]
        else:
            found = [unit for unit in self.units.values() if unit.name == word]
        if len(found) > 1:
            paths = ", ".join(sorted(unit.path for unit in found))
            raise InputWrong(f"there are several OUs called {word}: say which by its path: {paths}")
        if not found:
            known = {unit.path.casefold(): unit.path for unit in self.units.values()}
            near = get_close_matches("/" + word.strip("/").casefold(), known, n=1)
            others = ", ".join(sorted(known.values()))
            hint = f"; did you mean {known[near[0]]}?" if near else f"; there are {others}"
            raise InputWrong(f"there is no OU {word}{hint}")
        return found[0]

    def below(self, unit: Unit) -> list[Account]:
        """The accounts in the OU and in the OUs below it, by id."""
        ids = {each.id for each in self.units.values() if is_below(each, unit)}
        return sorted((a for a in self.accounts.values() if a.unit_id in ids), key=lambda a: a.id)


def is_below(unit: Unit, other: Unit) -> bool:
    """Whether it is the other one or lies somewhere below it."""
    return unit.path == other.path or unit.path.startswith(other.path.rstrip("/") + "/")


def is_account_id(word: str) -> bool:
    """Twelve digits."""
    return re.fullmatch(r"[0-9]{12}", word) is not None


async def read_organization(aws: Aws) -> Organization:
    """Walk the whole tree.

    Raises:
        DeploymentFailed: the account may not look at it.
    """
    organizations = await aws.client("organizations")
    reader = _Reader(organizations)
    try:
        roots = [each async for each in items(organizations, "list_roots", "Roots")]
        async with asyncio.TaskGroup() as tasks:
            reader.tasks = tasks
            for root in roots:
                reader.enter(Unit(id=root["Id"], name=root["Name"], path="/"))
    except* ClientError as errors:
        error = errors.exceptions[0]
        assert isinstance(error, ClientError)
        raise DeploymentFailed(f"the organization could not be read: {said(error)}") from error
    return Organization(units=reader.units, accounts=reader.accounts)


class _Reader:
    """Walks the tree, a few reads at a time."""

    def __init__(self, organizations: Any) -> None:
        self.units: dict[str, Unit] = {}
        self.accounts: dict[str, Account] = {}
        self.tasks: asyncio.TaskGroup
        self._organizations = organizations
        self._hands = asyncio.Semaphore(READS_AT_ONCE)

    def enter(self, unit: Unit) -> None:
        self.units[unit.id] = unit
        self.tasks.create_task(self._accounts_in(unit))
        self.tasks.create_task(self._units_in(unit))

    async def _accounts_in(self, unit: Unit) -> None:
        async with self._hands:
            async for each in items(
                self._organizations, "list_accounts_for_parent", "Accounts", ParentId=unit.id
            ):
                self.accounts[each["Id"]] = Account(
                    id=each["Id"],
                    name=each.get("Name", ""),
                    active=each["Status"] == "ACTIVE",
                    unit_id=unit.id,
                )

    async def _units_in(self, unit: Unit) -> None:
        async with self._hands:
            found = [
                each
                async for each in items(
                    self._organizations,
                    "list_organizational_units_for_parent",
                    "OrganizationalUnits",
                    ParentId=unit.id,
                )
            ]
        for each in found:
            path = f"{unit.path.rstrip('/')}/{each['Name']}"
            self.enter(Unit(id=each["Id"], name=each["Name"], path=path))
