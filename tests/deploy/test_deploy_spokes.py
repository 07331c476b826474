"""`hub deploy spokes` and `status` in an organization of the fake AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import Result

from tests.deploy.command import Deploy
from tests.deploy.estate import EXTERNAL_ID, Organization, organization
from tests.fake_aws.server import FakeAws

ROLE = "Dome9CloudBots"
FOR_ONE = ("--bots", "s3_enable_versioning")
STACKSETS = "member.org.stacksets.cloudformation.amazonaws.com"


@pytest.fixture
def where(aws: FakeAws) -> Organization:
    return organization(aws)


@pytest.fixture
def told(where: Organization) -> list[str]:
    """What roles have to be told where there is no hub's stack. They are for one bot, as that is quick."""
    return [*FOR_ONE, "-P", f"HubAccountId={where.hub}", "-P", f"ExternalId={EXTERNAL_ID}", "--yes"]


def has_role(aws: FakeAws, account_id: str) -> bool:
    roles = aws.admin(account_id).client("iam").list_roles(MaxItems=1000)["Roles"]
    return ROLE in [role["RoleName"] for role in roles]


def trust_of(aws: FakeAws, account_id: str) -> str:
    role = aws.admin(account_id).client("iam").get_role(RoleName=ROLE)["Role"]
    return json.dumps(role["AssumeRolePolicyDocument"])


def delegate(aws: FakeAws, where: Organization) -> None:
    organizations = aws.admin(where.management).client("organizations")
    organizations.register_delegated_administrator(AccountId=where.hub, ServicePrincipal=STACKSETS)


def facts(result: Result) -> dict[str, Any]:
    assert result.stdout, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_from_the_hubs_account_everything_about_the_hub_is_known(
    aws: FakeAws, deploy: Deploy, where: Organization
) -> None:
    delegate(aws, where)
    made = deploy(where.hub, "hub", "-P", "Compute=none", "-P", "DeploymentMode=multi", "--yes", "--json")
    external_id = facts(made)["parameters"]["ExternalId"]
    done = deploy(where.hub, "spokes", "--ou", "/Workloads", *FOR_ONE, typed="y\n")
    assert done.exit_code == 0, done.output
    assert f"2 accounts new: {', '.join(sorted((where.upper, where.lower)))}" in done.stdout
    assert "Go ahead? [y/N]" in done.stderr
    assert "done: 2 accounts" in done.stdout
    for account in (where.upper, where.lower):
        trust = trust_of(aws, account)
        assert external_id in trust
        assert f"arn:aws:iam::{where.hub}:role/remediation-hub" in trust
        assert where.id in trust
    assert not has_role(aws, where.outside)
    assert not has_role(aws, where.hub)
    assert deploy(where.hub, "status", *FOR_ONE).exit_code == 0


def test_the_same_again_does_nothing_and_an_account_that_joins_gets_the_role(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    assert deploy(where.management, "spokes", "--ou", "Workloads", *told).exit_code == 0
    again = deploy(where.management, "spokes", "--ou", where.unit, *told)
    assert again.exit_code == 0, again.output
    assert "nothing to do: every account has the role as it should be" in again.stdout
    organizations = aws.admin(where.management).client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.move_account(AccountId=where.outside, SourceParentId=root, DestinationParentId=where.unit)
    state = facts(deploy(where.management, "status", "--json"))
    assert {each["account_id"]: each["state"] for each in state["spokes"]["accounts"]}[where.outside] in (
        "current",
        "outdated",
    )
    assert has_role(aws, where.outside)


def test_accounts_can_be_excluded_and_picked(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    words = ("--ou", "/Workloads", "--exclude", where.lower, "--account", where.outside)
    done = deploy(where.management, "spokes", *words, *told)
    assert done.exit_code == 0, done.output
    assert f"left out: {where.lower} prod: excluded" in done.stdout
    found = {account: has_role(aws, account) for account in (where.upper, where.lower, where.outside)}
    assert found == {where.upper: True, where.lower: False, where.outside: True}
    state = deploy(where.management, "status", *FOR_ONE, "--json")
    assert state.exit_code == 0
    states = {each["account_id"]: each["state"] for each in facts(state)["spokes"]["accounts"]}
    assert states == {where.upper: "current", where.lower: "without", where.outside: "current"}


def test_more_bots_need_more_and_what_changes_is_shown(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    account = ("--account", where.outside)
    assert deploy(where.management, "spokes", *account, *told).exit_code == 0
    state = deploy(where.management, "status")
    assert state.exit_code == 1
    assert "ec2_terminate_instance" in state.stdout
    assert "`hub deploy spokes` brings them up to date" in state.stdout
    more = facts(deploy(where.management, "spokes", *account, "--json", *told[len(FOR_ONE) :]))
    assert more["stack_set"]["updated"] == [where.outside]
    assert "ec2_terminate_instance" in more["stack_set"]["permissions"]["gained"]
    state = deploy(where.management, "status", "--json")
    assert state.exit_code == 0
    assert facts(state)["spokes"]["lacking"] == []
    fewer = deploy(where.management, "spokes", *account, *told)
    assert "bots lost:" in fewer.stdout


def test_an_account_where_it_fails_is_named_with_the_reason_and_what_to_do_and_tried_again(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    iam = aws.admin(where.lower).client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
    done = deploy(where.management, "spokes", "--ou", "/Workloads", *told)
    assert done.exit_code == 1
    assert "Missed: 1 account" in done.stdout
    assert "already exists" in done.stdout
    assert "choose another RoleName" in done.stdout
    assert has_role(aws, where.upper)
    state = deploy(where.management, "status", *FOR_ONE)
    assert state.exit_code == 1
    assert where.lower in state.stdout
    assert where.upper not in state.stdout
    iam.delete_role(RoleName=ROLE)
    again = deploy(where.management, "spokes", "--ou", "/Workloads", *told)
    assert again.exit_code == 0, again.output
    assert f"1 account updated: {where.lower}" in again.stdout
    assert deploy(where.management, "status", *FOR_ONE).exit_code == 0


def test_a_role_that_was_deleted_by_hand_comes_back_when_asked_for_again(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    words = ("--ou", "/Workloads", *told)
    assert deploy(where.management, "spokes", *words).exit_code == 0
    iam = aws.admin(where.lower).client("iam")
    for each in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=ROLE, PolicyArn=each["PolicyArn"])
    iam.delete_role(RoleName=ROLE)
    assert "nothing to do" in deploy(where.management, "spokes", *words).stdout
    done = deploy(where.management, "spokes", "--again", where.lower, *told)
    assert done.exit_code == 0, done.output
    assert f"taken away first, and made anew: {where.lower}" in done.stdout
    assert has_role(aws, where.lower)
    assert has_role(aws, where.upper)
    unknown = deploy(where.management, "spokes", *words, "--again", where.outside)
    assert unknown.exit_code == 2
    assert f"has no stack in {where.outside}" in unknown.stderr


def test_an_operation_that_is_under_way_is_waited_for(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    assert deploy(where.management, "spokes", "--ou", "/Workloads", *told).exit_code == 0
    client = aws.admin(where.management).client("cloudformation")
    client.update_stack_set(
        StackSetName="remediation-hub-spokes",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": "HubAccountId", "UsePreviousValue": True},
            {"ParameterKey": "ExternalId", "ParameterValue": "somebody-elses"},
        ],
    )
    done = deploy(where.management, "spokes", "--ou", "/Workloads", *told)
    assert done.exit_code == 0, done.output
    assert "an operation is under way; it is waited for" in done.stderr
    assert "parameters changed: ExternalId" in done.stdout
    assert EXTERNAL_ID in trust_of(aws, where.upper)


def test_the_own_account_gets_the_role_as_a_plain_stack(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    done = deploy(where.management, "spokes", "--here", *told)
    assert done.exit_code == 0, done.output
    assert has_role(aws, where.management)
    again = deploy(where.management, "spokes", "--here", *told)
    assert "nothing to change" in again.stdout
    assert deploy(where.management, "status", *FOR_ONE).exit_code == 0


def test_a_self_managed_stackset_goes_through_roles_that_are_there(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    def trusting(**principal: str) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    central = aws.admin(where.hub).client("iam")
    central.create_role(
        RoleName="Rollout", AssumeRolePolicyDocument=trusting(Service="cloudformation.amazonaws.com")
    )
    admin_role = f"arn:aws:iam::{where.hub}:role/Rollout"
    entering = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
    }
    central.put_role_policy(RoleName="Rollout", PolicyName="enter", PolicyDocument=json.dumps(entering))
    outside = aws.admin(where.outside).client("iam")
    outside.create_role(RoleName="Enter", AssumeRolePolicyDocument=trusting(AWS=admin_role))
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    outside.put_role_policy(RoleName="Enter", PolicyName="all", PolicyDocument=json.dumps(everything))
    words = ("--self-managed", "--admin-role", admin_role, "--execution-role", "Enter")
    done = deploy(where.hub, "spokes", *words, "--account", where.outside, *told)
    assert done.exit_code == 0, done.output
    assert has_role(aws, where.outside)
    assert deploy(where.hub, "status", *FOR_ONE).exit_code == 0
    account = ("--account", where.outside)
    again = deploy(where.hub, "spokes", "--self-managed", *account, *told, "-P", "RoleName=Other")
    assert again.exit_code == 0, again.output
    roles = outside.list_roles(MaxItems=1000)["Roles"]
    assert "Other" in [role["RoleName"] for role in roles]
    assert deploy(where.hub, "remove", "--spokes-only", "--yes").exit_code == 0
    roles = outside.list_roles(MaxItems=1000)["Roles"]
    assert "Other" not in [role["RoleName"] for role in roles]


def test_a_stackset_of_the_other_kind_is_not_touched(
    deploy: Deploy, where: Organization, told: list[str]
) -> None:
    assert deploy(where.management, "spokes", "--account", where.outside, *told).exit_code == 0
    done = deploy(where.management, "spokes", "--self-managed", "--account", where.outside, *told)
    assert done.exit_code == 2
    assert "is SERVICE_MANAGED and that cannot be changed: choose another --stack-set" in done.stderr


def test_an_account_that_administers_nothing_is_told_what_to_do(
    deploy: Deploy, where: Organization, told: list[str]
) -> None:
    done = deploy(where.outside, "spokes", "--ou", "/Workloads", *told)
    assert done.exit_code == 1
    assert f"neither the organization's management account ({where.management})" in done.stderr
    assert "register-delegated-administrator" in done.stderr


def test_trusted_access_that_is_missing_is_named_with_the_command_that_gives_it(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    aws.admin(where.management).client("cloudformation").deactivate_organizations_access()
    done = deploy(where.management, "spokes", "--ou", "/Workloads", *told)
    assert done.exit_code == 1
    assert "aws cloudformation activate-organizations-access" in done.stderr


def test_without_a_hub_its_facts_have_to_be_given(deploy: Deploy, where: Organization) -> None:
    done = deploy(where.management, "spokes", "--ou", "/Workloads", "--yes")
    assert done.exit_code == 2
    assert "HubAccountId needs a value" in done.stderr
    assert "ExternalId needs a value" in done.stderr
    assert f"no hub's stack remediation-hub in account {where.management}, us-east-1" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give --ou, --account or --here"),
        (("--ou", "x", "--self-managed"), "a self-managed StackSet knows no OUs"),
        (
            ("--account", "222233334444", "--exclude", "222233334444"),
            "--exclude leaves accounts out of an --ou",
        ),
        (("--account", "12"), "an account id has 12 digits"),
        (
            ("--ou", "/", "--again", "222233334444", "--exclude", "222233334444"),
            "either made --again or left out",
        ),
        (("--here", "--bots", "s3_enable_versionin"), "s3_enable_versioning"),
    ],
)
def test_options_that_make_no_sense_are_refused(deploy: Deploy, words: tuple[str, ...], said: str) -> None:
    done = deploy("222233334444", "spokes", *words, "--yes")
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("command", "called"), [("spokes", "rollout.roll_out"), ("remove", "removing.take_spokes_away")]
)
def test_ctrl_c_while_aws_is_at_it_says_how_to_go_on(
    deploy: Deploy,
    where: Organization,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    called: str,
) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    words = ("--account", where.outside)
    if command == "remove":
        assert deploy(where.management, "spokes", *words, *told).exit_code == 0
    monkeypatch.setattr(f"hub.cli.deploy.{called}", interrupted)
    done = deploy(where.management, command, *((*words, *told) if command == "spokes" else ("--yes",)))
    assert done.exit_code == 130
    assert "AWS goes on by itself with the operation it has begun" in done.stderr


def test_whoever_says_no_changes_nothing(
    aws: FakeAws, deploy: Deploy, where: Organization, told: list[str]
) -> None:
    done = deploy(where.management, "spokes", "--ou", "/Workloads", *told[:-1], typed="n\n")
    assert done.exit_code == 1
    assert not has_role(aws, where.upper)
    assert aws.admin(where.management).client("cloudformation").list_stack_sets()["Summaries"] == []


def test_where_nothing_is_deployed_status_says_so(aws: FakeAws, deploy: Deploy) -> None:
    done = deploy(aws.fresh_account().account_id, "status")
    assert done.exit_code == 1
    assert "nothing is deployed here" in done.stdout
    assert "not seen from here" in done.stdout
