"""The StackSet of the spoke role: in an (emulated) organization, and where AWS takes its time or says no."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.calls import Patience
from deploy.errors import DeploymentFailed
from deploy.instances import Instance, Missed, Target, where
from deploy.spokes import Rollout, deploy_spokes
from deploy.stack_sets import Definition, StackSets
from spoke_role.policy import policies, select
from tests.deploy.estate import AT_ONCE, EXTERNAL_ID, ROLE_YAML, organization, spokes
from tests.deploy.told import Told, refused
from tests.fake_aws.server import FakeAws


async def test_the_spoke_role_lands_in_every_account_of_the_unit_and_of_units_inside_it(aws: FakeAws) -> None:
    where = organization(aws)
    rollout = await spokes(aws, where)
    assert rollout == Rollout(accounts=tuple(sorted((where.upper, where.lower))), missed=())
    for account in (where.upper, where.lower):
        iam = aws.admin(account).client("iam")
        assert iam.get_role(RoleName="Dome9CloudBots")["Role"]["MaxSessionDuration"] == 3600
        attached = iam.list_attached_role_policies(RoleName="Dome9CloudBots")["AttachedPolicies"]
        expected = {f"Dome9CloudBots-{name}" for name in policies(select())}
        assert {policy["PolicyName"] for policy in attached} == expected
    for account in (where.outside, where.hub, where.management):
        roles = aws.admin(account).client("iam").list_roles()["Roles"]
        assert "Dome9CloudBots" not in [role["RoleName"] for role in roles]


async def test_an_account_that_joins_the_unit_later_gets_the_role_at_the_next_deployment(
    aws: FakeAws,
) -> None:
    where = organization(aws)
    await spokes(aws, where)
    organizations = aws.admin(where.management).client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.move_account(AccountId=where.outside, SourceParentId=root, DestinationParentId=where.unit)
    assert set((await spokes(aws, where)).accounts) == {where.upper, where.lower, where.outside}


# --- what only AWS itself does: take its time, leave accounts out, work on something else


NO_SET = refused("StackSetNotFoundException", "no such StackSet", "DescribeStackSet")
ACTIVE = {"StackSet": {"Status": "ACTIVE"}}


def operation(status: str, **more: str) -> dict[str, Any]:
    return {"StackSetOperation": {"Status": status, **more}}


def results(*failed: dict[str, str]) -> list[Any]:
    return [[{"Summaries": list(failed)}]]


def instance(account: str, status: str, reason: str = "") -> dict[str, str]:
    return {"Account": account, "Region": "eu-west-1", "Status": status, "StatusReason": reason}


async def rolled_out(client: Any, patience: Patience = AT_ONCE) -> Rollout:
    return await deploy_spokes(
        client,
        template=ROLE_YAML,
        name="spokes",
        parameters={"ExternalId": EXTERNAL_ID},
        organizational_units=["ou-abcd-11111111"],
        region="eu-west-1",
        call_as="DELEGATED_ADMIN",
        patience=patience,
    )


def new_set(**answers: list[Any]) -> Told:
    return Told(
        **{
            "describe_stack_set": [NO_SET],
            "create_stack_set": [{}],
            "create_stack_instances": [{"OperationId": "1"}],
            "describe_stack_set_operation": [operation("RUNNING"), operation("SUCCEEDED")],
            "list_stack_set_operation_results": results(),
            "list_stack_instances": results(instance("222233334444", "CURRENT")),
        }
        | answers
    )


async def test_new_accounts_get_the_role_by_themselves_and_a_delegated_administrator_says_so_everywhere() -> (
    None
):
    client = new_set()
    assert await rolled_out(client) == Rollout(accounts=("222233334444",), missed=())
    [created] = client.requests("create_stack_set")
    assert created["PermissionModel"] == "SERVICE_MANAGED"
    assert created["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert created["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert {request["CallAs"] for _, request in client.asked} == {"DELEGATED_ADMIN"}


async def test_one_account_that_fails_does_not_keep_the_role_from_the_others() -> None:
    failing = instance("333344445555", "FAILED", "role Dome9CloudBots already exists")
    client = new_set(
        describe_stack_set_operation=[operation("FAILED")],
        list_stack_set_operation_results=results(instance("222233334444", "SUCCEEDED"), failing),
        list_stack_instances=results(
            instance("222233334444", "CURRENT"), instance("333344445555", "OUTDATED")
        ),
    )
    missed = Missed(
        account_id="333344445555", region="eu-west-1", reason="role Dome9CloudBots already exists"
    )
    assert await rolled_out(client) == Rollout(accounts=("222233334444",), missed=(missed,))
    [request] = client.requests("create_stack_instances")
    assert request["OperationPreferences"]["FailureTolerancePercentage"] == 100


async def test_an_update_reaches_old_accounts_and_new_ones_and_what_was_mended_is_not_missed() -> None:
    failing = instance("222233334444", "FAILED", "throttled")
    client = new_set(
        describe_stack_set=[ACTIVE],
        update_stack_set=[{"OperationId": "0"}],
        describe_stack_set_operation=[operation("FAILED"), operation("SUCCEEDED")],
        list_stack_set_operation_results=[[{"Summaries": [failing]}], [{"Summaries": []}]],
    )
    assert await rolled_out(client) == Rollout(accounts=("222233334444",), missed=())
    asked = [name for name, _ in client.asked]
    assert asked.index("update_stack_set") < asked.index("create_stack_instances")
    assert "create_stack_set" not in asked


async def test_an_operation_that_failed_as_a_whole_is_not_reported_as_nothing_missed() -> None:
    failed = operation("FAILED", StatusReason="trusted access is not enabled")
    client = new_set(describe_stack_set_operation=[failed])
    with pytest.raises(DeploymentFailed, match="trusted access is not enabled"):
        await rolled_out(client)


async def test_a_stackset_that_is_refused_says_why() -> None:
    said = refused("AccessDenied", "not a delegated administrator", "CreateStackSet")
    with pytest.raises(DeploymentFailed, match="CreateStackSet was refused: AccessDenied: not a delegated"):
        await rolled_out(new_set(create_stack_set=[said]))


async def test_a_stackset_that_takes_too_long_is_given_up_on_in_words() -> None:
    client = new_set(describe_stack_set_operation=[operation("RUNNING")])
    with pytest.raises(DeploymentFailed, match="StackSet spokes is not done"):
        await rolled_out(client, Patience(wait=0.05, poll=0.01))


def a_set(client: Told, **more: Any) -> StackSets:
    return StackSets(cloudformation=client, name="spokes", patience=AT_ONCE, **more)


BUSY = refused("OperationInProgressException", "Another Operation is in progress", "UpdateStackInstances")
ONE = Target(units=("ou-abcd-11111111",), accounts=("222233334444",), filter="INTERSECTION")


async def test_an_operation_of_somebody_else_is_waited_for_and_never_stopped() -> None:
    client = Told(
        update_stack_instances=[BUSY, {"OperationId": "mine"}],
        list_stack_set_operations=results({"OperationId": "theirs", "Status": "RUNNING"}),
        describe_stack_set_operation=[operation("RUNNING"), operation("SUCCEEDED")],
        list_stack_set_operation_results=results(),
    )
    assert await a_set(client).refresh(ONE, "eu-west-1") == ()
    waited_for = [request["OperationId"] for request in client.requests("describe_stack_set_operation")]
    assert waited_for == ["theirs", "theirs", "mine"]
    assert "stop_stack_set_operation" not in [name for name, _ in client.asked]


async def test_how_far_an_operation_is_is_told() -> None:
    running = [instance("222233334444", "SUCCEEDED"), instance("333344445555", "RUNNING")]
    done = [instance("222233334444", "SUCCEEDED"), instance("333344445555", "SUCCEEDED")]
    client = Told(
        create_stack_instances=[{"OperationId": "1"}],
        describe_stack_set_operation=[operation("RUNNING"), operation("SUCCEEDED")],
        list_stack_set_operation_results=[[{"Summaries": running}], [{"Summaries": done}]],
    )
    told: list[tuple[int, int]] = []
    await a_set(client, count=lambda done, total: told.append((done, total))).add(ONE, "eu-west-1")
    assert told == [(1, 2), (2, 2)]


async def test_only_some_accounts_of_a_unit_can_be_meant() -> None:
    client = Told(
        delete_stack_instances=[{"OperationId": "1"}],
        describe_stack_set_operation=[operation("SUCCEEDED")],
        list_stack_set_operation_results=results(),
    )
    await a_set(client).take_away(ONE, "eu-west-1", retain=True)
    [request] = client.requests("delete_stack_instances")
    assert request["RetainStacks"] is True
    assert request["DeploymentTargets"] == {
        "OrganizationalUnitIds": ["ou-abcd-11111111"],
        "Accounts": ["222233334444"],
        "AccountFilterType": "INTERSECTION",
    }


async def test_a_stackset_that_was_deleted_is_none() -> None:
    deleted = {"StackSet": {"Status": "DELETED"}}
    assert await a_set(Told(describe_stack_set=[deleted])).definition() is None


async def test_what_a_stackset_says_is_read() -> None:
    found = {
        "Status": "ACTIVE",
        "TemplateBody": "Resources: {}",
        "PermissionModel": "SELF_MANAGED",
        "Parameters": [{"ParameterKey": "RoleName", "ParameterValue": "R"}],
        "AdministrationRoleARN": "arn:admin",
        "ExecutionRoleName": "enter",
    }
    definition = await a_set(Told(describe_stack_set=[{"StackSet": found}])).definition()
    assert definition == Definition(
        template="Resources: {}",
        parameters={"RoleName": "R"},
        model="SELF_MANAGED",
        admin_role="arn:admin",
        execution_role="enter",
    )


async def test_the_units_of_automatic_deployment_come_in_pages() -> None:
    pages = [
        {"Summaries": [{"OrganizationalUnitId": "ou-1"}], "NextToken": "more"},
        {"Summaries": [{"OrganizationalUnitId": "ou-2"}]},
    ]
    assert await a_set(Told(list_stack_set_auto_deployment_targets=pages)).units() == {"ou-1", "ou-2"}


def test_stacks_of_one_unit_and_region_are_worked_on_together() -> None:
    def at(account: str, region: str, unit: str) -> Instance:
        return Instance(account_id=account, region=region, status="OUTDATED", unit_id=unit)

    found = where(
        [at("1", "eu", "ou-b"), at("2", "eu", "ou-a"), at("3", "us", "ou-a"), at("4", "eu", "ou-a")]
    )
    assert found == [
        (Target(units=("ou-a",), accounts=("2", "4"), filter="INTERSECTION"), "eu"),
        (Target(units=("ou-a",), accounts=("3",), filter="INTERSECTION"), "us"),
        (Target(units=("ou-b",), accounts=("1",), filter="INTERSECTION"), "eu"),
    ]
    assert where([at("1", "eu", "")]) == [(Target(accounts=("1",)), "eu")]
    assert where([at("1", "eu", "ou-a"), at("2", "eu", "ou-a")], whole=True) == [
        (Target(units=("ou-a",)), "eu")
    ]
    assert where([at("1", "eu", "")], whole=True) == [(Target(accounts=("1",)), "eu")]


async def test_how_somebody_elses_operation_ended_is_not_our_failure() -> None:
    client = Told(
        list_stack_set_operations=results({"OperationId": "theirs", "Status": "STOPPING"}),
        describe_stack_set_operation=[operation("STOPPING"), operation("STOPPED")],
        list_stack_set_operation_results=results(),
    )
    await a_set(client).wait_for_others()
    assert len(client.requests("describe_stack_set_operation")) == 2
