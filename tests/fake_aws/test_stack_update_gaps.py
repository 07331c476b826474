"""Stacks brought up to date: what really changes in the account, and what becomes of it when that fails."""

from __future__ import annotations

import json

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


def test_an_update_that_changes_nothing_is_refused(admin: Admin) -> None:
    create(admin, role_template(), Parameters=text_parameter("words"))
    again = refusal(update, admin=admin, text=role_template(), Parameters=text_parameter("words"))
    assert again == ("ValidationError", "No updates are to be performed.")
    # Values that are not given are the defaults again.
    assert update(admin, role_template())["StackStatus"] == "UPDATE_COMPLETE"


def test_values_can_be_kept_from_before(admin: Admin) -> None:
    create(admin, role_template(), Parameters=text_parameter("words"))
    kept = [{"ParameterKey": "Text", "UsePreviousValue": True}]
    client = admin.client("cloudformation")
    client.update_stack(
        StackName="shop", TemplateBody=role_template(Path="/a/", RoleName="Other"), Parameters=kept,
        Capabilities=NAMED,
    )  # fmt: skip
    assert stack(admin)["Parameters"] == text_parameter("words")
    role = admin.client("iam").get_role(RoleName="Other")["Role"]
    assert (role["Path"], role["Description"]) == ("/a/", "words")
    assert code(admin.client("iam").get_role, RoleName="Guard") == "NoSuchEntity"


def test_an_update_changes_the_role_itself(admin: Admin) -> None:
    create(admin, role_template(Tags=[{"Key": "version", "Value": "1"}]))
    trusting = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    trusting["Statement"][0]["Principal"] = {"Service": "lambda.amazonaws.com"}  # type: ignore[index]
    inline = [{"PolicyName": "look", "PolicyDocument": json.loads(policy(allow("s3:ListAllMyBuckets")))}]
    text = role_template(
        Tags=[{"Key": "version", "Value": "2"}],
        AssumeRolePolicyDocument=trusting,
        Policies=inline,
        MaxSessionDuration=7200,
    )
    before = admin.client("iam").get_role(RoleName="Guard")["Role"]["RoleId"]
    assert update(admin, text, Parameters=text_parameter("new"))["StackStatus"] == "UPDATE_COMPLETE"
    role = admin.client("iam").get_role(RoleName="Guard")["Role"]
    assert role["RoleId"] == before
    assert role["Tags"] == [{"Key": "version", "Value": "2"}]
    assert role["AssumeRolePolicyDocument"] == trusting
    assert (role["Description"], role["MaxSessionDuration"]) == ("new", 7200)
    assert admin.client("iam").list_role_policies(RoleName="Guard")["PolicyNames"] == ["look"]


def attached(admin: Admin) -> set[str]:
    found = admin.client("iam").list_attached_role_policies(RoleName="Guard")["AttachedPolicies"]
    return {each["PolicyName"] for each in found}


def test_a_changed_managed_policy_has_a_new_default_version_and_old_versions_make_room(admin: Admin) -> None:
    documents = [json.loads(policy(allow(f"s3:Get{n}"))) for n in range(7)]
    create(admin, guarded(limits=documents[0]))
    for document in documents[1:]:
        update(admin, guarded(limits=document))
    iam = admin.client("iam")
    arn = f"arn:aws:iam::{admin.account_id}:policy/limits"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [each["VersionId"] for each in versions if each["IsDefaultVersion"]] == ["v7"]
    assert len(versions) == 5
    found = iam.get_policy_version(PolicyArn=arn, VersionId="v7")["PolicyVersion"]["Document"]
    assert found == documents[-1]


def test_policies_are_attached_and_detached_with_the_template(admin: Admin) -> None:
    document = json.loads(policy(allow("s3:GetObject")))
    create(admin, guarded(one=document, two=document))
    assert attached(admin) == {"one", "two"}
    update(admin, guarded(two=document, three=document))
    assert attached(admin) == {"two", "three"}
    names = {each["PolicyName"] for each in admin.client("iam").list_policies(Scope="Local")["Policies"]}
    assert names == {"two", "three"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            guarded(**{f"p{n}": json.loads(policy(allow("s3:GetObject"))) for n in range(11)}),
            "PoliciesPerRole: 10",
        ),
        (guarded(long=json.loads(policy(allow(*(f"s3:Get{n}" for n in range(900)))))), "PolicySize: 6144"),
    ],
)
def test_quotas_of_iam_fail_the_stack(admin: Admin, text: str, said: str) -> None:
    assert create(admin, text)["StackStatus"] == "ROLLBACK_COMPLETE"
    told = admin.client("cloudformation").describe_stack_events(StackName="shop")["StackEvents"]
    assert any(said in each.get("ResourceStatusReason", "") for each in told)
    assert admin.client("iam").list_roles()["Roles"] == []
    assert admin.client("iam").list_policies(Scope="Local")["Policies"] == []


def test_an_update_that_fails_leaves_everything_as_it_was(admin: Admin) -> None:
    create(admin, template(Queue=queue("one"), Old=queue("old")))
    admin.client("sqs").create_queue(QueueName="taken")
    changed = queue("one")
    changed["Properties"]["VisibilityTimeout"] = 77
    text = template(Queue=changed, New=queue("new"), Taken=queue("taken"))
    assert update(admin, text)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert sorted(queues(admin)) == ["old", "one", "taken"]
    sqs = admin.client("sqs")
    found = sqs.get_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName="one")["QueueUrl"], AttributeNames=["All"]
    )
    assert found["Attributes"]["VisibilityTimeout"] == "30"
    told = events(admin)
    assert told[0] == ("shop", "UPDATE_ROLLBACK_COMPLETE")
    assert ("Taken", "CREATE_FAILED") in told
    assert ("New", "DELETE_COMPLETE") in told


def test_a_named_resource_that_would_have_to_be_replaced_fails_the_update(admin: Admin) -> None:
    create(admin, role_template())
    assert update(admin, role_template(Path="/elsewhere/"))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    told = admin.client("cloudformation").describe_stack_events(StackName="shop")["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in told]
    assert any(
        each.startswith("CloudFormation cannot update a stack when a custom-named") for each in reasons
    )


def test_a_replaced_resource_goes_when_all_that_mention_it_have_moved_on(admin: Admin) -> None:
    def text(name: str) -> str:
        url = {
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": {"Fn::GetAtt": ["Queue", "QueueName"]}},
        }
        return template(Queue=queue(name), Topic=url)

    create(admin, text("one"))
    assert update(admin, text("two"))["StackStatus"] == "UPDATE_COMPLETE"
    assert queues(admin) == ["two"]
    sns = admin.client("sns")
    topic = only(sns.list_topics()["Topics"])["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "two"
