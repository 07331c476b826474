"""Stacks: what the templates make in an (emulated) AWS, and what is said when AWS does not do it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.calls import Patience
from deploy.errors import DeploymentFailed
from deploy.stack import delete_stack, deploy_stack
from hub.journals.dynamodb_table import table_definition
from tests.deploy.estate import AT_ONCE, HUB_YAML, cloudformation, hub_stack, spoke_stack
from tests.deploy.told import NO_STACK, Told, event, refused, stack
from tests.fake_aws.server import FakeAws


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
    assert sorted(policies) == ["accounts", "log", "look", "work"]


async def test_the_hub_of_an_organization_is_given_the_way_into_that_organization(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    given = {"DeploymentMode": "multi", "OrganizationId": "o-exampleorgid"}
    outputs = await hub_stack(aws, admin.account_id, **given)
    iam = admin.client("iam")
    document = iam.get_role_policy(RoleName=outputs["HubRoleName"], PolicyName="accounts")["PolicyDocument"]
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


async def test_the_spoke_role_can_be_a_plain_stack_where_no_stackset_reaches(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    outputs = await spoke_stack(aws, admin.account_id, hub=admin.account_id)
    assert outputs["RoleArn"] == f"arn:aws:iam::{admin.account_id}:role/Dome9CloudBots"


async def test_what_aws_says_against_a_stack_is_passed_on(aws: FakeAws) -> None:
    async with cloudformation(aws, aws.fresh_account().account_id) as client:
        with pytest.raises(DeploymentFailed, match="ExternalId"):
            await deploy_stack(client, template=HUB_YAML, stack_name="hub", parameters={}, patience=AT_ONCE)


# --- what only AWS itself does: fail half-way, take its time


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


async def test_a_stack_that_is_not_there_needs_no_deletion() -> None:
    client = Told(describe_stacks=[NO_STACK])
    await delete_stack(client, "hub", patience=AT_ONCE)
    assert [name for name, _ in client.asked] == ["describe_stacks"]


async def test_a_deletion_is_waited_for_and_what_happens_is_told_once() -> None:
    first = [event("Queue", "DELETE_IN_PROGRESS")]
    client = Told(
        describe_stacks=[
            stack("CREATE_COMPLETE"),
            stack("DELETE_IN_PROGRESS"),
            stack("DELETE_COMPLETE"),
        ],
        describe_stack_events=[
            [{"StackEvents": [event("hub", "CREATE_COMPLETE")]}],
            [{"StackEvents": [*first, event("hub", "CREATE_COMPLETE")]}],
            [{"StackEvents": [event("Queue", "DELETE_COMPLETE"), *first]}],
        ],
        delete_stack=[{}],
    )
    heard: list[str] = []
    await delete_stack(client, "hub", patience=AT_ONCE, hear=lambda each: heard.append(each.status))
    assert heard == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert client.requests("delete_stack") == [{"StackName": "arn:hub"}]


async def test_a_deletion_that_failed_names_the_resource_that_stays() -> None:
    failed = event("Queue", "DELETE_FAILED", "not authorized to perform: sqs:DeleteQueue")
    client = Told(
        describe_stacks=[stack("CREATE_COMPLETE"), stack("DELETE_FAILED")],
        describe_stack_events=[[{"StackEvents": []}], [{"StackEvents": [failed]}]],
        delete_stack=[{}],
    )
    with pytest.raises(DeploymentFailed, match=r"DELETE_FAILED: Queue: not authorized"):
        await delete_stack(client, "hub", patience=AT_ONCE)


async def test_a_stack_that_is_protected_says_so() -> None:
    said = refused("ValidationError", "TerminationProtection is enabled", "DeleteStack")
    client = Told(
        describe_stacks=[stack("CREATE_COMPLETE")],
        describe_stack_events=[[{"StackEvents": []}]],
        delete_stack=[said],
    )
    with pytest.raises(DeploymentFailed, match="TerminationProtection is enabled"):
        await delete_stack(client, "hub", patience=AT_ONCE)
