"""Stacks of a StackSet in accounts, and how operations are told which of them they are about.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentTargets.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An account where it did not work, and why."""

    account_id: str
    region: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A stack of the StackSet in an account. ``unit_id`` is the OU it was deployed through."""

    account_id: str
    region: str
    status: str
    detail: str = ""
    reason: str = ""
    unit_id: str = ""

    @property
    def current(self) -> bool:
        """Whether the account has what the StackSet says."""
        return self.status == "CURRENT"

    @property
    def suspended(self) -> bool:
        """Whether StackSets leave it alone because the account is suspended."""
        return self.detail == "SKIPPED_SUSPENDED_ACCOUNT"

    @property
    def behind(self) -> bool:
        """Whether something is to be done about it."""
        return not self.current and not self.suspended


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Accounts an operation is about: of OUs all, all but some, or only some; or, without OUs, just these."""

    units: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    filter: Literal["NONE", "INTERSECTION", "DIFFERENCE"] = "NONE"

    @property
    def request(self) -> dict[str, Any]:
        """As the calls take it."""
        if not self.units:
            return {"Accounts": list(self.accounts)}
        targets: dict[str, Any] = {"OrganizationalUnitIds": list(self.units)}
        if self.filter != "NONE":
            targets |= {"Accounts": list(self.accounts), "AccountFilterType": self.filter}
        return {"DeploymentTargets": targets}


def where(instances: Iterable[Instance], *, whole: bool = False) -> list[tuple[Target, str]]:
    """Where these are, as targets and regions: those of one OU and region in one operation.

    Args:
        whole: mean their OUs, not only these accounts of them, so that accounts that come get nothing more.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for each in instances:
        places.setdefault((each.unit_id, each.region), []).append(each.account_id)

    def target(unit: str, accounts: list[str]) -> Target:
        if unit and whole:
            return Target(units=(unit,))
        some = Target(accounts=tuple(accounts))
        return replace(some, units=(unit,), filter="INTERSECTION") if unit else some

    return [(target(unit, accounts), region) for (unit, region), accounts in sorted(places.items())]
