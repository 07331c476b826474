"""One client for the whole organization: every call must land in its own account, and only there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub import __version__
from hub.aws.account import SpokeAccount
from hub.aws.clients import Clients, Keys, signing_as
from hub.aws.throttle import Pacer
from hub.errors import InternalError
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy

ACCOUNTS = 50


@pytest.fixture
async def clients(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clients]:
    """The pool, in a process that has keys of its own in its environment, as the hub has."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    for name, value in aws.hub_credentials().items():
        monkeypatch.setenv(name, value)
    pool = Clients()
    yield pool
    await pool.close()


def keys_of(aws: FakeAws, admin: Admin) -> Keys:
    found = aws.role_credentials(admin.account_id, "actor", [policy(allow("*"))])
    return Keys(admin.account_id, *found.values())


def account(keys: Keys, clients: Clients, pacer: Pacer) -> SpokeAccount:
    return SpokeAccount(keys.account_id, "us-east-1", "aws", keys, "tests", clients, pacer)


async def test_fifty_accounts_at_once_through_one_client_stay_apart(aws: FakeAws, clients: Clients) -> None:
    admins = [aws.fresh_account() for _ in range(ACCOUNTS)]
    keys = [keys_of(aws, admin) for admin in admins]
    for admin in admins:
        admin.client("iam").create_user(UserName=f"only-in-{admin.account_id}")
    pacer = Pacer(1000)
    together = asyncio.Barrier(ACCOUNTS)

    async def look_and_write(mine: Keys) -> list[str]:
        iam = account(mine, clients, pacer)
        await together.wait()
        await iam.call("iam", "CreateUser", UserName=f"made-for-{mine.account_id}")
        answer = await iam.call("iam", "ListUsers")
        return sorted(user["UserName"] for user in answer["Users"])

    found = await asyncio.gather(*(look_and_write(mine) for mine in keys))

    expected = [[f"made-for-{k.account_id}", f"only-in-{k.account_id}"] for k in keys]
    assert found == expected
    assert len(clients._clients) == 1
    for mine in keys:
        calls = aws.calls(mine.account_id)
        assert [call.operation for call in calls] == ["CreateUser", "ListUsers"]
        assert {call.access_key for call in calls} == {mine.access_key}
        assert calls[0].params["UserName"] == f"made-for-{mine.account_id}"


async def test_a_call_says_that_it_is_the_hubs(aws: FakeAws, clients: Clients) -> None:
    seen: list[str] = []
    client = await clients.get("iam", "us-east-1")
    client.meta.events.register(
        "before-send.iam", lambda request, **_: seen.append(request.headers["User-Agent"].decode())
    )
    await account(keys_of(aws, aws.fresh_account()), clients, Pacer(1000)).call("iam", "ListUsers")
    assert len(seen) == 1
    assert seen[0].startswith(f"remediation-hub/{__version__} Botocore/"), "CloudTrail's userAgent"


async def test_a_call_outside_any_account_is_never_sent(aws: FakeAws, clients: Clients) -> None:
    iam = await clients.get("iam", "us-east-1")
    before = len(aws.calls())
    with pytest.raises(InternalError, match="outside any account"):
        await iam.list_users()
    assert len(aws.calls()) == before


async def test_keys_end_with_their_block_also_when_it_raises(aws: FakeAws, clients: Clients) -> None:
    mine = keys_of(aws, aws.fresh_account())
    iam = await clients.get("iam", "us-east-1")
    with pytest.raises(ValueError, match="stop"), signing_as(mine):
        raise ValueError("stop")
    with pytest.raises(InternalError):
        await iam.list_users()


async def test_an_inner_account_gives_way_to_the_outer_one_again(aws: FakeAws, clients: Clients) -> None:
    outer, inner = (keys_of(aws, aws.fresh_account()) for _ in range(2))
    sts = await clients.get("sts", "us-east-1")
    with signing_as(outer):
        with signing_as(inner):
            assert (await sts.get_caller_identity())["Account"] == inner.account_id
        assert (await sts.get_caller_identity())["Account"] == outer.account_id


async def test_keys_set_in_one_task_are_not_seen_by_its_neighbours(aws: FakeAws, clients: Clients) -> None:
    mine = keys_of(aws, aws.fresh_account())
    iam = await clients.get("iam", "us-east-1")
    entered, done = asyncio.Event(), asyncio.Event()

    async def inside() -> None:
        with signing_as(mine):
            entered.set()
            await done.wait()

    async def outside() -> None:
        await entered.wait()
        with pytest.raises(InternalError):
            await iam.list_users()
        done.set()

    await asyncio.gather(inside(), outside())
    assert aws.calls(mine.account_id) == ()


async def test_one_client_is_made_however_many_ask_at_once(aws: FakeAws, clients: Clients) -> None:
    made = await asyncio.gather(*(clients.get("kms", "eu-west-1") for _ in range(20)))
    assert len({id(client) for client in made}) == 1
    assert await clients.get("kms", "eu-central-1") is not made[0]


async def test_a_client_that_cannot_be_made_does_not_stay_broken(clients: Clients) -> None:
    for _ in range(2):
        with pytest.raises(Exception, match="no-such-service"):
            await clients.get("no-such-service", "us-east-1")
    assert clients._clients == {}


async def test_cancelling_one_who_waits_for_a_client_leaves_it_to_the_others(clients: Clients) -> None:
    first = asyncio.create_task(clients.get("sqs", "us-east-1"))
    second = asyncio.create_task(clients.get("sqs", "us-east-1"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).meta.service_model.service_name == "sqs"


def test_keys_hide_themselves_when_printed() -> None:
    keys = Keys("222233334444", "ASIAACCESS", "the-secret", "the-token")
    for text in (repr(keys), str(keys), f"{keys}", repr([keys])):
        assert "222233334444" in text
        assert not any(word in text for word in ("ASIAACCESS", "the-secret", "the-token"))
