"""Stacks of one account, and templates to make them of."""

from __future__ import annotations

import json
from typing import Any

from tests.fake_aws.admin import Admin
from tests.fake_aws.server import allow, policy
from tests.fake_aws.stack_set_estate import only, role_template

NAMED = ["CAPABILITY_NAMED_IAM"]


def template(**resources: Any) -> str:
    return json.dumps({"Resources": resources})


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def document(*actions: str) -> dict[str, Any]:
    """A resource's policy that allows everybody these actions."""
    found: dict[str, Any] = json.loads(policy(allow(*actions, Principal="*")))
    return found


def queue(name: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}, **more}


def create(admin: Admin, text: str, name: str = "shop", **more: Any) -> dict[str, Any]:
    client = admin.client("cloudformation")
    client.create_stack(StackName=name, TemplateBody=text, Capabilities=NAMED, **more)
    return stack(admin, name)


def update(admin: Admin, text: str, name: str = "shop", **more: Any) -> dict[str, Any]:
    client = admin.client("cloudformation")
    client.update_stack(StackName=name, TemplateBody=text, Capabilities=NAMED, **more)
    return stack(admin, name)


def delete(admin: Admin, name: str = "shop") -> None:
    admin.client("cloudformation").delete_stack(StackName=name)


def stack(admin: Admin, name: str = "shop") -> dict[str, Any]:
    found: dict[str, Any] = only(admin.client("cloudformation").describe_stacks(StackName=name)["Stacks"])
    return found


def events(admin: Admin, name: str = "shop") -> list[tuple[str, str]]:
    """Newest first."""
    found = admin.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [(each["LogicalResourceId"], each["ResourceStatus"]) for each in found]


def queues(admin: Admin) -> list[str]:
    return [url.rsplit("/", 1)[-1] for url in admin.client("sqs").list_queues().get("QueueUrls", [])]


def text_parameter(value: str) -> list[dict[str, str]]:
    return [{"ParameterKey": "Text", "ParameterValue": value}]


def guarded(**policies: Any) -> str:
    """A role and managed policies attached to it."""
    found = json.loads(role_template())
    for name, document in policies.items():
        properties = {"ManagedPolicyName": name, "Roles": [{"Ref": "Role"}], "PolicyDocument": document}
        found["Resources"][name] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}
    return json.dumps(found)
