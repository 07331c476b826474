"""Doctor sees of every account whether it is protected, and says what to do where it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._bot import Risk
from hub.doctor import Wish, look
from hub.doctor.words import By, Standing, State
from spoke_role.current import VERSION
from spoke_role.policy import select
from tests.conftest import MakeSettings
from tests.fake_aws.moto_gaps._regions import opt_in
from tests.fake_aws.server import (
    EXTERNAL_ID,
    HUB_ACCOUNT,
    SPOKE_ROLE,
    FakeAws,
    allow,
    policy,
    trust_of_the_old_project,
)
from tests.hub.doctor.estate import (
    about,
    examined,
    iam,
    made_for,
    older,
    policy_arn,
    protected,
    states,
)


async def test_a_healthy_account_costs_three_calls_and_all_its_lines_are_ok(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws)
    before = len(aws.calls(account))
    found = await examined(hub_settings(account), account)
    assert found.standing is Standing.PROTECTED
    assert states(found) == dict.fromkeys(("role", "trust", "permissions", "regions"), State.OK)
    assert VERSION in about(found.lines, "permissions").seen
    assert found.rights is not None
    assert (found.rights.by, found.rights.lacking) == (By.VERSION, {})
    # AssumeRole is a call of the hub's account.
    assert [call.name for call in aws.calls(account)[before:]] == ["iam:GetRole", "ec2:DescribeRegions"]


async def test_doctors_session_may_only_look(aws: FakeAws, hub_settings: MakeSettings) -> None:
    account = await protected(aws)
    await examined(hub_settings(account), account, deep=True)
    entered = [
        call
        for call in aws.calls(HUB_ACCOUNT)
        if call.name == "sts:AssumeRole" and account in call.params["RoleArn"]
    ]
    [call] = entered
    [statements] = [json.loads(call.params["Policy"])["Statement"]]
    actions = {action for statement in statements for action in statement["Action"]}
    assert all(action.split(":")[1].startswith(("Get", "List", "Describe", "Lookup")) for action in actions)
    assert call.params["SourceIdentity"].startswith("doctor-")
    assert call.params["ExternalId"] == EXTERNAL_ID


async def test_an_account_without_the_role_is_not_protected(aws: FakeAws, hub_settings: MakeSettings) -> None:
    account = aws.fresh_account().account_id
    found = await examined(hub_settings(account), account)
    assert found.standing is Standing.NOT_PROTECTED
    line = about(found.lines, "role")
    assert line.state is State.FAILED
    assert "the role is missing, or" in line.seen
    assert "HUB_EXTERNAL_ID" in line.do


async def test_a_role_with_another_external_id_is_not_protected(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws, ExternalId="of-another-hub")
    found = await examined(hub_settings(account), account)
    assert found.standing is Standing.NOT_PROTECTED
    assert "ExternalId" in about(found.lines, "role").seen


async def test_an_account_that_aws_does_not_answer_about_is_not_known(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws)
    # One of AWS's words for it that botocore does not know, so that it does not try again for seconds.
    aws.fail(HUB_ACCOUNT, "sts:AssumeRole", "TooManyRequests", status=400)
    found = await examined(hub_settings(account), account)
    assert (found.standing, found.state) == (Standing.NOT_KNOWN, State.UNKNOWN)
    assert "throttled" in about(found.lines, "role").seen


async def test_where_the_hub_may_ask_stack_sets_it_knows_that_the_role_is_missing(
    aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = aws.fresh_account().account_id
    admin = aws.admin(HUB_ACCOUNT).client("cloudformation")
    name, template = f"spokes-of-{account}", {"Resources": {"Anything": {"Type": "AWS::SQS::Queue"}}}
    admin.create_stack_set(StackSetName=name, TemplateBody=json.dumps(template))
    for key, value in aws.hub_credentials(allow("cloudformation:ListStackInstances")).items():
        monkeypatch.setenv(key, value)
    health = await look(hub_settings(account), Wish(stack_set=name))
    aws.hub_credentials()  # the rights are the role's, which other tests share
    assert "the StackSet has no stack there" in about(health.accounts[0].lines, "role").seen


async def test_a_role_as_the_old_project_made_it_works_and_is_open_to_the_whole_account(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))}, trusts=trust_of_the_old_project())
    found = await examined(hub_settings(spoke.account_id), spoke.account_id)
    assert found.standing is Standing.PROTECTED
    told = [line.seen for line in found.lines if line.subject == "trust"]
    assert any("everybody of the hub's account" in text for text in told)
    assert "no ExternalId is asked for" in told
    assert any("for which run it comes" in text for text in told)
    line = about(found.lines, "permissions")
    assert line.state is State.WARNING
    assert "no version (no tag): allows all" in line.seen
    assert "allows 1 things beyond" in line.seen


async def test_a_role_that_may_not_read_about_itself_is_older_than_the_hub(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke({"some": policy(allow("s3:*"))})
    found = await examined(hub_settings(spoke.account_id), spoke.account_id)
    assert found.standing is Standing.PROTECTED
    assert about(found.lines, "permissions").seen.startswith("older than this hub")
    assert states(found) == {
        "role": State.OK,
        "trust": State.UNKNOWN,
        "permissions": State.WARNING,
        "regions": State.UNKNOWN,
    }
    assert about(found.lines, "trust").seen == "not looked: right iam:GetRole missing"
    assert found.regions is None


async def test_a_role_of_an_older_hub_lacks_the_bots_that_came_since(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws, template=older("0123456789ab", without="kms:DisableKeyRotation"))
    found = await examined(hub_settings(account), account)
    line = about(found.lines, "permissions")
    every = len(select())
    assert line.state is State.WARNING
    assert line.seen.startswith(
        f"version 0123456789ab, not one of this hub's: allows {every - 1} of {every} bots; denied: kms_enable_rotation"
    )
    assert found.rights is not None
    assert dict(found.rights.lacking) == {"kms_enable_rotation": ("kms:DisableKeyRotation",)}


async def test_a_role_of_a_hub_whose_guards_read_nothing_is_fit_for_all_bots(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws, template=older("0123456789cd", without="iam:ListRoleTags"))
    found = await examined(hub_settings(account), account)
    line = about(found.lines, "permissions")
    assert (found.standing, line.state) == (Standing.PROTECTED, State.WARNING)
    assert f"allows all {len(select())} bots" in line.seen
    assert "guards cannot see there what is now, and go by the finding (no iam:ListRoleTags)" in line.seen
    assert found.rights is not None
    assert (found.rights.lacking, found.rights.guards_lack) == ({}, ("iam:ListRoleTags",))


async def test_of_roles_of_one_older_version_the_policies_of_one_are_read(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    template = older("ba9876543210", without="kms:DisableKeyRotation")
    accounts = [await protected(aws, template=template) for _ in range(3)]
    health = await look(hub_settings(*accounts), Wish(only=tuple(accounts)))
    rights = [account.rights for account in health.accounts]
    assert sorted(each.by for each in rights if each) == [By.ANOTHER, By.ANOTHER, By.DOCUMENTS]
    assert {tuple(each.lacking) for each in rights if each} == {("kms_enable_rotation",)}
    assert (
        len(
            {
                line.seen
                for account in health.accounts
                for line in account.lines
                if line.subject == "permissions"
            }
        )
        == 1
    )


@pytest.mark.parametrize("risk", [Risk.ADDITIVE, Risk.ACCESS_REMOVAL])
async def test_a_role_for_milder_bots_is_current_and_says_how_many_are_left_out(
    risk: Risk, aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws, template=made_for(select(max_risk=risk)))
    found = await examined(hub_settings(account), account)
    line = about(found.lines, "permissions")
    allowed, every = len(select(max_risk=risk)), len(select())
    assert line.state is State.OK
    assert f"bots up to {risk}: allows {allowed} of {every} bots" in line.seen
    assert found.rights is not None
    assert len(found.rights.lacking) == every - allowed


async def test_a_role_for_chosen_bots_is_recognised_by_its_policies(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws, template=made_for(select(["sg_delete", "s3_enable_versioning"])))
    found = await examined(hub_settings(account), account)
    line = about(found.lines, "permissions")
    assert line.state is State.OK
    assert "chosen bots" in line.seen
    assert found.rights is not None
    assert not {"sg_delete", "s3_enable_versioning"} & set(found.rights.lacking)
    assert "kms_enable_rotation" in found.rights.lacking


async def test_an_optional_bot_that_the_hub_may_run_is_lacking_in_a_role_without_it(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    optional = next(bot for bot in select([*_names()]) if bot.optional)
    account = await protected(aws)
    found = await examined(hub_settings(account, optional_bots=(optional.name,)), account)
    assert found.rights is not None
    assert list(found.rights.lacking) == [optional.name]


def _names() -> tuple[str, ...]:
    from bots._catalogue import names

    return names()


async def test_rights_added_by_hand_are_seen_by_a_deep_look_alone(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws)
    document = policy(allow("ec2:*"))
    arn = policy_arn(account, "limits")
    iam(aws, account).create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    shallow = await examined(hub_settings(account), account)
    assert about(shallow.lines, "permissions").state is State.OK, "the tag is taken at its word"
    deep = await examined(hub_settings(account), account, deep=True)
    line = about(deep.lines, "permissions")
    assert line.state is State.FAILED
    assert "changed by hand" in line.seen
    assert deep.rights is not None
    assert deep.rights.added == ("Allow ec2:* on *",)
    assert any(text.startswith("Deny iam:CreateUser on *") for text in deep.rights.gone)


async def test_rights_taken_away_by_hand_are_a_warning_with_the_bots_that_suffer(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws)
    admin = iam(aws, account)
    _take_away(admin, account, "kms:EnableKeyRotation")
    found = await examined(hub_settings(account), account, deep=True)
    line = about(found.lines, "permissions")
    assert line.state is State.WARNING
    assert "1 gone" in line.seen
    assert found.rights is not None
    suffer = ("cloudtrail_encrypt_log_files_using_new_key_creation", "kms_enable_rotation")
    assert dict(found.rights.lacking) == dict.fromkeys(suffer, ("kms:EnableKeyRotation",))


def _take_away(admin: Any, account: str, action: str) -> None:
    """A new version, without the action, of the managed policy that allows it."""
    for attached in admin.list_attached_role_policies(RoleName=SPOKE_ROLE)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        held = admin.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
        for statement in held["Statement"]:
            if statement["Effect"] == "Allow" and action in statement["Action"]:
                statement["Action"].remove(action)
                text = json.dumps(held)
                admin.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
                return
    raise AssertionError(f"nothing allows {action} in {account}")


async def test_an_inline_policy_put_on_the_role_is_seen(aws: FakeAws, hub_settings: MakeSettings) -> None:
    account = await protected(aws)
    iam(aws, account).put_role_policy(
        RoleName=SPOKE_ROLE,
        PolicyName="by-hand",
        PolicyDocument=policy(allow("iam:GetRolePolicy", "iam:ListRolePolicies", "kms:*")),
    )
    found = await examined(hub_settings(account), account, deep=True)
    assert found.rights is not None
    assert "Allow kms:* on *" in found.rights.added
    assert about(found.lines, "permissions").state is State.FAILED


async def test_a_policy_that_somebody_attached_is_seen_though_the_role_may_not_read_it(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws, template=made_for(select(["s3_enable_versioning"])))
    admin = iam(aws, account)
    made = admin.create_policy(PolicyName="more-power", PolicyDocument=policy(allow("kms:*")))
    admin.attach_role_policy(RoleName=SPOKE_ROLE, PolicyArn=made["Policy"]["Arn"])
    found = await examined(hub_settings(account), account, deep=True)
    line = about(found.lines, "other policies")
    assert line.state is State.WARNING
    assert "somebody attached more-power" in line.seen
    assert about(found.lines, "inline policies").seen == "not looked: right iam:ListRolePolicies missing"
    assert found.rights is not None
    assert "s3_enable_versioning" not in found.rights.lacking


async def test_a_deep_look_at_an_untouched_role_finds_it_as_its_version_says(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws)
    found = await examined(hub_settings(account), account, deep=True)
    assert "the policies are as the version says" in about(found.lines, "permissions").seen
    assert found.rights is not None
    assert (found.rights.by, found.rights.added, found.rights.gone) == (By.DOCUMENTS, (), ())


async def test_a_permissions_boundary_is_told_and_not_taken_for_right(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = aws.fresh_account().account_id
    made = iam(aws, account).create_policy(PolicyName="everybodys-limit", PolicyDocument=policy(allow("*")))
    await protected(aws, account_id=account, PermissionsBoundaryArn=made["Policy"]["Arn"])
    found = await examined(hub_settings(account), account)
    line = about(found.lines, "permissions boundary")
    assert line.state is State.UNKNOWN
    assert "everybodys-limit" in line.seen


async def test_opt_in_regions_are_told(aws: FakeAws, hub_settings: MakeSettings) -> None:
    account = await protected(aws)
    opt_in(account, "af-south-1", "me-south-1")
    found = await examined(hub_settings(account), account)
    assert found.regions == ("af-south-1", "me-south-1")
    assert about(found.lines, "regions").seen == "opted in to af-south-1, me-south-1"


async def test_an_account_that_nobody_foresaw_does_not_hide_the_others(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account, broken = await protected(aws), await protected(aws)
    # Not XML, which botocore takes for no error of AWS.
    aws.fail(broken, "iam:GetRole", "\0", status=400)
    health = await look(hub_settings(account, broken), Wish())
    found = {each.account_id: each for each in health.accounts}
    assert found[account].standing is Standing.PROTECTED
    assert (found[broken].standing, found[broken].state) == (Standing.NOT_KNOWN, State.UNKNOWN)
    assert not health.well
    assert about(found[broken].lines, "account").seen == "not looked: ResponseParserError"


async def test_the_hubs_own_account_without_a_spoke_role_is_not_told_to_be_right(
    hub_settings: MakeSettings,
) -> None:
    found = await examined(hub_settings(HUB_ACCOUNT), HUB_ACCOUNT)
    assert (found.standing, found.state) == (Standing.NOT_KNOWN, State.UNKNOWN)
    assert "HUB_OWN_ACCOUNT_BY_ROLE" in about(found.lines, "role").do


async def test_the_hubs_own_account_is_entered_by_its_role_where_the_settings_say_so(
    aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = _hub_in(aws, monkeypatch, aws.fresh_account().account_id)
    await protected(aws, account_id=account, hub=account)
    found = await examined(hub_settings(account, own_account_by_role=True), account, deep=True)
    assert found.standing is Standing.PROTECTED
    assert set(states(found).values()) == {State.OK}


async def test_in_single_mode_the_hubs_own_account_is_all_there_is(hub_settings: MakeSettings) -> None:
    health = await look(hub_settings(deployment_mode="single"), Wish())
    assert [account.account_id for account in health.accounts] == [HUB_ACCOUNT]


def _hub_in(aws: FakeAws, monkeypatch: pytest.MonkeyPatch, account: str) -> str:
    """Let the hub run in that account, by a role that may enter spokes and list accounts."""
    rights = policy(
        allow("sts:AssumeRole", "sts:SetSourceIdentity", resource=f"arn:aws:iam::*:role/{SPOKE_ROLE}"),
        allow("organizations:ListAccounts"),
    )
    for name, value in aws.role_credentials(account, "remediation-hub", [rights]).items():
        monkeypatch.setenv(name, value)
    return account


@pytest.fixture
def members(aws: FakeAws, monkeypatch: pytest.MonkeyPatch, hub_settings: MakeSettings) -> list[str]:
    """The hub's own account, the organization's management account, and three members."""
    admin = aws.fresh_account()
    organizations = admin.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = [
        organizations.create_account(AccountName=name, Email=f"{name}@example.com")
        for name in ("dev", "prod", "old")
    ]
    _hub_in(aws, monkeypatch, admin.account_id)
    return [admin.account_id, *(str(each["CreateAccountStatus"]["AccountId"]) for each in made)]


async def test_every_account_of_the_organization_is_told_of_whatever_its_state(
    aws: FakeAws, members: list[str], hub_settings: MakeSettings
) -> None:
    hub, dev, prod, old = members
    await protected(aws, account_id=dev, hub=hub)
    aws.admin(hub).client("organizations").close_account(AccountId=old)
    health = await look(hub_settings(own_account_by_role=True), Wish())
    standing = {account.account_id: account.standing for account in health.accounts}
    assert standing == {
        hub: Standing.NOT_PROTECTED,
        dev: Standing.PROTECTED,
        prod: Standing.NOT_PROTECTED,
        old: Standing.NOT_ACTIVE,
    }
    found = {account.account_id: account for account in health.accounts}
    assert found[dev].name == "dev"
    assert "suspended" in about(found[old].lines, "account").seen
    assert health.organization.startswith("o-")
    trusted = about(found[dev].lines, "trust")
    assert trusted.state is State.WARNING
    assert health.organization in trusted.seen


async def test_the_organizations_id_in_the_trust_policy_is_seen(
    aws: FakeAws, members: list[str], hub_settings: MakeSettings
) -> None:
    hub, dev, *_ = members
    organization = aws.admin(hub).client("organizations").describe_organization()["Organization"]["Id"]
    await protected(aws, account_id=dev, hub=hub, OrganizationId=organization)
    found = await examined(hub_settings(), dev)
    assert about(found.lines, "trust").seen == "asks for the hub's role alone, ExternalId, aws:PrincipalOrgID"


async def test_accounts_the_settings_leave_out_are_told_and_not_entered(
    aws: FakeAws, members: list[str], hub_settings: MakeSettings
) -> None:
    hub, dev, prod, old = members
    await protected(aws, account_id=dev, hub=hub)
    await protected(aws, account_id=prod, hub=hub)
    before = len(aws.calls(prod))
    health = await look(hub_settings(dev), Wish())
    standing = {account.account_id: account.standing for account in health.accounts}
    assert standing[dev] is Standing.PROTECTED
    assert [standing[account] for account in (hub, prod, old)] == [Standing.EXCLUDED] * 3
    assert len(aws.calls(prod)) == before


async def test_an_account_nobody_knows_of_is_told(hub_settings: MakeSettings) -> None:
    health = await look(hub_settings("222233334444"), Wish(only=("999988887777",)))
    [account] = health.accounts
    assert account.standing is Standing.NOT_PROTECTED
    assert "not an account the hub knows of" in about(account.lines, "account").seen


async def test_without_a_list_of_accounts_there_is_one_failure_and_no_account(
    hub_settings: MakeSettings,
) -> None:
    health = await look(hub_settings(), Wish())
    line = about(health.hub, "accounts")
    assert (line.state, health.accounts, health.well) == (State.FAILED, (), False)
    assert "organizations:ListAccounts" in line.do


async def test_accounts_of_the_settings_are_looked_at_without_a_right_to_list_them(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    account = await protected(aws)
    health = await look(hub_settings(account), Wish())
    assert about(health.hub, "accounts").state is State.UNKNOWN
    assert [each.standing for each in health.accounts] == [Standing.PROTECTED]


async def test_how_far_doctor_is_can_be_watched(aws: FakeAws, hub_settings: MakeSettings) -> None:
    accounts = [aws.fresh_account().account_id for _ in range(3)]
    told: list[tuple[int, int]] = []
    await look(hub_settings(*accounts), Wish(), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
