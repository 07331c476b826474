"""OUs and tags of accounts: all of them, each asked for once, and never guessed when Organizations does not answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hub.aws import organization_facts
from hub.aws.accounts import HubIdentity
from hub.aws.directory import Directory, Member
from hub.aws.limits import Limit
from hub.aws.organization_facts import ASK_AGAIN_SECONDS, FACTS_SECONDS, TRIES, OrganizationFacts
from hub.errors import SpokeDenied, SpokeError, SpokeThrottled, SpokeUnreachable
from hub.model import AccountFacts
from hub.settings import DeploymentMode, Settings
from tests.conftest import MakeSettings
from tests.fake_aws.server import FakeAws, allow, policy
from tests.fake_aws.stack_set_estate import STACK_SETS, Estate, new_estate

NOBODY = AccountFacts()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organization_facts, "PACE", Limit(100_000, 100_000))


@pytest.fixture
def estate(aws: FakeAws) -> Estate:
    return new_estate(aws)


Become = Callable[[str], None]


@pytest.fixture
def become(
    aws: FakeAws, estate: Estate, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> Become:
    """Makes this process a hub in an account, with the rights the deployed hub has, on this organization only."""
    organization = estate.management.client("organizations").describe_organization()["Organization"]["Id"]
    resources = [f"arn:aws:organizations::*:{kind}/{organization}/*" for kind in ("account", "ou")]
    rights = policy(
        allow("organizations:ListAccounts"),
        allow(
            "organizations:DescribeOrganizationalUnit",
            "organizations:ListParents",
            "organizations:ListTagsForResource",
            resource=resources,
        ),
    )

    def become(account_id: str) -> None:
        for name, value in aws.role_credentials(account_id, "hub", [rights]).items():
            monkeypatch.setenv(name, value)

    return become


@asynccontextmanager
async def knowing(settings: Settings) -> AsyncIterator[OrganizationFacts]:
    identity = HubIdentity(settings)
    try:
        yield OrganizationFacts(identity, Directory(settings, identity))
    finally:
        await identity.close()


def names(aws: FakeAws, account_id: str) -> list[str]:
    """What was asked of Organizations from an account, without the list of accounts."""
    calls = [call.operation for call in aws.calls(account_id) if call.service == "organizations"]
    return [name for name in calls if name != "ListAccounts"]


async def test_an_account_is_in_its_ou_and_in_all_outer_ones(
    estate: Estate, become: Become, hub_settings: MakeSettings
) -> None:
    become(estate.management.account_id)
    deep, top = estate.account(estate.lower), estate.account()
    async with knowing(hub_settings()) as known:
        found = await known.facts_of(deep, ous=True, tags=False)
        above = await known.facts_of(top, ous=True, tags=False)
    assert found == AccountFacts(
        ous=(estate.root, estate.upper, "upper", estate.lower, "upper/lower"), tags=None
    )
    assert above.ous == (estate.root,)


async def test_tags_of_an_account_are_its_own(
    estate: Estate, become: Become, hub_settings: MakeSettings
) -> None:
    become(estate.management.account_id)
    account = estate.account(estate.upper)
    tags = [{"Key": "stage", "Value": "prod"}, {"Key": "team", "Value": "pay"}]
    estate.management.client("organizations").tag_resource(ResourceId=account, Tags=tags)
    async with knowing(hub_settings()) as known:
        found = await known.facts_of(account, ous=False, tags=True)
        none = await known.facts_of(estate.management.account_id, ous=False, tags=True)
    assert found == AccountFacts(ous=None, tags={"stage": "prod", "team": "pay"})
    assert none.tags == {}


async def test_a_delegated_administrator_of_any_service_knows_them_too(
    estate: Estate, become: Become, hub_settings: MakeSettings
) -> None:
    security, member = estate.account(), estate.account(estate.upper)
    become(security)
    async with knowing(hub_settings()) as known:
        with pytest.raises(SpokeDenied):
            await known.facts_of(member, ous=True, tags=False)
    estate.management.client("organizations").register_delegated_administrator(
        AccountId=security, ServicePrincipal=STACK_SETS
    )
    async with knowing(hub_settings()) as known:
        found = await known.facts_of(member, ous=True, tags=True)
    assert found == AccountFacts(ous=(estate.root, estate.upper, "upper"), tags={})


async def test_a_right_that_is_missing_is_told_by_its_name(
    aws: FakeAws, estate: Estate, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    management, member = estate.management.account_id, estate.account(estate.upper)
    rights = policy(allow("organizations:ListAccounts", "organizations:ListTagsForResource"))
    for name, value in aws.role_credentials(management, "hub", [rights]).items():
        monkeypatch.setenv(name, value)
    async with knowing(hub_settings()) as known:
        assert (await known.facts_of(member, ous=False, tags=True)).tags == {}
        with pytest.raises(SpokeDenied, match=f"Organizations was asked about {member} \\(ListParents\\)"):
            await known.facts_of(member, ous=True, tags=True)


async def test_what_nobody_wants_to_know_and_whom_the_hub_does_not_serve_is_not_asked_about(
    aws: FakeAws, estate: Estate, become: Become, hub_settings: MakeSettings
) -> None:
    become(estate.management.account_id)
    member = estate.account(estate.upper)
    async with knowing(hub_settings()) as known:
        assert await known.facts_of(member, ous=False, tags=False) == NOBODY
        assert await known.facts_of("222233334444", ous=True, tags=True) == NOBODY
    for of_none in (hub_settings(member), hub_settings(deployment_mode=DeploymentMode.SINGLE)):
        async with knowing(of_none) as known:
            assert await known.facts_of(member, ous=True, tags=True) == NOBODY
    assert names(aws, estate.management.account_id) == []


async def test_thirty_findings_at_once_ask_about_each_account_and_ou_once(
    aws: FakeAws, estate: Estate, become: Become, hub_settings: MakeSettings
) -> None:
    become(estate.management.account_id)
    members = [estate.account(estate.lower) for _ in range(3)]
    async with knowing(hub_settings()) as known:
        found = await asyncio.gather(
            *(known.facts_of(member, ous=True, tags=True) for member in members * 10)
        )
        assert len({facts.ous for facts in found}) == 1
        await known.facts_of(members[0], ous=True, tags=True)
    asked = names(aws, estate.management.account_id)
    assert {name: asked.count(name) for name in set(asked)} == {
        "ListParents": 3 + 2,  # the accounts, and the two OUs they share
        "DescribeOrganizationalUnit": 2,
        "ListTagsForResource": 3,
    }


async def test_an_account_that_moved_is_known_to_be_elsewhere_five_minutes_later(
    estate: Estate, become: Become, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(estate.management.account_id)
    member = estate.account(estate.upper)
    async with knowing(hub_settings()) as known:
        before = await known.facts_of(member, ous=True, tags=False)
        estate.move(member, estate.upper, estate.lower)
        assert await known.facts_of(member, ous=True, tags=False) == before
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + FACTS_SECONDS + 1)
        after = await known.facts_of(member, ous=True, tags=False)
    assert after.ous == (*(before.ous or ()), estate.lower, "upper/lower")


async def test_where_there_is_no_organization_nothing_is_known(
    aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = aws.fresh_account().account_id
    for name, value in aws.role_credentials(alone, "hub", [policy(allow("organizations:*"))]).items():
        monkeypatch.setenv(name, value)
    async with knowing(hub_settings()) as known:
        with pytest.raises(SpokeUnreachable, match="there is no organization"):
            await known.facts_of(alone, ous=True, tags=False)


# --- with an Organizations that fails


class Organizations:
    """Answers as it is told: by operation, the answers in their order, the last one for ever."""

    def __init__(self, **answers: list[Any]) -> None:
        self.asked: list[str] = []
        self.arrived = asyncio.Event()
        self.slow = ""
        self._answers = {name: list(each) for name, each in answers.items()}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        async def call(**params: Any) -> Any:
            self.asked.append(operation)
            self.arrived.set()
            for _ in range(50 if operation == self.slow else 1):
                await asyncio.sleep(0)
            answers = self._answers[operation]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, str):
                raise ClientError({"Error": {"Code": answer, "Message": "no"}}, operation)
            return answer

        return call


class Identity(HubIdentity):
    organizations: Organizations

    async def kept(self, service: str, region: str | None = None) -> Any:
        assert service == "organizations"
        return self.organizations


class Everybody(Directory):
    async def find(self, account_id: str) -> Member | None:
        return Member(account_id, "")


def asking(organizations: Organizations) -> OrganizationFacts:
    identity = Identity(Settings.load(deployment_mode=DeploymentMode.MULTI))
    identity.organizations = organizations
    return OrganizationFacts(identity, Everybody(identity.settings, identity))


ONE, OTHER = "222233334444", "333344445555"
AT_ROOT = {"Parents": [{"Id": "r-ab12", "Type": "ROOT"}]}


async def test_answers_come_in_pages_of_which_some_are_empty() -> None:
    tags = [{"Key": "a", "Value": "1"}], [{"Key": "b", "Value": "2"}]
    known = asking(
        Organizations(
            list_parents=[{"Parents": [], "NextToken": "1"}, AT_ROOT],
            list_tags_for_resource=[
                {"Tags": tags[0], "NextToken": "1"}, {"Tags": [], "NextToken": "2"}, {"Tags": tags[1]},
            ],
        )
    )  # fmt: skip
    found = await known.facts_of(ONE, ous=True, tags=True)
    assert found == AccountFacts(ous=("r-ab12",), tags={"a": "1", "b": "2"})


async def test_one_failure_speaks_for_all_who_ask_the_same_within_some_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organizations = Organizations(
        list_parents=["ServiceException", AT_ROOT], list_tags_for_resource=[{"Tags": []}]
    )
    known = asking(organizations)
    for account in (ONE, OTHER):
        with pytest.raises(SpokeError, match="ServiceException"):
            await known.facts_of(account, ous=True, tags=False)
    assert organizations.asked == ["list_parents"]
    assert (await known.facts_of(OTHER, ous=False, tags=True)).tags == {}, "tags can still be told"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + ASK_AGAIN_SECONDS + 1)
    assert (await known.facts_of(OTHER, ous=True, tags=False)).ous == ("r-ab12",)


async def test_nothing_is_under_way_any_more_when_a_failure_is_told() -> None:
    organizations = Organizations(list_parents=["ServiceException"], list_tags_for_resource=[{"Tags": []}])
    organizations.slow = "list_tags_for_resource"
    known = asking(organizations)
    with pytest.raises(SpokeError, match="ServiceException"):
        await known.facts_of(ONE, ous=True, tags=True)
    assert not known._tags._asking


async def test_a_clock_that_was_put_back_keeps_neither_answers_nor_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organizations = Organizations(
        list_parents=["ServiceException", AT_ROOT], list_tags_for_resource=[{"Tags": []}]
    )
    known = asking(organizations)
    await known.facts_of(ONE, ous=False, tags=True)
    with pytest.raises(SpokeError):
        await known.facts_of(ONE, ous=True, tags=False)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    await known.facts_of(ONE, ous=True, tags=True)
    assert sorted(organizations.asked) == ["list_parents"] * 2 + ["list_tags_for_resource"] * 2


@pytest.mark.parametrize("missing", ["ChildNotFoundException", {"Parents": []}])
async def test_an_account_that_is_not_there_says_nothing_about_others_and_is_not_asked_about_again(
    missing: Any,
) -> None:
    organizations = Organizations(list_parents=[missing, AT_ROOT])
    known = asking(organizations)
    for _ in range(3):
        with pytest.raises(SpokeUnreachable, match=ONE):
            await known.facts_of(ONE, ous=True, tags=False)
    assert (await known.facts_of(OTHER, ous=True, tags=False)).ous == ("r-ab12",)
    assert organizations.asked == ["list_parents"] * 2


async def test_throttling_is_waited_out_at_a_lower_pace() -> None:
    throttled = ["TooManyRequestsException"] * (TRIES - 1)
    organizations = Organizations(list_parents=[*throttled, AT_ROOT])
    known = asking(organizations)
    assert (await known.facts_of(ONE, ous=True, tags=False)).ous == ("r-ab12",)
    assert known._pace.throttles.count == TRIES - 1
    assert known._pace.rate < known._pace.limit.per_second


async def test_throttling_without_an_end_is_told_as_such() -> None:
    organizations = Organizations(list_parents=["TooManyRequestsException"])
    with pytest.raises(SpokeThrottled):
        await asking(organizations).facts_of(ONE, ous=True, tags=False)
    assert len(organizations.asked) == TRIES


async def test_whoever_asked_first_may_be_cancelled_without_harm_to_the_others() -> None:
    organizations = Organizations(list_parents=[AT_ROOT])
    known = asking(organizations)
    first, second = (asyncio.create_task(known.facts_of(ONE, ous=True, tags=False)) for _ in range(2))
    await organizations.arrived.wait()
    first.cancel()
    assert (await second).ous == ("r-ab12",)
    assert first.cancelled()
    assert organizations.asked == ["list_parents"]
