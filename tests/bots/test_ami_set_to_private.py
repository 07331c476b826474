"""Scenes of `bots.ami_set_to_private`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._bot import CannotFix, TargetGone
from bots._words import BadWords, parse
from bots.ami_set_to_private import Shares, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-123example"
SHARES = [{"UserId": "111122223333"}, {"OrganizationArn": ORGANIZATION}]


def _image(admin: Admin, *, shares: list[dict[str, str]] = [{"Group": "all"}]) -> Planted:  # noqa: B006
    ec2 = admin.client("ec2")
    instance = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    image = ec2.create_image(InstanceId=instance, Name="golden", Description="for all")["ImageId"]
    for share in shares:
        ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [share]})
    return Planted(entity={"id": image})


def _widely_shared(admin: Admin) -> Planted:
    return _image(admin, shares=[{"Group": "all"}, *SHARES])


def _inside(admin: Admin, planted: Planted) -> Any:
    return ec2_backends[admin.account_id]["us-east-1"].amis[planted.entity["id"]]


def _observe(admin: Admin, planted: Planted) -> Any:
    ec2, named = admin.client("ec2"), planted.entity["id"]
    (found,) = ec2.describe_images(ImageIds=[named])["Images"]
    launch = ec2.describe_image_attribute(ImageId=named, Attribute="launchPermission")["LaunchPermissions"]
    return {
        "public": found["Public"],
        "state": found["State"],
        "name": found["Name"],
        "launch": sorted(sorted(share.items()) for share in launch),
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "ami-0123456789abcdef0"})


def _of_another_account(admin: Admin) -> Planted:
    planted = _image(admin)
    _inside(admin, planted).owner_id = "111122223333"
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(name="public and shared", plant=_widely_shared, observe=_observe, missing=_missing),
        Scene(
            name="of another account",
            plant=_of_another_account,
            observe=_observe,
            refusal="belongs to account",
        ),
    ]


def test_it_takes_no_words() -> None:
    parse(bot.params, [])
    with pytest.raises(BadWords):
        parse(bot.params, ["all"])


async def test_shares_by_name_stay_and_are_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _widely_shared(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        seen = await one.fix()
        assert "not public; it is shared by name with 111122223333" in seen.why.replace(
            f"{ORGANIZATION}, ", ""
        )
        kept = Shares(launch=(("OrganizationArn", ORGANIZATION), ("UserId", "111122223333")))
        assert seen.before == kept
        assert (await one.undo(was)).before == was
    assert _observe(admin, planted) == before


async def test_of_many_shares_some_are_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    shares = [{"UserId": f"11112222333{n}"} for n in range(7)]
    async with alone(bot, aws, admin, _image(admin, shares=shares)) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.why.endswith("111122223334 and 2 more")


async def test_a_private_image_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _image(admin, shares=[])) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.before == Shares(launch=())
    assert seen.why.endswith("is not public")
    assert seen.notes == ()


async def test_the_snapshots_behind_it_are_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _image(admin)
    snapshot = _inside(admin, planted).ebs_snapshot.id
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).notes == (f"snapshot {snapshot} may be public on its own",)


async def test_a_deregistered_image_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _image(admin)
    admin.client("ec2").deregister_image(ImageId=planted.entity["id"])
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TargetGone, match="does not exist in us-east-1"):
            await one.check()


async def test_an_undo_stands_back_where_public_images_are_blocked(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _image(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        ec2_backends[admin.account_id]["us-east-1"].public_images_are_blocked = True
        with pytest.raises(CannotFix, match="blocked in us-east-1"):
            await one.undo(was)
    assert not _observe(admin, planted)["public"]
