"""A change is worked out by AWS, shown, and made or thrown away without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.change_set import Change, ChangeSet, Detail, carry_out, discard, propose
from deploy.errors import DeploymentFailed
from tests.deploy.estate import AT_ONCE
from tests.deploy.told import NO_STACK, Told, event, refused, stack

MADE = {"Id": "arn:change", "StackId": "arn:hub"}
CHANGE_SET = ChangeSet(
    arn="arn:change", name="c", stack_id="arn:hub", stack_name="hub", kind="UPDATE", changes=()
)
NEW = ChangeSet(arn="arn:change", name="c", stack_id="arn:hub", stack_name="hub", kind="CREATE", changes=())


def resource(action: str, logical_id: str, **more: Any) -> dict[str, Any]:
    change = {"Action": action, "LogicalResourceId": logical_id, "ResourceType": "AWS::SQS::Queue", **more}
    return {"Type": "Resource", "ResourceChange": change}


def told(status: str, *changes: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"Status": status, "Changes": list(changes), **more}


async def proposed(client: Told) -> ChangeSet | None:
    return await propose(
        client,
        stack_name="hub",
        template={"TemplateBody": "Resources: {}"},
        parameters=[],
        kind="UPDATE",
        patience=AT_ONCE,
    )


async def test_what_changes_of_a_resource_is_told_once_with_all_that_is_known() -> None:
    details = [
        {
            "Target": {"Attribute": "Properties", "Name": "QueueName", "RequiresRecreation": "Always"},
            "CausingEntity": "HubName",
            "ChangeSource": "ParameterReference",
        },
        {
            "Target": {
                "Attribute": "Properties",
                "Name": "QueueName",
                "RequiresRecreation": "Never",
                "BeforeValue": "a-findings",
                "AfterValue": "b-findings",
            },
            "ChangeSource": "DirectModification",
        },
        {"Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}},
    ]
    replaced = resource(
        "Modify", "Queue", Replacement="True", PolicyAction="ReplaceAndRetain", Details=details
    )
    client = Told(
        create_change_set=[MADE],
        describe_change_set=[
            told("CREATE_IN_PROGRESS"),
            told("CREATE_COMPLETE", replaced, NextToken="more"),
            told("CREATE_COMPLETE", resource("Add", "Alarm")),
        ],
    )
    found = await proposed(client)
    assert found is not None
    assert found.changes == (
        Change(
            action="Modify",
            resource="Queue",
            type="AWS::SQS::Queue",
            replacement="True",
            policy="ReplaceAndRetain",
            details=(
                Detail(
                    what="QueueName",
                    because="HubName",
                    before="a-findings",
                    after="b-findings",
                    replaces="Always",
                ),
                Detail(what="Tags"),
            ),
        ),
        Change(action="Add", resource="Alarm", type="AWS::SQS::Queue"),
    )


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
async def test_no_change_is_no_failure_and_leaves_no_change_set(reason: str) -> None:
    client = Told(
        create_change_set=[MADE],
        describe_change_set=[told("FAILED", StatusReason=reason)],
        delete_change_set=[{}],
    )
    assert await proposed(client) is None
    assert client.requests("delete_change_set") == [{"ChangeSetName": "arn:change", "StackName": "arn:hub"}]


async def test_a_change_aws_cannot_work_out_is_a_failure_and_leaves_no_change_set() -> None:
    client = Told(
        create_change_set=[MADE],
        describe_change_set=[told("FAILED", StatusReason="Template error: no such Ref")],
        delete_change_set=[{}],
    )
    with pytest.raises(DeploymentFailed, match="could not work out the change: Template error: no such Ref"):
        await proposed(client)
    assert client.requests("delete_change_set")


async def test_a_change_set_aws_refuses_says_why() -> None:
    client = Told(create_change_set=[refused("AccessDenied", "not authorized", "CreateChangeSet")])
    with pytest.raises(DeploymentFailed, match="CreateChangeSet was refused: AccessDenied: not authorized"):
        await proposed(client)


async def test_events_are_told_as_they_come_and_the_new_outputs_come_back() -> None:
    old = event("hub", "CREATE_COMPLETE")
    going = event("Queue", "UPDATE_IN_PROGRESS")
    client = Told(
        describe_stack_events=[
            [{"StackEvents": [old]}],
            [{"StackEvents": [going, old]}],
            [{"StackEvents": [event("Queue", "UPDATE_COMPLETE"), going, old]}],
        ],
        execute_change_set=[{}],
        describe_stacks=[stack("UPDATE_IN_PROGRESS"), stack("UPDATE_COMPLETE", QueueUrl="q")],
    )
    heard: list[tuple[str, str]] = []
    after = await carry_out(
        client, CHANGE_SET, patience=AT_ONCE, hear=lambda each: heard.append((each.resource, each.status))
    )
    assert heard == [("Queue", "UPDATE_IN_PROGRESS"), ("Queue", "UPDATE_COMPLETE")]
    assert after.outputs == {"QueueUrl": "q"}


async def test_a_change_that_was_taken_back_tells_the_cause_first() -> None:
    events = [
        event("Role", "CREATE_FAILED", "Resource creation cancelled"),
        event("Journal", "CREATE_FAILED", "remediation-hub already exists"),
        event("hub", "CREATE_IN_PROGRESS", "User Initiated"),
    ]
    client = Told(
        describe_stack_events=[[{"StackEvents": []}], [{"StackEvents": events}]],
        execute_change_set=[{}],
        describe_stacks=[stack("ROLLBACK_COMPLETE")],
    )
    with pytest.raises(DeploymentFailed) as failed:
        await carry_out(client, NEW, patience=AT_ONCE)
    assert (
        str(failed.value) == "stack hub ended as ROLLBACK_COMPLETE: Journal: remediation-hub already exists"
    )


async def test_a_change_that_is_thrown_away_takes_the_empty_stack_with_it() -> None:
    client = Told(
        delete_change_set=[{}],
        describe_stacks=[stack("REVIEW_IN_PROGRESS"), stack("REVIEW_IN_PROGRESS"), NO_STACK],
        describe_stack_events=[[{"StackEvents": []}]],
        delete_stack=[{}],
    )
    await discard(client, NEW)
    assert client.requests("delete_stack") == [{"StackName": "arn:hub"}]


async def test_a_stack_that_is_more_than_a_plan_outlives_its_change_set() -> None:
    gone = refused("ChangeSetNotFound", "does not exist", "DeleteChangeSet")
    client = Told(delete_change_set=[gone], describe_stacks=[stack("CREATE_COMPLETE")])
    await discard(client, NEW)
    assert client.requests("delete_stack") == []
