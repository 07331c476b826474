"""Which accounts there are, and how the hub gets into one: by the role, with the ExternalId, and once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import Before, Bot, NoParams, Risk, Undo, account, on
from hub.aws.accounts import Accounts, HubIdentity, is_the_hubs, session_policy
from hub.aws.clients import Clients
from hub.aws.directory import DIRECTORY_SECONDS, NEWCOMER_SECONDS, Directory
from hub.aws.errors import outcome_of
from hub.aws.throttle import Pacer
from hub.errors import SpokeDenied, SpokeError, SpokeUnreachable
from hub.model import Outcome
from hub.settings import Settings
from spoke_role.guard_reads import GUARD_ACTIONS
from tests.conftest import MakeSettings
from tests.fake_aws.server import (
    EXTERNAL_ID,
    HUB_ACCOUNT,
    SPOKE_ROLE,
    FakeAws,
    allow,
    policy,
    trust_of_the_old_project,
)
from tests.fake_aws.wire import Call

BOT = Bot(
    name="iam_look_at_users",
    acts_on="AWS::::Account",
    target=account(),
    params=NoParams,
    before=Before,
    reads=("iam:ListUsers", *on(("arn:{partition}:iam::{account}:role/*",), "iam:GetRole")),
    writes=("iam:TagRole",),
    risk=Risk.ADDITIVE,
    undo=Undo.none("a test"),
)


@asynccontextmanager
async def entrance(settings: Settings) -> AsyncIterator[Accounts]:
    identity, clients = HubIdentity(settings), Clients()
    try:
        yield Accounts(settings, identity, clients=clients, pacer=Pacer(1000))
    finally:
        await clients.close()
        await identity.close()


@asynccontextmanager
async def directory(settings: Settings) -> AsyncIterator[Directory]:
    identity = HubIdentity(settings)
    try:
        yield Directory(settings, identity)
    finally:
        await identity.close()


def entries(aws: FakeAws, account_id: str) -> list[Call]:
    """The AssumeRole calls for roles of an account."""
    calls = [call for call in aws.calls() if call.name == "sts:AssumeRole"]
    return [call for call in calls if f":{account_id}:" in call.params["RoleArn"]]


async def test_the_hub_enters_by_the_role_and_leaves_a_trail_to_the_finding(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))})
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        entered = await accounts.enter(spoke.account_id, "eu-west-1", "aws", bot=BOT, run_id="run 1/ä")
        who = await entered.call("sts", "GetCallerIdentity")
    (call,) = entries(aws, spoke.account_id)
    assert call.params["RoleArn"] == f"arn:aws:iam::{spoke.account_id}:role/{SPOKE_ROLE}"
    assert call.params["ExternalId"] == EXTERNAL_ID
    assert call.params["SourceIdentity"] == "run-1--"
    assert call.region == "us-east-1", "the hub's own, where it is sure to be let in"
    assert call.account_id == HUB_ACCOUNT
    assert entered.session == call.params["RoleSessionName"]
    assert entered.session.startswith("hub.iam_look_at_users.")
    assert is_the_hubs(entered.session)
    assert who["Arn"] == f"arn:aws:sts::{spoke.account_id}:assumed-role/{SPOKE_ROLE}/{entered.session}"


async def test_an_account_without_sts_in_the_hubs_region_is_entered_in_the_findings(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))})
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        aws.fail(HUB_ACCOUNT, "sts:AssumeRole", "RegionDisabledException", status=403)
        await accounts.enter(spoke.account_id, "af-south-1", "aws", bot=BOT, run_id="r1")
    assert [call.region for call in entries(aws, spoke.account_id)][-1] == "af-south-1"


async def test_an_account_without_sts_in_either_region_is_unreachable(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))})
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        for region, times in (("us-east-1", 1), ("af-south-1", 2)):
            aws.fail(HUB_ACCOUNT, "sts:AssumeRole", "RegionDisabledException", status=403, times=times)
            with pytest.raises(SpokeUnreachable, match="RegionDisabledException"):
                await accounts.enter(spoke.account_id, region, "aws", bot=BOT, run_id="r1")


async def test_a_session_may_do_only_what_its_bot_declares(aws: FakeAws, hub_settings: MakeSettings) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))})
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        entered = await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="r1")
        await entered.call("iam", "ListUsers")
        await entered.call("iam", "GetRole", RoleName=SPOKE_ROLE)
        with pytest.raises(AwsError) as caught:
            await entered.call("iam", "DeleteRole", RoleName=SPOKE_ROLE)
    assert outcome_of(caught.value) is Outcome.DENIED


def test_a_session_policy_too_long_for_resources_still_holds_what_guards_read() -> None:
    far = tuple(f"arn:{{partition}}:made:*:{{account}}:something/rather/long/{n}/*" for n in range(40))
    wide = replace(BOT, reads=on(far, "made:GetSomething"), writes=())
    [statement] = json.loads(session_policy(wide, "222233334444", "aws"))["Statement"]
    assert statement["Resource"] == "*"
    assert statement["Action"] == sorted({"made:GetSomething", *GUARD_ACTIONS})


def test_the_hub_knows_its_own_sessions_by_their_names() -> None:
    assert is_the_hubs("hub.sg_delete.0123456789ab")
    for other in (
        "hub.sg_delete",
        "hub..0123456789ab",
        "hub.sg_delete.0123456789abc",
        "my.hub.x.0123456789ab",
    ):
        assert not is_the_hubs(other)


async def test_a_session_aws_takes_no_longer_is_not_used_again(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))})
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        first = await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="r1")
        aws.fail(spoke.account_id, "iam:ListUsers", "ExpiredToken")
        with pytest.raises(AwsError, match="ExpiredToken"):
            await first.call("iam", "ListUsers")
        second = await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="r2")
        await second.call("iam", "ListUsers")
        third = await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="r3")
    assert second.session != first.session
    assert third.session == second.session
    assert len(entries(aws, spoke.account_id)) == 2


async def test_without_narrowing_a_session_may_do_what_the_role_may(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))})
    async with entrance(hub_settings(spoke.account_id, narrow_sessions=False)) as accounts:
        entered = await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="r1")
        await entered.call("kms", "ListKeys")
    assert "Policy" not in entries(aws, spoke.account_id)[0].params


def test_the_session_policy_holds_what_the_bot_declares_and_guards_read_on_the_accounts_own_resources() -> (
    None
):
    statements = json.loads(session_policy(BOT, "222233334444", "aws-us-gov"))["Statement"]
    found = {action: each["Resource"] for each in statements for action in each["Action"]}
    assert found == {
        "iam:ListUsers": ["*"],
        "iam:TagRole": ["*"],
        "iam:GetRole": ["arn:aws-us-gov:iam::222233334444:role/*"],
        "cloudtrail:LookupEvents": ["*"],
        "iam:ListRoleTags": ["arn:aws-us-gov:iam::222233334444:role/*"],
        "iam:ListUserTags": ["arn:aws-us-gov:iam::222233334444:user/*"],
        "s3:GetBucketTagging": ["arn:aws-us-gov:s3:::*"],
        "tag:GetResources": ["*"],
    }
    assert {each["Effect"] for each in statements} == {"Allow"}


async def test_twenty_who_enter_at_once_share_one_session(aws: FakeAws, hub_settings: MakeSettings) -> None:
    spoke = aws.spoke()
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        entered = await asyncio.gather(
            *(
                accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id=f"r{n}")
                for n in range(20)
            )
        )
        again = await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="r20")
    assert len({each.session for each in (*entered, again)}) == 1
    assert len(entries(aws, spoke.account_id)) == 1


async def test_two_accounts_get_two_sessions(aws: FakeAws, hub_settings: MakeSettings) -> None:
    one, two = aws.spoke(), aws.spoke()
    async with entrance(hub_settings(one.account_id, two.account_id)) as accounts:
        entered = await asyncio.gather(
            *(accounts.enter(a.account_id, "us-east-1", "aws", bot=BOT, run_id="run-1") for a in (one, two))
        )
    assert [each.keys.account_id for each in entered] == [one.account_id, two.account_id]
    assert entered[0].keys.access_key != entered[1].keys.access_key


@pytest.mark.parametrize(("left", "entries_made"), [(310.0, 1), (290.0, 2)])
async def test_a_session_is_replaced_shortly_before_it_expires(
    aws: FakeAws,
    hub_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    left: float,
    entries_made: int,
) -> None:
    spoke = aws.spoke()
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="run-1")
        (session,) = accounts._sessions.values()
        monkeypatch.setattr(time, "time", lambda: session.expires_at - left)
        await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="run-1")
    assert len(entries(aws, spoke.account_id)) == entries_made


async def test_a_wrong_external_id_is_told_with_what_to_check(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke()
    async with entrance(hub_settings(spoke.account_id, external_id="not-the-one")) as accounts:
        with pytest.raises(SpokeDenied) as caught:
            await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="run-1")
    text = str(caught.value)
    assert spoke.account_id in text
    assert SPOKE_ROLE in text
    assert "spoke stack" in text
    assert "ExternalId" in text
    assert "not-the-one" not in text
    assert caught.value.action == "sts:AssumeRole"


async def test_a_failed_entry_is_tried_anew_by_the_next(aws: FakeAws, hub_settings: MakeSettings) -> None:
    admin = aws.fresh_account()
    async with entrance(hub_settings(admin.account_id)) as accounts:
        with pytest.raises(SpokeDenied):
            await accounts.enter(admin.account_id, "us-east-1", "aws", bot=BOT, run_id="run-1")
        aws.spoke(account_id=admin.account_id)
        await accounts.enter(admin.account_id, "us-east-1", "aws", bot=BOT, run_id="run-1")
    assert [call.error for call in entries(aws, admin.account_id)] == ["AccessDenied", None]


async def test_cancelling_one_who_enters_leaves_the_session_to_the_others(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke()
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        waiting = [
            asyncio.create_task(accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id=f"r{n}"))
            for n in range(3)
        ]
        await asyncio.sleep(0)
        waiting[0].cancel()
        entered = await asyncio.gather(*waiting[1:])
    assert len({each.session for each in entered}) == 1
    assert len(entries(aws, spoke.account_id)) == 1


async def test_the_hubs_own_account_is_worked_in_with_its_own_credentials(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    before = len(entries(aws, HUB_ACCOUNT))
    async with entrance(hub_settings(HUB_ACCOUNT)) as accounts:
        entered = await accounts.enter(HUB_ACCOUNT, "us-east-1", "aws", bot=BOT, run_id="run-1")
        who = await entered.call("sts", "GetCallerIdentity")
    assert who["Arn"] == f"arn:aws:sts::{HUB_ACCOUNT}:assumed-role/remediation-hub/hub"
    assert entered.session == "hub"
    assert len(entries(aws, HUB_ACCOUNT)) == before


async def test_the_hubs_own_account_is_entered_by_role_when_asked_to(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = aws.admin(HUB_ACCOUNT)
    if not any(role["RoleName"] == SPOKE_ROLE for role in admin.client("iam").list_roles()["Roles"]):
        aws.spoke(account_id=HUB_ACCOUNT)
    async with entrance(hub_settings(HUB_ACCOUNT, own_account_by_role=True)) as accounts:
        entered = await accounts.enter(HUB_ACCOUNT, "us-east-1", "aws", bot=BOT, run_id="run-1")
        who = await entered.call("sts", "GetCallerIdentity")
    assert f":assumed-role/{SPOKE_ROLE}/" in who["Arn"]


async def test_the_hub_asks_once_who_it_is(aws: FakeAws, hub_settings: MakeSettings) -> None:
    identity = HubIdentity(hub_settings())
    before = len(aws.calls(HUB_ACCOUNT))
    assert await asyncio.gather(*(identity.account_id() for _ in range(5))) == [HUB_ACCOUNT] * 5
    assert await identity.partition() == "aws"
    await identity.close()
    assert [call.operation for call in aws.calls(HUB_ACCOUNT)[before:]] == ["GetCallerIdentity"]


# --- the directory


async def test_an_explicit_list_is_all_there_is_and_asks_nobody(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    before = len(aws.calls())
    async with directory(hub_settings("222233334444")) as known:
        listed, other = await known.find("222233334444"), await known.find("333344445555")
    assert listed is not None
    assert listed.active
    assert other is None
    assert len(aws.calls()) == before


@pytest.fixture
def management(
    aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, Callable[[], Settings]]:
    """An organization, seen by its administrator and by a hub that runs in its management account."""
    admin = aws.fresh_account()
    organizations = admin.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    rights = policy(allow("organizations:ListAccounts"))
    for name, value in aws.role_credentials(admin.account_id, "hub", [rights]).items():
        monkeypatch.setenv(name, value)
    return organizations, hub_settings


def _member(organizations: Any, name: str) -> str:
    made = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
    return str(made["CreateAccountStatus"]["AccountId"])


async def test_the_organization_says_which_accounts_are_ours_over_all_its_pages(
    aws: FakeAws, management: tuple[Any, Callable[[], Settings]]
) -> None:
    organizations, settings = management
    members = {_member(organizations, f"workload-{number:02}"): number for number in range(45)}
    hub = organizations.describe_organization()["Organization"]["MasterAccountId"]
    async with directory(settings()) as known:
        found = {account_id: await known.find(account_id) for account_id in members}
        assert await known.find("222233334444") is None
    for account_id, number in members.items():
        facts = found[account_id]
        assert facts is not None
        assert (facts.name, facts.active) == (f"workload-{number:02}", True)
    calls = [call for call in aws.calls(hub) if call.operation == "ListAccounts"]
    assert len(calls) == 3, "20 accounts a page, each page asked for once"


async def test_a_suspended_account_is_known_but_not_active(
    management: tuple[Any, Callable[[], Settings]],
) -> None:
    organizations, settings = management
    closed, open_ = _member(organizations, "closed"), _member(organizations, "open")
    organizations.close_account(AccountId=closed)
    async with directory(settings()) as known:
        facts = [await known.find(account_id) for account_id in (closed, open_)]
    assert [fact is not None and fact.active for fact in facts] == [False, True]


async def test_the_organization_is_asked_anew_when_the_answer_is_old(
    management: tuple[Any, Callable[[], Settings]], monkeypatch: pytest.MonkeyPatch
) -> None:
    organizations, settings = management
    async with directory(settings()) as known:
        there = _member(organizations, "there")
        assert await known.find(there) is not None
        organizations.close_account(AccountId=there)
        fact = await known.find(there)
        assert fact is not None
        assert fact.active
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + DIRECTORY_SECONDS + 1)
        fact = await known.find(there)
        assert fact is not None
        assert not fact.active


async def test_an_account_that_has_joined_since_is_found_without_asking_for_every_stranger(
    management: tuple[Any, Callable[[], Settings]], monkeypatch: pytest.MonkeyPatch, aws: FakeAws
) -> None:
    organizations, settings = management

    def lists() -> int:
        return sum(call.name == "organizations:ListAccounts" for call in aws.calls())

    async with directory(settings()) as known:
        before = lists()
        for stranger in ("222233334444", "333344445555"):
            assert await known.find(stranger) is None
        assert lists() == before + 1
        late = _member(organizations, "late")
        assert await known.find(late) is None
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + NEWCOMER_SECONDS + 1)
        assert await known.find(late) is not None
        assert lists() == before + 2


async def test_no_right_to_list_accounts_means_no_account_is_ours(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    async with directory(hub_settings()) as known:
        with pytest.raises(SpokeDenied, match="accounts could not be listed"):
            await known.find("222233334444")
        before = len(aws.calls(HUB_ACCOUNT))
        with pytest.raises(SpokeError):
            await known.find("333344445555")
        assert len(aws.calls(HUB_ACCOUNT)) == before, "one failure speaks for all who ask right after"


async def test_an_account_outside_any_organization_is_told_to_list_accounts(
    aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = aws.fresh_account()
    rights = policy(allow("organizations:*"))
    for name, value in aws.role_credentials(alone.account_id, "hub", [rights]).items():
        monkeypatch.setenv(name, value)
    async with directory(hub_settings()) as known:
        with pytest.raises(SpokeUnreachable, match="HUB_ACCOUNTS"):
            await known.find("222233334444")


async def test_a_role_that_knows_no_source_identity_is_entered_without_one(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))}, trusts=trust_of_the_old_project())
    async with entrance(hub_settings(spoke.account_id)) as accounts:
        entered = await accounts.enter(spoke.account_id, "us-east-1", "aws", bot=BOT, run_id="r1")
        await entered.call("iam", "ListUsers")
    first, second = entries(aws, spoke.account_id)
    assert "SourceIdentity" not in second.params
    assert second.params == {name: value for name, value in first.params.items() if name != "SourceIdentity"}
