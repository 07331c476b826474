"""Stacks: made, changed and deleted with all that AWS does when something is wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fake_aws.admin import Admin, code
from tests.fake_aws.server import allow, policy
from tests.fake_aws.stack_estate import (
    NAMED,
    create,
    events,
    guarded,
    queue,
    queues,
    stack,
    template,
    text_parameter,
    update,
)
from tests.fake_aws.stack_set_estate import only, refusal, role_template


def test_resources_are_made_in_the_order_they_need_each_other_and_events_tell_newest_first(
    admin: Admin,
) -> None:
    first = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "orders"}}
    text = template(
        Queue=queue("orders", DependsOn="Later"),
        Later={
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": {"Fn::Sub": "of ${First.TopicName}"}},
        },
        First=first,
    )
    assert create(admin, text)["StackStatus"] == "CREATE_COMPLETE"
    told = events(admin)
    assert told[0] == ("shop", "CREATE_COMPLETE")
    assert told[-1] == ("shop", "CREATE_IN_PROGRESS")
    done = [name for name, status in reversed(told) if status == "CREATE_COMPLETE"]
    assert done == ["First", "Later", "Queue", "shop"]


def test_a_stack_that_fails_is_rolled_back_and_says_what_failed(admin: Admin) -> None:
    admin.client("sqs").create_queue(QueueName="taken")
    text = template(Kept=queue("kept", DeletionPolicy="Retain"), Queue=queue("new"), Taken=queue("taken"))
    assert create(admin, text)["StackStatus"] == "ROLLBACK_COMPLETE"
    found = admin.client("cloudformation").describe_stack_events(StackName="shop")["StackEvents"]
    reasons = {
        (each["LogicalResourceId"], each["ResourceStatus"]): each.get("ResourceStatusReason", "")
        for each in found
    }
    assert (
        "Resource of type 'AWS::SQS::Queue' with identifier 'taken' already exists."
        in (reasons["Taken", "CREATE_FAILED"])
    )
    said = "The following resource(s) failed to create: [Taken]. Rollback requested by user."
    assert reasons["shop", "ROLLBACK_IN_PROGRESS"] == said
    assert ("Queue", "DELETE_COMPLETE") in reasons
    assert ("Kept", "DELETE_SKIPPED") in reasons
    assert sorted(queues(admin)) == ["kept", "taken"]
    assert "ROLLBACK_COMPLETE state and can not be updated" in refusal(update, admin=admin, text=text)[1]


@pytest.mark.parametrize(
    ("more", "status", "left"),
    [({"OnFailure": "DELETE"}, "DELETE_COMPLETE", 0), ({"DisableRollback": True}, "CREATE_FAILED", 1)],
)
def test_a_stack_that_fails_can_be_left_or_deleted_instead(
    admin: Admin, more: dict[str, Any], status: str, left: int
) -> None:
    admin.client("sqs").create_queue(QueueName="taken")
    client = admin.client("cloudformation")
    text = template(Queue=queue("new"), Taken=queue("taken"))
    made = client.create_stack(StackName="shop", TemplateBody=text, **more)
    assert stack(admin, made["StackId"])["StackStatus"] == status
    assert len([name for name in queues(admin) if name == "new"]) == left


def test_parameters_are_looked_at_before_anything_is_made(admin: Admin) -> None:
    declared = {
        "Word": {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "must be a word"},
        "Kind": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b"]},
        "Size": {"Type": "Number", "Default": 2, "MinValue": 1, "MaxValue": 5},
        "Name": {"Type": "String", "Default": "one", "MaxLength": 3},
    }
    rules = {
        "BigOnesAreB": {
            "RuleCondition": {"Fn::Equals": [{"Ref": "Size"}, 5]},
            "Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "Kind"}, "b"]}, "AssertDescription": "be b"}],
        }
    }
    text = json.dumps({"Parameters": declared, "Rules": rules, "Resources": {"Queue": queue("one")}})

    def said(**values: str) -> str:
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
        found, message = refusal(create, admin=admin, text=text, Parameters=given)
        assert found == "ValidationError"
        return message

    assert said() == "Parameters: [Word] must have values"
    assert said(Word="a", Other="b") == "Parameters: [Other] do not exist in the template"
    assert said(Word="1") == "Parameter Word failed to satisfy constraint: must be a word"
    assert "enum value set" in said(Word="a", Kind="c")
    assert "not greater than 5" in said(Word="a", Size="6")
    assert "at most 3 characters" in said(Word="a", Name="four")
    assert said(Word="a", Size="5").endswith("be b")
    assert queues(admin) == []


def test_a_template_that_makes_roles_needs_a_word_of_consent(admin: Admin) -> None:
    client = admin.client("cloudformation")
    found = refusal(client.create_stack, StackName="shop", TemplateBody=role_template())
    said = "Requires capabilities : [CAPABILITY_NAMED_IAM]"
    assert found == ("InsufficientCapabilitiesException", said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "At least one Resources member must be defined"),
        ("a: [", "YAML not well-formed"),
        (template(A=queue("a", DependsOn="B"), B=queue("b", DependsOn="A")), "Circular dependency"),
        (template(A=queue("a", DependsOn="B")), "Unresolved resource dependencies [B]"),
    ],
)
def test_what_is_no_template_is_refused(admin: Admin, text: str, said: str) -> None:
    found, message = refusal(create, admin=admin, text=text)
    assert (found, said in message) == ("ValidationError", True)


# --- deleted


def test_a_deleted_stack_takes_its_resources_along_but_those_to_be_kept(admin: Admin) -> None:
    document = json.loads(policy(allow("s3:GetObject")))
    found = json.loads(guarded(one=document))
    found["Resources"]["Kept"] = queue("kept", DeletionPolicy="Retain")
    made = create(admin, json.dumps(found))
    admin.client("cloudformation").delete_stack(StackName="shop")
    assert queues(admin) == ["kept"]
    assert admin.client("iam").list_roles()["Roles"] == []
    assert admin.client("iam").list_policies(Scope="Local")["Policies"] == []
    assert refusal(stack, admin=admin) == ("ValidationError", "Stack with id shop does not exist")
    assert stack(admin, made["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    told = events(admin, made["StackId"])
    assert told[0] == ("shop", "DELETE_COMPLETE")
    assert ("Kept", "DELETE_SKIPPED") in told
    admin.client("cloudformation").delete_stack(StackName="shop")  # again is no error


def test_what_others_hold_on_to_fails_the_deletion_until_it_is_kept(admin: Admin) -> None:
    create(admin, role_template())
    iam = admin.client("iam")
    by_hand = iam.create_policy(PolicyName="by-hand", PolicyDocument=policy(allow("s3:ListAllMyBuckets")))
    iam.attach_role_policy(RoleName="Guard", PolicyArn=by_hand["Policy"]["Arn"])
    client = admin.client("cloudformation")
    client.delete_stack(StackName="shop")
    assert stack(admin)["StackStatus"] == "DELETE_FAILED"
    client.delete_stack(StackName="shop", RetainResources=["Role"])
    assert refusal(stack, admin=admin)[0] == "ValidationError"
    assert iam.get_role(RoleName="Guard")


def test_what_somebody_else_deleted_already_is_no_obstacle(admin: Admin) -> None:
    create(admin, role_template())
    admin.client("iam").delete_role(RoleName="Guard")
    admin.client("cloudformation").delete_stack(StackName="shop")
    assert refusal(stack, admin=admin)[0] == "ValidationError"


def test_a_protected_stack_is_not_deleted(admin: Admin) -> None:
    create(admin, template(Queue=queue("one")), EnableTerminationProtection=True)
    client = admin.client("cloudformation")
    assert "TerminationProtection is enabled" in refusal(client.delete_stack, StackName="shop")[1]
    client.update_termination_protection(StackName="shop", EnableTerminationProtection=False)
    client.delete_stack(StackName="shop")
    assert queues(admin) == []


# --- seen


def test_a_stacks_resources_are_seen_as_they_are(admin: Admin) -> None:
    create(admin, template(Queue=queue("one"), Other=queue("two", DeletionPolicy="Retain")))
    client = admin.client("cloudformation")
    found = client.list_stack_resources(StackName="shop")["StackResourceSummaries"]
    seen = {each["LogicalResourceId"]: (each["ResourceType"], each["ResourceStatus"]) for each in found}
    assert seen == dict.fromkeys(("Queue", "Other"), ("AWS::SQS::Queue", "CREATE_COMPLETE"))
    one = client.describe_stack_resource(StackName="shop", LogicalResourceId="Queue")["StackResourceDetail"]
    assert one["PhysicalResourceId"].endswith("/one")
    assert (
        code(client.describe_stack_resource, StackName="shop", LogicalResourceId="None") == "ValidationError"
    )
    update(admin, template(Queue=queue("one", Properties={"QueueName": "one", "DelaySeconds": 5})))
    found = client.describe_stack_resources(StackName="shop")["StackResources"]
    assert {each["LogicalResourceId"]: each["ResourceStatus"] for each in found} == {
        "Queue": "UPDATE_COMPLETE",
        "Other": "DELETE_SKIPPED",
    }


def test_a_template_tells_what_it_asks_for(admin: Admin) -> None:
    client = admin.client("cloudformation")
    valid = client.validate_template(TemplateBody=role_template())
    assert valid["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    parameter = only(valid["Parameters"])
    assert (parameter["ParameterKey"], parameter["DefaultValue"]) == ("Text", "as it was")
    summary = client.get_template_summary(TemplateBody=role_template())
    assert summary["ResourceTypes"] == ["AWS::IAM::Role"]
    assert code(client.validate_template, TemplateBody="{}") == "ValidationError"


def test_a_stack_tells_what_it_was_made_with(admin: Admin) -> None:
    made = create(admin, role_template(), Tags=[{"Key": "team", "Value": "security"}])
    assert made["Tags"] == [{"Key": "team", "Value": "security"}]
    assert made["Capabilities"] == NAMED
    assert "LastUpdatedTime" not in made
    changed = update(admin, role_template(), Parameters=text_parameter("new"))
    assert changed["LastUpdatedTime"] >= changed["CreationTime"]
    assert changed["Tags"] == made["Tags"]
