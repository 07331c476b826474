"""Who may look at an organization."""

from __future__ import annotations

from tests.fake_aws.admin import code
from tests.fake_aws.stack_set_estate import STACK_SETS, Estate, only


def test_a_delegated_administrator_sees_units_and_accounts(estate: Estate) -> None:
    security, member = estate.account(), estate.account(estate.lower)
    client = estate.aws.admin(security).client("organizations")
    assert code(client.list_roots) == "AccessDeniedException"
    estate.management.client("organizations").register_delegated_administrator(
        AccountId=security, ServicePrincipal=STACK_SETS
    )
    assert only(client.list_roots()["Roots"])["Id"] == estate.root
    units = client.list_organizational_units_for_parent(ParentId=estate.root)["OrganizationalUnits"]
    assert only(units)["Id"] == estate.upper
    assert only(client.list_accounts_for_parent(ParentId=estate.lower)["Accounts"])["Id"] == member
    assert only(client.list_parents(ChildId=member)["Parents"])["Id"] == estate.lower
    found = client.describe_account(AccountId=member)["Account"]
    there = estate.management.client("organizations").describe_account(AccountId=member)["Account"]
    assert found == there
    administrators = client.list_delegated_administrators(ServicePrincipal=STACK_SETS)
    assert only(administrators["DelegatedAdministrators"])["Id"] == security
    wrong = code(client.describe_account, AccountId="222233334444")
    assert wrong == "AccountNotFoundException"


def test_members_see_that_there_is_an_organization_and_no_more(estate: Estate) -> None:
    client = estate.aws.admin(estate.account()).client("organizations")
    found = client.describe_organization()["Organization"]
    assert found["MasterAccountId"] == estate.management.account_id
    assert code(client.list_accounts_for_parent, ParentId=estate.root) == "AccessDeniedException"
    alone = estate.aws.fresh_account().client("organizations")
    assert code(alone.list_roots) == "AWSOrganizationsNotInUseException"
