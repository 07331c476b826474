"""Scenes of `bots.mark_for_stop_ec2_resource`, and what only this bot does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bots._bot import CannotFix, TargetGone
from bots._tags import Tag
from bots._words import BadWords, parse
from bots.mark_for_stop_ec2_resource import KEY, Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

NOW = datetime(2026, 3, 20, 5, 40, 42, tzinfo=UTC)


def _instance(admin: Admin, mark: str | None = None) -> Planted:
    ec2 = admin.client("ec2")
    found = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    return _planted(admin, found["Instances"][0]["InstanceId"], mark)


def _volume(admin: Admin, mark: str | None = None) -> Planted:
    made = admin.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)
    return _planted(admin, made["VolumeId"], mark)


def _planted(admin: Admin, resource: str, mark: str | None) -> Planted:
    tags = [{"Key": "Name", "Value": "web"}] + ([{"Key": KEY, "Value": mark}] if mark is not None else [])
    admin.client("ec2").create_tags(Resources=[resource], Tags=tags)
    return Planted(entity={"id": resource}, words=("12h",))


def _tags(admin: Admin, planted: Planted) -> dict[str, str]:
    filters = [{"Name": "resource-id", "Values": [planted.entity["id"]]}]
    found = admin.client("ec2").describe_tags(Filters=filters)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0"}, words=("12h",))


def _named(_admin: Admin) -> Planted:
    return Planted(entity={"id": "my-placement-group"}, words=("12h",))


def scenes() -> list[Scene]:
    return [
        Scene(name="instance", plant=_instance, observe=_tags, missing=_missing),
        Scene(name="no time", plant=lambda admin: _volume(admin, "tomorrow"), observe=_tags),
        Scene(name="name instead of an id", plant=_named, observe=_tags, refusal="not the id"),
    ]


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (["90m"], 90 * 60),
        (["12h"], 12 * 3600),
        (["7d"], 7 * 86400),
        (["7D"], 7 * 86400),
        (["delay=2H"], 2 * 3600),
        (["Delay:005m"], 5 * 60),
        (["12h", "exec_function_arn=arn:aws:lambda:x"], 12 * 3600),
    ],
)
def test_a_delay_is_a_number_and_a_unit(words: list[str], seconds: int) -> None:
    assert parse(Wish, words).seconds == seconds


@pytest.mark.parametrize(
    "word",
    ["", "12", "h", "0h", "-1h", "1.5h", "1h30m", "abc3hours", "12 h", "12w", "100000d", "１h", "12h\n"],
)
def test_what_only_looks_like_a_delay_is_refused(word: str) -> None:
    with pytest.raises(BadWords, match="delay"):
        parse(Wish, [word])


def test_a_delay_must_be_given() -> None:
    with pytest.raises(BadWords, match="delay must be given"):
        parse(Wish, [])


async def test_the_time_is_counted_from_the_hubs_clock(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _volume(admin)
    async with alone(bot, aws, admin, planted, now=NOW) as one:
        was = (await one.check()).before
        seen = await one.fix()
        assert "2026-03-20 17:40:42 UTC" in seen.why
        assert _tags(admin, planted) == {"Name": "web", KEY: str(int(NOW.timestamp()) + 12 * 3600)}
        assert (await one.undo(was)).before == was == Tag(key=KEY, value=None)
    assert _tags(admin, planted) == {"Name": "web"}


@pytest.mark.parametrize("mark", ["1", "1774000000", "99999999999"])
async def test_a_time_that_is_there_is_never_put_off(aws: FakeAws, mark: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _volume(admin, mark), now=NOW) as one:
        seen = await one.check()
    assert seen.compliant
    assert f"({mark})" in seen.why


@pytest.mark.parametrize("mark", ["", "soon", "-5", "1774000000.5", "1774000000000", "１"])
async def test_what_is_no_time_is_replaced_told_and_comes_back(aws: FakeAws, mark: str) -> None:
    admin = aws.fresh_account()
    planted = _volume(admin, mark)
    async with alone(bot, aws, admin, planted, now=NOW) as one:
        seen = await one.check()
        assert repr(mark) in seen.why
        assert (await one.fix()).compliant
        await one.undo(seen.before)
    assert _tags(admin, planted) == {"Name": "web", KEY: mark}


async def test_what_does_not_exist_is_gone_when_the_tag_is_written_at_the_latest(aws: FakeAws) -> None:
    planted = Planted(entity={"id": "vol-0123456789abcdef0"}, words=("12h",))
    async with alone(bot, aws, aws.fresh_account(), planted) as one:
        with pytest.raises(TargetGone, match="vol-0123456789abcdef0 does not exist in us-east-1"):
            await one.fix()


async def test_a_name_is_not_mistaken_for_an_id(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _named(admin)) as one:
        with pytest.raises(CannotFix, match="not the id of an EC2 resource"):
            await one.check()
    assert aws.calls(admin.account_id) == ()
