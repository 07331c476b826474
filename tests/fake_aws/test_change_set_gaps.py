"""Change sets: what would be done, told before it is done."""

from __future__ import annotations

import json
from typing import Any

from tests.fake_aws.admin import Admin
from tests.fake_aws.server import allow, policy
from tests.fake_aws.stack_estate import (
    NAMED,
    queue,
    queues,
    stack,
    template,
    text_parameter,
)
from tests.fake_aws.stack_set_estate import only, refusal, role_template


def prepare(
    admin: Admin, text: str, *, kind: str = "UPDATE", name: str = "next", **more: Any
) -> dict[str, Any]:
    client = admin.client("cloudformation")
    asked: dict[str, Any] = {"TemplateBody": text, "ChangeSetType": kind, "Capabilities": NAMED}
    client.create_change_set(StackName="shop", ChangeSetName=name, **asked | more)
    return described(admin, name)


def described(admin: Admin, name: str = "next", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = admin.client("cloudformation").describe_change_set(
        StackName="shop", ChangeSetName=name, **more
    )
    return found


def execute(admin: Admin, name: str = "next") -> None:
    admin.client("cloudformation").execute_change_set(StackName="shop", ChangeSetName=name)


def changes(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in found["Changes"]}


def created(admin: Admin, text: str, **more: Any) -> None:
    admin.client("cloudformation").create_stack(
        StackName="shop", TemplateBody=text, Capabilities=NAMED, **more
    )


def test_a_change_set_of_a_new_stack_adds_everything_once_it_is_executed(admin: Admin) -> None:
    found = prepare(admin, template(Queue=queue("one")), kind="CREATE")
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    change = changes(found)["Queue"]
    assert (change["Action"], change["ResourceType"]) == ("Add", "AWS::SQS::Queue")
    assert (stack(admin)["StackStatus"], queues(admin)) == ("REVIEW_IN_PROGRESS", [])
    execute(admin)
    assert (stack(admin)["StackStatus"], queues(admin)) == ("CREATE_COMPLETE", ["one"])
    assert described(admin)["ExecutionStatus"] == "EXECUTE_COMPLETE"
    code, message = refusal(execute, admin=admin)
    assert (code, "cannot be executed" in message) == ("InvalidChangeSetStatus", True)


def test_a_stack_under_review_can_be_given_up_or_prepared_anew(admin: Admin) -> None:
    prepare(admin, template(Queue=queue("one")), kind="CREATE")
    prepare(admin, template(Queue=queue("two")), kind="CREATE", name="better")
    client = admin.client("cloudformation")
    client.delete_change_set(StackName="shop", ChangeSetName="next")
    assert refusal(described, admin=admin) == ("ChangeSetNotFound", "ChangeSet [next] does not exist")
    execute(admin, "better")
    assert queues(admin) == ["two"]
    client.delete_stack(StackName="shop")
    prepare(admin, template(Queue=queue("one")), kind="CREATE")
    client.delete_stack(StackName="shop")
    assert refusal(stack, admin=admin)[0] == "ValidationError"


def test_a_change_set_without_changes_fails_and_says_so(admin: Admin) -> None:
    created(admin, role_template())
    found = prepare(admin, role_template())
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"] == (
        "The submitted information didn't contain changes. "
        "Submit different information to create a change set."
    )
    assert found["Changes"] == []
    assert refusal(execute, admin=admin)[0] == "InvalidChangeSetStatus"


def test_additions_changes_and_removals_are_told_and_then_done(admin: Admin) -> None:
    kept = queue("kept", DeletionPolicy="Retain")
    created(admin, template(Queue=queue("one"), Old=queue("old"), Kept=kept, Same=queue("same")))
    changed = queue("one")
    changed["Properties"]["VisibilityTimeout"] = 77
    found = changes(prepare(admin, template(Queue=changed, New=queue("new"), Same=queue("same"))))
    assert {name: each["Action"] for name, each in found.items()} == {
        "Queue": "Modify",
        "New": "Add",
        "Old": "Remove",
        "Kept": "Remove",
    }
    assert (found["Old"]["PolicyAction"], found["Kept"]["PolicyAction"]) == ("Delete", "Retain")
    assert found["Old"]["PhysicalResourceId"].endswith("/old")
    modified = found["Queue"]
    assert (modified["Replacement"], modified["Scope"]) == ("False", ["Properties"])
    detail = only(modified["Details"])
    assert detail["Target"] == {
        "Attribute": "Properties",
        "Name": "VisibilityTimeout",
        "RequiresRecreation": "Never",
    }
    assert (detail["Evaluation"], detail["ChangeSource"]) == ("Static", "DirectModification")
    assert sorted(queues(admin)) == ["kept", "old", "one", "same"]
    execute(admin)
    assert sorted(queues(admin)) == ["kept", "new", "one", "same"]
    assert stack(admin)["StackStatus"] == "UPDATE_COMPLETE"


def test_a_changed_parameter_is_named_as_the_cause(admin: Admin) -> None:
    created(admin, role_template())
    found = prepare(admin, role_template(), Parameters=text_parameter("new"))
    detail = only(changes(found)["Role"]["Details"])
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ParameterReference", "Text")
    assert (detail["Target"]["Name"], detail["Target"]["RequiresRecreation"]) == ("Description", "Never")
    assert found["Parameters"] == text_parameter("new")
    with_values = described(admin, IncludePropertyValues=True)
    target = only(changes(with_values)["Role"]["Details"])["Target"]
    assert (target["BeforeValue"], target["AfterValue"]) == ("as it was", "new")


def test_replacements_are_told_and_what_may_follow_from_them(admin: Admin) -> None:
    def text(name: str) -> str:
        looking = json.loads(policy(allow("s3:ListAllMyBuckets")))
        lists = {"Roles": [{"Ref": "Role"}], "PolicyName": "p", "PolicyDocument": looking}
        found = json.loads(role_template(RoleName=name))
        found["Resources"]["Inline"] = {"Type": "AWS::IAM::Policy", "Properties": lists}
        return json.dumps(found)

    created(admin, text("One"))
    found = changes(prepare(admin, text("Two")))
    assert found["Role"]["Replacement"] == "True"
    assert only(found["Role"]["Details"])["Target"]["RequiresRecreation"] == "Always"
    following = only(found["Inline"]["Details"])
    assert (following["Evaluation"], following["ChangeSource"]) == ("Dynamic", "ResourceReference")
    execute(admin)
    assert [each["RoleName"] for each in admin.client("iam").list_roles()["Roles"]] == ["Two"]


def test_tags_are_a_scope_of_their_own(admin: Admin) -> None:
    created(admin, role_template(Tags=[{"Key": "version", "Value": "1"}]))
    found = changes(prepare(admin, role_template(Tags=[{"Key": "version", "Value": "2"}])))["Role"]
    assert (found["Scope"], found["Replacement"]) == (["Tags"], "False")


def test_executing_one_does_away_with_the_others(admin: Admin) -> None:
    created(admin, template(Queue=queue("one")))
    prepare(admin, template(Queue=queue("one"), Other=queue("two")), name="a")
    prepare(admin, template(Queue=queue("one"), Other=queue("three")), name="b")
    client = admin.client("cloudformation")
    assert len(client.list_change_sets(StackName="shop")["Summaries"]) == 2
    execute(admin, "a")
    assert only(client.list_change_sets(StackName="shop")["Summaries"])["ChangeSetName"] == "a"


def test_stacks_that_are_there_and_those_that_are_not_take_change_sets_of_their_kind(admin: Admin) -> None:
    text = template(Queue=queue("one"))
    assert refusal(prepare, admin=admin, text=text) == ("ValidationError", "Stack [shop] does not exist")
    created(admin, text)
    code, message = refusal(prepare, admin=admin, text=text, kind="CREATE")
    assert (code, "already exists and cannot be created again" in message) == ("ValidationError", True)
    prepare(admin, template(Queue=queue("two")))
    again = refusal(prepare, admin=admin, text=template(Queue=queue("two")))
    assert again[0] == "AlreadyExistsException"
