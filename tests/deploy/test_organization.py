"""What an account may do in its organization, and what is said when it may not."""

from __future__ import annotations

from typing import Any, cast

import pytest

from deploy.errors import DeploymentFailed
from deploy.organization import read_organization, standing
from deploy.proposal import present
from deploy.session import Aws
from tests.deploy.told import Told, ToldAws, refused, stack

ORGANIZATION = {"Organization": {"Id": "o-exampleorgid", "MasterAccountId": "999900001111"}}


def aws(**clients: Told) -> Aws:
    return cast(Aws, ToldAws(**clients))


def delegated(*accounts: str) -> list[Any]:
    return [[{"DelegatedAdministrators": [{"Id": each} for each in accounts]}]]


async def test_the_management_account_calls_as_itself() -> None:
    organizations = Told(
        describe_organization=[{"Organization": {"Id": "o-exampleorgid", "MasterAccountId": "111122223333"}}]
    )
    who = await standing(aws(organizations=organizations))
    assert (who.call_as, who.management_id) == ("SELF", "111122223333")


async def test_a_delegated_administrator_calls_as_one() -> None:
    organizations = Told(
        describe_organization=[ORGANIZATION],
        list_delegated_administrators=delegated("222233334444", "111122223333"),
    )
    who = await standing(aws(organizations=organizations))
    assert (who.call_as, who.organization_id) == ("DELEGATED_ADMIN", "o-exampleorgid")


@pytest.mark.parametrize(
    "administrators",
    [delegated("222233334444"), [refused("AccessDeniedException", "no", "ListDelegatedAdministrators")]],
    ids=["others are", "may not even ask"],
)
async def test_any_other_account_is_told_how_to_become_one(administrators: list[Any]) -> None:
    organizations = Told(describe_organization=[ORGANIZATION], list_delegated_administrators=administrators)
    with pytest.raises(DeploymentFailed, match="register-delegated-administrator --account-id 111122223333"):
        await standing(aws(organizations=organizations))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("AWSOrganizationsNotInUseException", "is in no organization: deploy with --self-managed"),
        ("TooManyRequestsException", "DescribeOrganization was refused: TooManyRequestsException"),
    ],
)
async def test_an_organization_that_cannot_be_seen_is_said_to_be(error: str, said: str) -> None:
    organizations = Told(describe_organization=[refused(error, "no", "DescribeOrganization")])
    with pytest.raises(DeploymentFailed, match=said):
        await standing(aws(organizations=organizations))


async def test_a_failure_to_ask_who_is_delegated_is_not_taken_for_a_no() -> None:
    organizations = Told(
        describe_organization=[ORGANIZATION],
        list_delegated_administrators=[refused("ServiceException", "later", "ListDelegatedAdministrators")],
    )
    with pytest.raises(DeploymentFailed, match="ListDelegatedAdministrators was refused: ServiceException"):
        await standing(aws(organizations=organizations))


@pytest.mark.parametrize(
    "denied", ["list_roots", "list_accounts_for_parent", "list_organizational_units_for_parent"]
)
async def test_an_organization_of_which_a_part_cannot_be_read_is_not_taken_for_a_smaller_one(
    denied: str,
) -> None:
    answers: dict[str, list[Any]] = {
        "list_roots": [[{"Roots": [{"Id": "r-1", "Name": "Root"}]}]],
        "list_accounts_for_parent": [[{"Accounts": []}]],
        "list_organizational_units_for_parent": [[{"OrganizationalUnits": []}]],
    }
    answers[denied] = [refused("AccessDeniedException", "not you", "Listing")]
    with pytest.raises(
        DeploymentFailed, match="could not be read: Listing was refused: AccessDeniedException"
    ):
        await read_organization(aws(organizations=Told(**answers)))


async def test_a_stack_that_is_at_work_is_waited_for() -> None:
    cloudformation = Told(
        describe_stacks=[stack("UPDATE_IN_PROGRESS"), stack("UPDATE_IN_PROGRESS"), stack("UPDATE_COMPLETE")]
    )
    found = await present(aws(cloudformation=cloudformation), "hub")
    assert found is not None
    assert found.status == "UPDATE_COMPLETE"


async def test_a_stack_that_is_stuck_is_said_to_be_with_the_way_out() -> None:
    cloudformation = Told(describe_stacks=[stack("UPDATE_ROLLBACK_FAILED")])
    with pytest.raises(
        DeploymentFailed, match="aws cloudformation continue-update-rollback --stack-name hub"
    ):
        await present(aws(cloudformation=cloudformation), "hub")
