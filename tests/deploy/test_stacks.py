"""Deploying: what the templates make in an (emulated) AWS, and what is said when AWS does not do it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy.stacks import DeploymentFailed, Missed, Patience, Rollout, deploy_spokes, deploy_stack
from hub.journals.dynamodb_table import table_definition
from spoke_role.policy import policies, select
from tests.deploy.estate import (
    AT_ONCE,
    EXTERNAL_ID,
    HUB_YAML,
    LEFT_OUT,
    ROLE_YAML,
    cloudformation,
    hub_stack,
    organization,
    spoke_stack,
    spokes,
)
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.filterwarnings(LEFT_OUT)


async def test_a_finding_published_to_the_input_topic_arrives_in_the_queue_in_its_envelope(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    outputs = await hub_stack(aws, admin.account_id)
    sent = admin.client("sns").publish(TopicArn=outputs["InputTopicARN"], Message='{"findingKey": "k"}')
    received = admin.client("sqs").receive_message(QueueUrl=outputs["QueueUrl"])["Messages"]
    envelope = json.loads(received[0]["Body"])
    assert (envelope["MessageId"], envelope["Message"]) == (sent["MessageId"], '{"findingKey": "k"}')


async def test_the_hubs_stack_makes_topics_queues_table_and_role(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    outputs = await hub_stack(aws, admin.account_id)
    start = f"arn:aws:sns:us-east-1:{admin.account_id}"
    assert outputs["InputTopicARN"] == f"{start}:d9-findings"
    assert outputs["OutputTopicARN"] == f"{start}:remediationOutput"
    assert outputs["HubRoleArn"] == f"arn:aws:iam::{admin.account_id}:role/{outputs['HubRoleName']}"
    queue = admin.client("sqs").get_queue_attributes(QueueUrl=outputs["QueueUrl"], AttributeNames=["All"])
    redrive = json.loads(queue["Attributes"]["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(":remediation-hub-findings-dead")
    assert redrive["maxReceiveCount"] == 20
    assert queue["Attributes"]["VisibilityTimeout"] == "1800"
    table = admin.client("dynamodb").describe_table(TableName=outputs["TableName"])["Table"]
    wanted = {each["IndexName"]: each["KeySchema"] for each in table_definition()["GlobalSecondaryIndexes"]}
    assert {each["IndexName"]: each["KeySchema"] for each in table["GlobalSecondaryIndexes"]} == wanted
    policies = admin.client("iam").list_role_policies(RoleName=outputs["HubRoleName"])["PolicyNames"]
    assert sorted(policies) == ["enter", "log", "look", "work"]


async def test_the_hub_of_an_organization_is_given_the_way_into_that_organization(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    given = {"DeploymentMode": "multi", "OrganizationId": "o-exampleorgid"}
    outputs = await hub_stack(aws, admin.account_id, **given)
    iam = admin.client("iam")
    document = iam.get_role_policy(RoleName=outputs["HubRoleName"], PolicyName="enter")["PolicyDocument"]
    entering = next(each for each in document["Statement"] if each["Action"] == "sts:AssumeRole")
    assert entering["Resource"] == "arn:aws:iam::*:role/Dome9CloudBots"
    assert entering["Condition"] == {"StringEquals": {"aws:ResourceOrgID": "o-exampleorgid"}}


async def test_names_can_be_chosen(aws: FakeAws) -> None:
    outputs = await hub_stack(
        aws, aws.fresh_account().account_id, HubName="fixer", InputTopicName="in", OutputTopicName="out"
    )
    assert [outputs[key].rsplit(":")[-1] for key in ("InputTopicARN", "OutputTopicARN")] == ["in", "out"]
    assert outputs["QueueUrl"].endswith("/fixer-findings")
    assert (outputs["TableName"], outputs["HubRoleName"]) == ("fixer", "fixer")


async def test_with_lambda_a_function_takes_findings_from_the_queue(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    bucket = f"code-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=bucket)
    admin.client("s3").put_object(Bucket=bucket, Key="remediation-hub.zip", Body=b"a package")
    outputs = await hub_stack(aws, admin.account_id, Compute="lambda", CodeBucket=bucket)
    client = admin.client("lambda")
    found = client.get_function_configuration(FunctionName="remediation-hub")
    assert (found["Handler"], found["Runtime"], found["Timeout"]) == (
        "hub.handler.handler",
        "python3.11",
        300,
    )
    assert found["Environment"]["Variables"]["HUB_JOURNAL"] == f"dynamodb:{outputs['TableName']}"
    [mapping] = client.list_event_source_mappings(FunctionName="remediation-hub")["EventSourceMappings"]
    assert mapping["EventSourceArn"].endswith(":remediation-hub-findings")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


async def test_deploying_the_same_again_changes_nothing_and_is_no_error(aws: FakeAws) -> None:
    account = aws.fresh_account().account_id
    assert await hub_stack(aws, account) == await hub_stack(aws, account)


async def test_a_changed_parameter_brings_the_stack_up_to_date(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    await hub_stack(aws, admin.account_id, WorkerPrincipal="arn:aws:iam::222233334444:role/one")
    await hub_stack(aws, admin.account_id, WorkerPrincipal="arn:aws:iam::222233334444:role/two")
    stack = admin.client("cloudformation").describe_stacks(StackName="remediation-hub")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert given["WorkerPrincipal"].endswith("/two")


async def test_the_spoke_role_lands_in_every_account_of_the_unit_and_of_units_inside_it(aws: FakeAws) -> None:
    where = organization(aws)
    rollout = await spokes(aws, where)
    assert rollout == Rollout(accounts=tuple(sorted((where.upper, where.lower))), missed=())
    for account in (where.upper, where.lower):
        iam = aws.admin(account).client("iam")
        assert iam.get_role(RoleName="Dome9CloudBots")["Role"]["MaxSessionDuration"] == 3600
        attached = iam.list_attached_role_policies(RoleName="Dome9CloudBots")["AttachedPolicies"]
        expected = set(policies(select()))
        assert {policy["PolicyName"] for policy in attached} == {
            f"Dome9CloudBots-{name}" for name in expected
        }
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


async def test_the_spoke_role_can_be_a_plain_stack_where_no_stackset_reaches(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    outputs = await spoke_stack(aws, admin.account_id, hub=admin.account_id)
    assert outputs["RoleArn"] == f"arn:aws:iam::{admin.account_id}:role/Dome9CloudBots"


async def test_what_aws_says_against_a_stack_is_passed_on(aws: FakeAws) -> None:
    async with cloudformation(aws, aws.fresh_account().account_id) as client:
        with pytest.raises(DeploymentFailed, match="ExternalId"):
            await deploy_stack(client, template=HUB_YAML, stack_name="hub", parameters={}, patience=AT_ONCE)


# --- what only AWS itself does: fail half-way, take its time, leave accounts out


class Told:
    """A CloudFormation client that gives prepared answers and writes down what it was asked."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        async def call(**request: Any) -> Any:
            return self._answer(operation, request)

        return call

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Any:
        self.asked.append((operation, request))
        waiting = self.answers[operation]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get_paginator(self, operation: str) -> Any:
        told = self

        class Pages:
            async def paginate(self, **request: Any) -> AsyncIterator[Any]:
                for page in told._answer(operation, request):
                    yield page

        return Pages()

    def requests(self, operation: str) -> list[Mapping[str, Any]]:
        return [request for name, request in self.asked if name == operation]


def refused(code: str, message: str, operation: str = "DescribeStacks") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


NO_STACK = refused("ValidationError", "Stack with id hub does not exist")


def stack(status: str, **outputs: str) -> dict[str, Any]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"Stacks": [{"StackStatus": status, "Outputs": listed}]}


def event(resource: str, status: str, reason: str = "") -> dict[str, str]:
    return {"LogicalResourceId": resource, "ResourceStatus": status, "ResourceStatusReason": reason}


async def deployed(client: Any, patience: Patience = AT_ONCE) -> dict[str, str]:
    return await deploy_stack(
        client, template="Resources: {}", stack_name="hub", parameters={"B": "2", "A": "1"}, patience=patience
    )


async def test_a_stack_is_waited_for() -> None:
    client = Told(
        describe_stacks=[
            NO_STACK,
            *[stack("CREATE_IN_PROGRESS")] * 3,
            stack("CREATE_COMPLETE", QueueUrl="q"),
        ],
        create_stack=[{}],
    )
    assert await deployed(client) == {"QueueUrl": "q"}
    [request] = client.requests("create_stack")
    assert request["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert [each["ParameterKey"] for each in request["Parameters"]] == ["A", "B"]


async def test_a_stack_that_takes_too_long_is_given_up_on_in_words() -> None:
    client = Told(describe_stacks=[NO_STACK, stack("CREATE_IN_PROGRESS")], create_stack=[{}])
    with pytest.raises(DeploymentFailed, match="stack hub is not done after 0 seconds"):
        await deployed(client, Patience(wait=0.05, poll=0.01))


async def test_a_stack_that_was_rolled_back_tells_the_cause_and_not_what_followed_from_it() -> None:
    events = [
        event("hub", "ROLLBACK_IN_PROGRESS"),
        event("Queue", "CREATE_FAILED", "Resource creation cancelled"),
        event("Journal", "CREATE_FAILED", "remediation-hub already exists"),
        event("hub", "CREATE_IN_PROGRESS", "User Initiated"),
        event("Old", "UPDATE_FAILED", "of an earlier attempt"),
    ]
    client = Told(
        describe_stacks=[NO_STACK, stack("ROLLBACK_COMPLETE")],
        create_stack=[{}],
        describe_stack_events=[[{"StackEvents": events[:2]}, {"StackEvents": events[2:]}]],
    )
    with pytest.raises(DeploymentFailed) as failed:
        await deployed(client)
    assert (
        str(failed.value) == "stack hub ended as ROLLBACK_COMPLETE: Journal: remediation-hub already exists"
    )


async def test_an_update_that_was_rolled_back_is_a_failure() -> None:
    client = Told(
        describe_stacks=[stack("CREATE_COMPLETE"), stack("UPDATE_ROLLBACK_COMPLETE")],
        update_stack=[{}],
        describe_stack_events=[[{"StackEvents": []}]],
    )
    with pytest.raises(DeploymentFailed, match="UPDATE_ROLLBACK_COMPLETE: AWS gives no reason"):
        await deployed(client)


async def test_an_update_without_a_change_gives_the_outputs_there_are() -> None:
    nothing = refused("ValidationError", "No updates are to be performed.", "UpdateStack")
    client = Told(describe_stacks=[stack("CREATE_COMPLETE", QueueUrl="q")], update_stack=[nothing])
    assert await deployed(client) == {"QueueUrl": "q"}


async def test_an_update_aws_refuses_is_a_failure() -> None:
    wrong = refused("ValidationError", "Parameters: [B] do not exist in the template", "UpdateStack")
    client = Told(describe_stacks=[stack("CREATE_COMPLETE", QueueUrl="q")], update_stack=[wrong])
    with pytest.raises(DeploymentFailed, match=r"UpdateStack was refused: .* do not exist"):
        await deployed(client)


async def test_a_stack_that_never_came_into_being_has_to_be_deleted_first() -> None:
    client = Told(describe_stacks=[stack("ROLLBACK_COMPLETE")])
    with pytest.raises(DeploymentFailed, match="delete it"):
        await deployed(client)
    assert [name for name, _ in client.asked] == ["describe_stacks"]


async def test_not_being_allowed_to_look_is_not_taken_for_there_being_no_stack() -> None:
    client = Told(describe_stacks=[refused("AccessDenied", "not authorized")])
    with pytest.raises(DeploymentFailed, match="DescribeStacks was refused: AccessDenied"):
        await deployed(client)


async def test_a_template_that_is_too_long_is_not_sent() -> None:
    client = Told()
    with pytest.raises(DeploymentFailed, match="51200"):
        await deploy_stack(client, template="#" * 51_201, stack_name="hub", parameters={})
    assert client.asked == []


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
