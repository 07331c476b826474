"""What a rollout would do, worked out from what is there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from bots._bot import Risk
from bots._catalogue import Catalogue
from deploy.advice import advice
from deploy.errors import InputWrong
from deploy.instances import Instance, Target
from deploy.organization import Account, Organization, Unit, is_below
from deploy.parameters import Values, settle
from deploy.permissions import bots_of, version
from deploy.spokes import rendered
from deploy.spokes_plan import LeftOut, Plan, Wish, plan, topmost
from deploy.stack_sets import Definition
from deploy.template import parse, role_template
from spoke_role.policy import select

MANAGEMENT, DEV, PROD, OLD, ALONE = (str(number) * 12 for number in (1, 2, 3, 4, 5))
ROOT = Unit(id="r-1", name="Root", path="/")
WORK = Unit(id="ou-work", name="Workloads", path="/Workloads")
LIVE = Unit(id="ou-live", name="Production", path="/Workloads/Production")
SAND = Unit(id="ou-sand", name="Sandbox", path="/Sandbox")


def account(number: str, name: str, unit: Unit, *, active: bool = True) -> Account:
    return Account(id=number, name=name, active=active, unit_id=unit.id)


ORGANIZATION = Organization(
    units={unit.id: unit for unit in (ROOT, WORK, LIVE, SAND)},
    accounts={
        each.id: each
        for each in (
            account(MANAGEMENT, "management", ROOT),
            account(DEV, "dev", WORK),
            account(PROD, "prod", LIVE),
            account(OLD, "old", LIVE, active=False),
            account(ALONE, "alone", SAND),
        )
    },
)
GIVEN = {"HubAccountId": MANAGEMENT, "ExternalId": "between-us"}


@cache
def smaller() -> str:
    return rendered(None, Risk.ADDITIVE, Catalogue())


def values(**more: str) -> Values:
    return settle(parse(role_template()), {**GIVEN, **more})


def stack_set(template: str | None = None, **more: str) -> Definition:
    return Definition(
        template=template or role_template(), parameters=values(**more).all, model="SERVICE_MANAGED"
    )


def at(number: str, status: str = "CURRENT", unit: Unit = WORK) -> Instance:
    return Instance(account_id=number, region="eu-west-1", status=status, unit_id=unit.id)


def planned(
    *units: Unit,
    before: Definition | None = None,
    instances: Sequence[Instance] = (),
    targeted: Sequence[Unit] = (),
    template: str | None = None,
    organization: Organization | None = ORGANIZATION,
    **wish: Any,
) -> Plan:
    return plan(
        Wish(units=units, **wish),
        organization=organization,
        management_id=MANAGEMENT,
        before=before,
        instances=instances,
        targeted=[unit.id for unit in targeted],
        template=template or role_template(),
        values=values(),
    )


def test_the_first_time_every_active_account_of_the_unit_and_those_below_is_new() -> None:
    found = planned(WORK)
    assert (found.definition, found.new, found.updated) == ("create", (DEV, PROD), ())
    assert found.added == (Target(units=("ou-work",)),)
    assert found.left_out == (LeftOut(account_id=OLD, name="old", reason="suspended"),)
    assert found.permissions.before == ""
    assert found.permissions.after == version(parse(role_template()))


def test_the_management_account_is_left_out_and_the_reason_says_what_to_do() -> None:
    [management, old] = planned(ROOT).left_out
    assert management.account_id == MANAGEMENT
    assert "--here" in management.reason
    assert old.account_id == OLD


def test_excluded_accounts_are_taken_out_of_the_unit() -> None:
    found = planned(WORK, excluded=(DEV,))
    assert found.new == (PROD,)
    assert found.added == (Target(units=("ou-work",), accounts=(DEV,), filter="DIFFERENCE"),)
    assert LeftOut(account_id=DEV, name="dev", reason="excluded") in found.left_out


def test_accounts_by_number_are_reached_through_their_own_units() -> None:
    found = planned(accounts=(ALONE, PROD))
    assert found.new == (PROD, ALONE)
    target = Target(units=("ou-live", "ou-sand"), accounts=(PROD, ALONE), filter="INTERSECTION")
    assert found.added == (target,)


def test_a_unit_and_an_account_elsewhere_can_be_chosen_together() -> None:
    found = planned(WORK, accounts=(ALONE, DEV))
    assert found.new == (DEV, PROD, ALONE)
    assert found.added == (
        Target(units=("ou-work",)),
        Target(units=("ou-sand",), accounts=(ALONE,), filter="INTERSECTION"),
    )


def test_an_account_that_is_not_in_the_organization_is_named() -> None:
    with pytest.raises(InputWrong, match="account 999999999999 is not in the organization"):
        planned(accounts=("999999999999",))


def test_when_all_is_as_it_should_be_nothing_is_done() -> None:
    found = planned(WORK, before=stack_set(), instances=[at(DEV), at(PROD)], targeted=[WORK])
    assert found.does_nothing
    assert found.current == (DEV, PROD)


def test_a_run_that_was_cut_off_is_finished_by_asking_for_the_same_again() -> None:
    found = planned(WORK, before=stack_set(), instances=[at(DEV)], targeted=[WORK])
    assert (found.definition, found.new, found.current) == ("keep", (PROD,), (DEV,))
    assert found.added == (Target(units=("ou-work",)),)


def test_only_what_failed_is_tried_again() -> None:
    found = planned(WORK, before=stack_set(), instances=[at(DEV), at(PROD, "OUTDATED")], targeted=[WORK])
    assert (found.definition, found.updated, found.current) == ("keep", (PROD,), (DEV,))
    assert found.again == (
        (Target(units=("ou-work",), accounts=(PROD,), filter="INTERSECTION"), "eu-west-1"),
    )
    assert found.added == ()


def test_a_suspended_account_is_left_alone() -> None:
    skipped = Instance(
        account_id=OLD,
        region="eu-west-1",
        status="OUTDATED",
        detail="SKIPPED_SUSPENDED_ACCOUNT",
        unit_id=WORK.id,
    )
    there = [at(DEV), at(PROD), skipped]
    assert planned(WORK, before=stack_set(), instances=there, targeted=[WORK]).does_nothing
    changed = planned(WORK, before=stack_set(smaller()), instances=there, targeted=[WORK])
    assert changed.updated == (DEV, PROD)


def test_a_unit_that_is_new_is_added_though_all_its_accounts_have_the_role() -> None:
    found = planned(SAND, before=stack_set(), instances=[at(ALONE, unit=SAND)])
    assert found.new == ()
    assert found.added == (Target(units=("ou-sand",)),)


def test_another_template_updates_every_account_also_those_that_were_not_named() -> None:
    found = planned(
        WORK, before=stack_set(smaller()), instances=[at(DEV), at(ALONE, unit=SAND)], targeted=[WORK]
    )
    assert (found.definition, found.updated, found.new) == ("update", (DEV, ALONE), (PROD,))
    assert found.permissions.before == version(parse(smaller()))
    assert "ec2_terminate_instance" in found.permissions.gained
    assert not set(found.permissions.gained) & {bot.name for bot in select(max_risk=Risk.ADDITIVE)}
    assert found.permissions.lost == ()


def test_bots_that_lose_what_they_need_are_named() -> None:
    found = planned(WORK, before=stack_set(), instances=[at(DEV)], targeted=[WORK], template=smaller())
    assert found.permissions.gained == ()
    assert "ec2_terminate_instance" in found.permissions.lost
    assert not set(found.permissions.lost) & {bot.name for bot in select(max_risk=Risk.ADDITIVE)}


def test_another_value_updates_every_account_and_is_named() -> None:
    found = planned(WORK, before=stack_set(RoleName="Other"), instances=[at(DEV), at(PROD)], targeted=[WORK])
    assert (found.definition, found.changed) == ("update", ("RoleName",))


def test_without_an_organization_accounts_are_just_listed() -> None:
    found = planned(organization=None, accounts=(PROD, DEV))
    assert found.added == (Target(accounts=(DEV, PROD)),)
    kept = planned(
        organization=None,
        accounts=(DEV,),
        before=stack_set(),
        instances=[Instance(account_id=DEV, region="eu-west-1", status="INOPERABLE")],
    )
    assert kept.again == ((Target(accounts=(DEV,)), "eu-west-1"),)


def test_units_below_another_are_covered_by_it() -> None:
    assert topmost([LIVE, WORK, SAND]) == (WORK, SAND)
    assert topmost([ROOT, LIVE]) == (ROOT,)
    assert not is_below(Unit(id="x", name="x", path="/Workloads2"), WORK)


@pytest.mark.parametrize("word", ["ou-live", "/Workloads/Production", "Workloads/Production", "Production"])
def test_a_unit_is_found_by_id_path_or_name(word: str) -> None:
    assert ORGANIZATION.unit(word) == LIVE


def test_the_root_is_a_unit_too() -> None:
    assert ORGANIZATION.unit("/") == ROOT


def test_a_unit_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(InputWrong, match=r"no OU /Workload/Production; did you mean /Workloads/Production\?"):
        ORGANIZATION.unit("/Workload/Production")
    with pytest.raises(InputWrong, match="there are /, /Sandbox, /Workloads, /Workloads/Production"):
        ORGANIZATION.unit("zzz")


def test_a_name_that_several_units_have_is_not_guessed_at() -> None:
    other = Unit(id="ou-2", name="Production", path="/Sandbox/Production")
    both = Organization(units={**ORGANIZATION.units, other.id: other}, accounts={})
    with pytest.raises(InputWrong, match="/Sandbox/Production, /Workloads/Production"):
        both.unit("Production")


def test_the_template_tells_which_bots_it_is_enough_for() -> None:
    every = select()
    assert bots_of(parse(role_template()), every) == tuple(bot.name for bot in every)
    two = rendered(["s3_enable_versioning", "kms_enable_rotation"], None, Catalogue())
    assert bots_of(parse(two), every) == ("kms_enable_rotation", "s3_enable_versioning")


def test_a_role_for_no_bot_is_refused() -> None:
    with pytest.raises(InputWrong, match="no bot is left"):
        rendered([], None, Catalogue())
    with pytest.raises(InputWrong, match="s3_enable_versioning"):
        rendered(["s3_enable_versionin"], None, Catalogue())


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Resource handler returned message: Role with name Dome9CloudBots already exists", "RoleName"),
        ("Account 1 should have 'AWSCloudFormationStackSetExecutionRole' role", "execution role"),
        (
            "User is not authorized to perform: iam:CreateRole with an explicit deny in a service control policy",
            "SCP",
        ),
        ("Cancelled since failure tolerance has exceeded", "run the same again"),
        ("is not authorized to perform: iam:CreatePolicy", "lacks that permission"),
        ("Cannot exceed quota for PoliciesPerRole: 10", "quota"),
        (
            "Scope ARN: arn:aws:iam::222233334444:policy/limit does not exist or is not attachable.",
            "boundary is missing",
        ),
        ("something nobody knows", "stack's events"),
    ],
)
def test_every_reason_comes_with_what_to_do(reason: str, said: str) -> None:
    assert said in advice(reason)
