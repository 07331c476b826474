"""The hub's template for tests: read once, worked out for the parameters of a test, its policies asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.deploy.worked_out import HUB, WorkedOut
from tests.fake_aws.admin import Admin
from tests.fake_aws.strict_iam import Context, Request, Word, spoken
from tests.spoke_role.reading import ROOT, parsed

TEXT = (ROOT / "deploy/hub.yaml").read_text(encoding="utf-8")
TEMPLATE = parsed(TEXT)
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]

EXTERNAL_ID = "an-external-id"
ORGANIZATION = "o-exampleorgid"
GIVEN_KEY = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000"
# What has to be said in any case.
NEEDED = {"ExternalId": EXTERNAL_ID, "CodeBucket": "packages"}


def hub(partition: str = "aws", **parameters: str) -> WorkedOut:
    """The hub's stack with these parameters."""
    return WorkedOut(TEMPLATE, NEEDED | parameters, partition)


def said(
    documents: list[Any], action: str, resource: str, caller: str = "", service: str = "", **context: str
) -> Word:
    """What policies say of a call.

    Args:
        caller: ARN of a principal; the documents are then resource policies.
        service: a service principal instead.
        context: condition keys, colons written as ``__``, over those AWS sends with every call.
    """
    texts = [json.dumps(document) for document in documents]
    keys: Context = {"aws:SecureTransport": "true"}
    principals: tuple[str, ...] | None = None
    if service:
        # The evaluator knows principals of AWS only; to a policy a service is one name more.
        texts = [text.replace('"Service":', '"AWS":') for text in texts]
        principals = (service,)
    elif caller:
        account = caller.split(":")[4]
        principals = (caller, account, f"arn:{caller.split(':')[1]}:iam::{account}:root")
        keys = {**keys, "aws:PrincipalArn": caller, "aws:PrincipalAccount": account}
    keys = {**keys, **{name.replace("__", ":"): value for name, value in context.items()}}
    return spoken(texts, Request(action=action, resource=resource, context=keys), principals=principals)


def may(
    policy: Mapping[str, Any], action: str, resource: str, caller: str, *, owner: str = HUB, **context: str
) -> bool:
    """Whether somebody who may do everything on their own side gets past a resource's policy.

    Inside the owner's account one side is enough; from outside it takes both.
    """
    word = said([policy], action, resource, caller, **context)
    inside = caller.split(":")[4] == owner
    return word is Word.ALLOW or (inside and word is Word.SILENT)


def rights(stack: WorkedOut, *only: str) -> list[Any]:
    """The policies of the hub's role, or those of these names."""
    return [
        each["PolicyDocument"]
        for each in stack.of_type("AWS::IAM::Policy").values()
        if not only or each["PolicyName"] in only
    ]


def deployed(
    admin: Admin, text: str, *, stack_name: str = "remediation-hub", **parameters: str
) -> dict[str, str]:
    """The outputs of a stack in an account of the tests' AWS."""
    cloudformation = admin.client("cloudformation")
    cloudformation.create_stack(
        StackName=stack_name,
        TemplateBody=text,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    [stack] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
