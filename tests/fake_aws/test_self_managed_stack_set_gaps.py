"""StackSets that go into accounts through roles of the customer's own."""

from __future__ import annotations

from tests.fake_aws.server import allow, policy, trust
from tests.fake_aws.stack_set_estate import Estate, refusal, role_template

REGION = ["us-east-1"]


def self_managed(estate: Estate) -> None:
    estate.stack_sets.create_stack_set(
        StackSetName="guards", TemplateBody=role_template(), Capabilities=["CAPABILITY_NAMED_IAM"]
    )


ADMINISTRATION, EXECUTION = (
    "AWSCloudFormationStackSetAdministrationRole",
    "AWSCloudFormationStackSetExecutionRole",
)


def administration_role(estate: Estate) -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}}
    estate.aws.spoke(
        {"enter": policy(allow("sts:AssumeRole", resource=f"arn:aws:iam::*:role/{EXECUTION}"))},
        account_id=estate.management.account_id,
        role=ADMINISTRATION,
        trusts=policy({**service, "Action": "sts:AssumeRole"}),
    )


def test_self_managed_stack_sets_need_an_administration_role(estate: Estate) -> None:
    self_managed(estate)
    create = estate.stack_sets.create_stack_instances
    code, message = refusal(create, StackSetName="guards", Regions=REGION, Accounts=["222233334444"])
    assert code == "ValidationError"
    assert message.endswith(f"role/{ADMINISTRATION} is invalid or cannot be assumed")


def test_self_managed_stack_sets_go_where_an_execution_role_lets_them_in(estate: Estate) -> None:
    self_managed(estate)
    administration_role(estate)
    open_, closed = estate.account(), estate.account()
    admin = f"arn:aws:iam::{estate.management.account_id}:role/{ADMINISTRATION}"
    estate.aws.spoke(account_id=open_, role=EXECUTION, trusts=trust(admin, external_id=None))
    operation = estate.begin(Accounts=[open_, closed], DeploymentTargets={})
    assert estate.done(operation) == "SUCCEEDED"
    assert estate.roles(open_) == [EXECUTION, "Guard"]
    said = (
        f"Account {closed} should have '{EXECUTION}' role with trust relationship to Role '{ADMINISTRATION}'."
    )
    assert estate.results(operation) == {open_: ("SUCCEEDED", ""), closed: ("FAILED", said)}
    assert (estate.instances()[closed]["Status"], estate.roles(closed)) == ("OUTDATED", [])
    asked = {"StackSetName": "guards", "Regions": REGION}
    units = {"OrganizationalUnitIds": [estate.upper]}
    create = estate.stack_sets.create_stack_instances
    assert "only have accounts" in refusal(create, **asked, DeploymentTargets=units)[1]
    missing = refusal(estate.stack_sets.update_stack_instances, **asked, Accounts=["222233334444"])
    assert missing[0] == "StackInstanceNotFoundException"
    found = estate.stack_sets.describe_stack_set(StackSetName="guards")["StackSet"]
    assert (found["AdministrationRoleARN"], found["ExecutionRoleName"]) == (admin, EXECUTION)
