"""What bringing the spoke role into accounts would do, worked out from what is there.

So a rollout that was cut off is finished by asking for the same again. Nothing here talks to AWS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bots._catalogue import names
from deploy.errors import InputWrong
from deploy.organization import Account, Organization, Unit, is_below
from deploy.parameters import Values, declared
from deploy.permissions import bots_of, version
from deploy.stack_sets import Definition, Instance, Target, where
from deploy.template import differences, parse
from spoke_role.policy import select


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which accounts are to have the role. Without an organization only ``accounts`` count."""

    units: tuple[Unit, ...] = ()
    accounts: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An account of the chosen OUs that does not get the role, and why."""

    account_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What the role may do, before and after. ``before`` is "" where there was no StackSet."""

    before: str
    after: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rollout will do.

    Attributes:
        definition: whether the StackSet is made, changed, or right already.
        new: accounts that have no role yet and get one.
        updated: accounts whose role is changed, or tried again.
        current: accounts that have the role as it should be; nothing happens there.
        left_out: accounts that were chosen and get none.
        changed: parameters of the StackSet whose values change.
        added: where stacks are brought to.
        again: where stacks are, and in which region, that are not as the StackSet says while it stays.
    """

    definition: Literal["create", "update", "keep"]
    new: tuple[str, ...]
    updated: tuple[str, ...]
    current: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    permissions: Permissions
    changed: tuple[str, ...]
    added: tuple[Target, ...]
    again: tuple[tuple[Target, str], ...]

    @property
    def does_nothing(self) -> bool:
        """Whether all is as it should be."""
        return self.definition == "keep" and not self.added and not self.again


def plan(
    wish: Wish,
    *,
    organization: Organization | None,
    management_id: str,
    before: Definition | None,
    instances: Sequence[Instance],
    targeted: Iterable[str],
    template: str,
    values: Values,
) -> Plan:
    """Work out what has to be done.

    Args:
        organization: None for a self-managed StackSet, which knows accounts only.
        before: the StackSet as it is, if it is.
        targeted: the OUs whose new accounts get the role by themselves already.
        values: of the template's parameters.

    Raises:
        InputWrong: an account that was named is not in the organization.
    """
    there = {each.account_id for each in instances}
    wanted, left_out = _wanted(wish, organization, management_id, there)
    alive = {each.account_id for each in instances if not each.suspended}
    behind = [each for each in instances if each.behind]
    changed = _changed(before, values)
    if before is None:
        definition: Literal["create", "update", "keep"] = "create"
    elif changed or differences(before.template, template):
        definition = "update"
    else:
        definition = "keep"
    new = [account for account in wanted if account not in there]
    updated = sorted(alive if definition == "update" else {each.account_id for each in behind})
    return Plan(
        definition=definition,
        new=tuple(new),
        updated=tuple(updated),
        current=tuple(account for account in wanted if account in there and account not in updated),
        left_out=left_out,
        permissions=_permissions(before, template),
        changed=changed,
        added=_added(wish, organization, new, set(targeted)),
        again=tuple(where(behind)) if definition == "keep" else (),
    )


def _wanted(
    wish: Wish, organization: Organization | None, management_id: str, there: Collection[str]
) -> tuple[list[str], tuple[LeftOut, ...]]:
    if organization is None:
        return sorted(set(wish.accounts) - set(wish.excluded)), ()
    named = [_named(account, organization) for account in (*wish.accounts, *wish.excluded)]
    chosen = {a.id: a for unit in wish.units for a in organization.below(unit)}
    chosen |= {a.id: a for a in named if a.id in wish.accounts}
    wanted, left_out = [], []
    for account in sorted(chosen.values(), key=lambda each: each.id):
        if reason := _reason(account, wish, management_id, there):
            left_out.append(LeftOut(account_id=account.id, name=account.name, reason=reason))
        else:
            wanted.append(account.id)
    return wanted, tuple(left_out)


def _named(account_id: str, organization: Organization) -> Account:
    if account_id not in organization.accounts:
        raise InputWrong(f"account {account_id} is not in the organization")
    return organization.accounts[account_id]


def _reason(account: Account, wish: Wish, management_id: str, there: Collection[str]) -> str:
    if account.id in wish.excluded:
        has = f"; it has the role already: `hub deploy remove --account {account.id}`"
        return "excluded" + (has if account.id in there else "")
    if account.id == management_id:
        return "StackSets leave out the management account; deploy there with --here"
    return "" if account.active else "suspended"


def _changed(before: Definition | None, values: Values) -> tuple[str, ...]:
    if before is None:
        return ()
    # A StackSet tells only what it was told; the rest are its template's defaults.
    known = declared(parse(before.template))
    now = {name: each.default for name, each in known.items()} | dict(before.parameters)
    wanted = values.all
    return tuple(name for name in sorted(wanted) if now.get(name) != wanted[name])


def _permissions(before: Definition | None, template: str) -> Permissions:
    after = parse(template)
    # By name, so that the optional ones count where somebody chose them.
    bots = select(names())
    now = set(bots_of(after, bots))
    then = set(bots_of(parse(before.template), bots)) if before else set()
    return Permissions(
        before=version(parse(before.template)) if before else "",
        after=version(after),
        gained=tuple(sorted(now - then)) if before else (),
        lost=tuple(sorted(then - now)),
    )


def _added(
    wish: Wish, organization: Organization | None, new: Sequence[str], targeted: set[str]
) -> tuple[Target, ...]:
    if organization is None:
        return (Target(accounts=tuple(new)),) if new else ()
    units = topmost(wish.units)
    below = {unit.id: {account.id for account in organization.below(unit)} for unit in units}
    lacking = [unit.id for unit in units if unit.id not in targeted or below[unit.id] & set(new)]
    covered = set().union(*below.values()) if below else set()
    found = []
    if lacking:
        excluded = tuple(account for account in wish.excluded if account in covered)
        found.append(
            Target(units=tuple(lacking), accounts=excluded, filter="DIFFERENCE" if excluded else "NONE")
        )
    alone = [account for account in new if account not in covered]
    if alone:
        homes = sorted({organization.accounts[account].unit_id for account in alone})
        found.append(Target(units=tuple(homes), accounts=tuple(alone), filter="INTERSECTION"))
    return tuple(found)


def topmost(units: Iterable[Unit]) -> tuple[Unit, ...]:
    """Without those that lie below another one: StackSets go down by themselves."""
    found = list(units)
    return tuple(
        unit for unit in found if not any(unit.id != other.id and is_below(unit, other) for other in found)
    )
