"""What StackSets see of an organization: its accounts by unit, who may act for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from moto.organizations.models import FakeDelegatedAdministrator, organizations_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.cloudformation.answers import Refused
from tests.fake_aws.wire import Call

STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"

# moto knows of a few services only that they can be administered by another account.
FakeDelegatedAdministrator.SUPPORTED_SERVICES.append(STACK_SETS)


@dataclass(frozen=True, slots=True)
class Organization:
    """moto's organization, by its management account."""

    backend: Any

    @property
    def management(self) -> str:
        return str(self.backend.org.master_account_id)

    def accounts(self) -> Iterator[str]:
        """All but the management account, which StackSets leave out."""
        yield from (each.id for each in self.backend.accounts if each.id != self.management)

    def is_suspended(self, account_id: str) -> bool:
        found = [each.status for each in self.backend.accounts if each.id == account_id]
        return found == ["SUSPENDED"]

    def units_above(self, account_id: str) -> list[str]:
        """The units an account is in, the innermost first, the root last; none if it is not here."""
        parents = {each.id: each.parent_id for each in [*self.backend.ou, *self.backend.accounts]}
        found, at = [], parents.get(account_id)
        while at is not None:
            found.append(str(at))
            at = parents.get(at)
        return found

    def unit_among(self, account_id: str, units: Sequence[str]) -> str | None:
        """The unit of these the account is in, the innermost if it is in several."""
        return next((each for each in self.units_above(account_id) if each in units), None)

    def check_units(self, units: Sequence[str]) -> None:
        """
        Raises:
            Refused: there is no such unit.
        """
        known = {each.id for each in self.backend.ou}
        if unknown := [each for each in units if each not in known]:
            raise Refused(f"Organizational unit or root {', '.join(unknown)} was not found")

    @property
    def trusts_stack_sets(self) -> bool:
        return bool(getattr(self.backend, "trusts_stack_sets", False))

    def is_delegated(self, account_id: str) -> bool:
        return any(
            each.account.id == account_id and STACK_SETS in each.services for each in self.backend.admins
        )


def of(account_id: str, region: str) -> Organization | None:
    """The organization an account is in."""
    owner, partition = organizations_backends.master_accounts.get(
        account_id, (account_id, get_partition(region))
    )
    backend = organizations_backends[owner][partition]
    return Organization(backend) if backend.org else None


def acting_for(call: Call) -> Organization:
    """The organization whose StackSets the caller works on.

    Raises:
        Refused: it may not work on any.
    """
    found = of(call.account_id, call.region)
    if call.params.get("CallAs") == "DELEGATED_ADMIN":
        if found is None or not found.is_delegated(call.account_id):
            raise Refused("Account used is not a delegated administrator")
    elif found is None or found.management != call.account_id:
        raise Refused("You must be the management account or delegated admin account of an organization "
                      "before operating a service managed stack set")  # fmt: skip
    if not found.trusts_stack_sets:
        raise Refused("You must enable organizations access to operate a service managed stack set")
    return found


def change_access(call: Call) -> dict[str, Any]:
    """ActivateOrganizationsAccess, DeactivateOrganizationsAccess."""
    found = of(call.account_id, call.region)
    if found is None or found.management != call.account_id:
        text = "Only the management account of an organization can do this"
        raise Refused(text, "InvalidOperationException")
    found.backend.trusts_stack_sets = call.operation == "ActivateOrganizationsAccess"
    return {}


def describe_access(call: Call) -> dict[str, Any]:
    found = of(call.account_id, call.region)
    if found is None:
        raise Refused("The account is in no organization", "InvalidOperationException")
    return {"Status": "ENABLED" if found.trusts_stack_sets else "DISABLED"}
