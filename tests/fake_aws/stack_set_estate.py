"""An organization with units inside units, and StackSets that make a role in its accounts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
EVERYBODY = {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100}


def role_template(name: str = "Guard", **properties: Any) -> str:
    """A template with one parameter and one role."""
    trusting = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    declared = {"RoleName": name, "Description": {"Ref": "Text"}, "AssumeRolePolicyDocument": trusting}
    role = {"Type": "AWS::IAM::Role", "Properties": declared | properties}
    parameters = {"Text": {"Type": "String", "Default": "as it was"}}
    return json.dumps({"Parameters": parameters, "Resources": {"Role": role}})


@dataclass(frozen=True, slots=True)
class Estate:
    """``upper`` is a unit of the root, ``lower`` a unit of upper, ``lowest`` one of lower."""

    aws: FakeAws
    management: Admin
    root: str
    upper: str
    lower: str
    lowest: str

    @property
    def stack_sets(self) -> Any:
        return self.management.client("cloudformation")

    def account(self, unit: str | None = None) -> str:
        """A new account in that unit."""
        client = self.management.client("organizations")
        made = client.create_account(AccountName="one", Email="one@example.com")
        number = str(made["CreateAccountStatus"]["AccountId"])
        if unit:
            self.move(number, self.root, unit)
        return number

    def move(self, account: str, source: str, target: str) -> None:
        self.management.client("organizations").move_account(
            AccountId=account, SourceParentId=source, DestinationParentId=target
        )

    def roles(self, account: str) -> list[str]:
        """Names of the roles that StackSets made there."""
        found = self.aws.admin(account).client("iam").list_roles(MaxItems=1000)["Roles"]
        names = sorted(each["RoleName"] for each in found)
        return [name for name in names if name != "OrganizationAccountAccessRole"]

    def stacks(self, account: str) -> list[dict[str, Any]]:
        client = self.aws.admin(account).client("cloudformation")
        stacks: list[dict[str, Any]] = client.describe_stacks()["Stacks"]
        return stacks

    # --- what is done to StackSets

    def create(self, name: str = "guards", **more: Any) -> None:
        asked: dict[str, Any] = {
            "StackSetName": name,
            "TemplateBody": role_template(),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "PermissionModel": "SERVICE_MANAGED",
            "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        }
        self.stack_sets.create_stack_set(**asked | more)

    def deploy(self, *units: str, name: str = "guards", **more: Any) -> str:
        """Instances in these units, waited for; the operation's status."""
        return self.done(self.begin(*units, name=name, **more), name=name)

    def begin(self, *units: str, name: str = "guards", **more: Any) -> str:
        """The operation that makes instances in these units; not yet looked at."""
        asked: dict[str, Any] = {
            "StackSetName": name,
            "Regions": ["us-east-1"],
            "OperationPreferences": EVERYBODY,
            "DeploymentTargets": {"OrganizationalUnitIds": list(units)},
        }
        return str(self.stack_sets.create_stack_instances(**asked | more)["OperationId"])

    def update(self, text: str, *, name: str = "guards", **more: Any) -> str:
        """The operation that gives the role another description; not yet looked at."""
        asked: dict[str, Any] = {
            "StackSetName": name,
            "UsePreviousTemplate": True,
            "Parameters": [{"ParameterKey": "Text", "ParameterValue": text}],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "OperationPreferences": EVERYBODY,
        }
        return str(self.stack_sets.update_stack_set(**asked | more)["OperationId"])

    def take_the_name(self, account: str) -> None:
        """A role of that name that no stack made."""
        self.aws.spoke(account_id=account, role="Guard")

    def description(self, account: str) -> str:
        found = self.aws.admin(account).client("iam").get_role(RoleName="Guard")["Role"]
        return str(found["Description"])

    def done(self, operation: str, *, name: str = "guards") -> str:
        """Look at the operation until it is over; its status."""
        while True:
            status = str(self.operation(operation, name=name)["Status"])
            if status in ("SUCCEEDED", "FAILED", "STOPPED"):
                return status

    def operation(self, operation: str, *, name: str = "guards") -> dict[str, Any]:
        found = self.stack_sets.describe_stack_set_operation(StackSetName=name, OperationId=operation)
        operation_found: dict[str, Any] = found["StackSetOperation"]
        return operation_found

    def results(self, operation: str, *, name: str = "guards") -> dict[str, tuple[str, str]]:
        """Status and reason by account."""
        found = self.stack_sets.list_stack_set_operation_results(StackSetName=name, OperationId=operation)
        return {
            each["Account"]: (each["Status"], each.get("StatusReason", "")) for each in found["Summaries"]
        }

    def instances(self, *, name: str = "guards") -> dict[str, dict[str, Any]]:
        found = self.stack_sets.list_stack_instances(StackSetName=name)["Summaries"]
        return {each["Account"]: each for each in found}


def new_estate(aws: FakeAws, *, trusted: bool = True) -> Estate:
    management = aws.fresh_account()
    client = management.client("organizations")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    units = [root]
    for name in ("upper", "lower", "lowest"):
        made = client.create_organizational_unit(ParentId=units[-1], Name=name)
        units.append(made["OrganizationalUnit"]["Id"])
    if trusted:
        management.client("cloudformation").activate_organizations_access()
    return Estate(aws, management, *units)


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    """Code and message of the error a call ends with."""
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"]), str(error.response["Error"]["Message"])
    raise AssertionError("the call was not refused")


def only(found: Sequence[Any]) -> Any:
    """The one there is."""
    [one] = found
    return one
