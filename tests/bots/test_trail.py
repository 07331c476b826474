"""The logged call behind a finding: which ones count, and what happens when there is none or more than one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bots import _trail
from bots._bot import AnyBot, Before, Bot, CannotFix, NoParams, Risk, TryLater, Undo, account
from bots._trail import LoggedCall, logged_calls, the_call
from tests.bots.alone import Alone, alone
from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.cloudtrail import log_call
from tests.fake_aws.server import FakeAws

AT = datetime(2026, 3, 20, 5, 40, 42, tzinfo=UTC)
SOON = AT + timedelta(minutes=2)
LATE = AT + timedelta(hours=1)


def reader() -> AnyBot:
    """A bot that may look into the log and does nothing."""
    return Bot(
        name="reader",
        acts_on="AWS::::Account",
        target=account(),
        params=NoParams,
        before=Before,
        reads=(_trail.ACTION,),
        writes=(),
        risk=Risk.ADDITIVE,
        undo=Undo.none("nothing is done"),
    )


@asynccontextmanager
async def reading(
    aws: FakeAws, admin: Admin, *, now: datetime = LATE, event_time: str | None = "2026-03-20T05:40:42Z"
) -> AsyncIterator[Alone]:
    planted = Planted(entity={}, event_time=event_time)
    async with alone(reader(), aws, admin, planted, now=now) as one:
        yield one


def created(admin: Admin, group: str, at: datetime = AT, **more: object) -> None:
    log_call(
        admin.account_id,
        "us-east-1",
        "CreateGroup",
        at=at,
        request={"name": group},
        **more,  # type: ignore[arg-type]
    )


def group_of(call: LoggedCall) -> str | None:
    return call.request.get("name")


pytestmark = pytest.mark.usefixtures("hub_environment")


async def test_the_call_of_the_time_is_found_and_read(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    created(
        admin,
        "one",
        AT + timedelta(seconds=20),
        response={"id": 7},
        caller="arn:aws:iam::222233334444:user/x",
    )
    created(admin, "another day", AT + timedelta(days=1))
    async with reading(aws, admin) as one:
        call = await the_call(one.account, one.target, "CreateGroup", group_of)
    assert (call.name, call.request, call.response) == ("CreateGroup", {"name": "one"}, {"id": 7})
    assert call.at == AT + timedelta(seconds=20)
    assert call.caller == "arn:aws:iam::222233334444:user/x"


async def test_refused_calls_and_calls_about_nothing_known_do_not_count(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    created(admin, "refused", error="AccessDenied")
    log_call(admin.account_id, "us-east-1", "CreateGroup", at=AT)
    created(admin, "made", AT + timedelta(seconds=1))
    created(admin, "made", AT + timedelta(seconds=2))
    async with reading(aws, admin) as one:
        assert (await the_call(one.account, one.target, "CreateGroup", group_of)).request["name"] == "made"


async def test_calls_about_several_resources_are_no_reason_to_guess(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    for number in range(7):
        created(admin, f"group-{number}")
    async with reading(aws, admin) as one:
        with pytest.raises(
            CannotFix, match=r"7 CreateGroup calls .* group-0, group-1, .* does not say which"
        ):
            await the_call(one.account, one.target, "CreateGroup", group_of)


async def test_while_the_log_may_lag_it_is_asked_again_and_after_that_never(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with reading(aws, admin, now=SOON) as one:
        with pytest.raises(TryLater, match="no CreateGroup call within 30 seconds of 2026-03-20T05:40:42Z"):
            await the_call(one.account, one.target, "CreateGroup", group_of)
    async with reading(aws, admin, now=LATE) as one:
        with pytest.raises(CannotFix, match="CloudTrail shows no CreateGroup call"):
            await the_call(one.account, one.target, "CreateGroup", group_of)


@pytest.mark.parametrize("event_time", [None, "", "yesterday"])
async def test_without_a_time_nothing_is_looked_up(event_time: str | None, aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with reading(aws, admin, event_time=event_time) as one:
        with pytest.raises(CannotFix, match="names neither the resource nor the time"):
            await the_call(one.account, one.target, "CreateGroup", group_of)
    assert aws.calls(admin.account_id) == ()


async def test_a_time_without_a_zone_is_utc(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    created(admin, "one")
    async with reading(aws, admin, event_time="2026-03-20T05:40:42") as one:
        assert (await the_call(one.account, one.target, "CreateGroup", group_of)).at == AT


async def test_all_pages_are_read_newest_first(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    for second in range(120):
        created(admin, f"group-{second}", AT + timedelta(seconds=second), resources=("group",))
    async with reading(aws, admin) as one:
        calls = await logged_calls(
            one.account, "ResourceName", "group", since=AT, until=AT + timedelta(seconds=110)
        )
    assert [call.request["name"] for call in calls] == [f"group-{n}" for n in range(110, -1, -1)]
    assert len(aws.calls(admin.account_id)) == 3
