"""Scenes of `bots.ec2_tag_instance_from_vpc`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._bot import CannotFix, TargetGone
from bots._tags import Tag
from bots._words import BadWords, parse
from bots.ec2_tag_instance_from_vpc import Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

KEY = "Cost Center"


def _instance(
    admin: Admin, *, on_vpc: dict[str, str] | None = None, on_instance: dict[str, str] | None = None
) -> Planted:
    ec2 = admin.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    found = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnet)
    instance = found["Instances"][0]["InstanceId"]
    for resource, tags in ((vpc_id, {KEY: "R and D"} if on_vpc is None else on_vpc), (instance, on_instance)):
        if tags:
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            ec2.create_tags(Resources=[resource], Tags=pairs)
    # What the finding remembers of the VPC may be long over.
    entity = {
        "id": instance,
        "vpc": {"id": "vpc-0123456789abcdef0", "tags": [{"key": KEY, "value": "Sales"}]},
    }
    return Planted(entity=entity, words=(f'"{KEY}"',), notes={"vpc": vpc_id})


def _tags(admin: Admin, planted: Planted) -> dict[str, dict[str, str]]:
    return {
        resource: {
            tag["Key"]: tag["Value"]
            for tag in admin.client("ec2").describe_tags(
                Filters=[{"Name": "resource-id", "Values": [resource]}]
            )["Tags"]
        }
        for resource in (planted.entity["id"], planted.notes["vpc"])
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0"}, words=("CostCenter",))


def scenes() -> list[Scene]:
    return [
        Scene(
            name="untagged",
            plant=lambda admin: _instance(admin, on_instance={"Name": "web", "cost center": "other"}),
            observe=_tags,
            missing=_missing,
        ),
        Scene(
            name="not on the VPC",
            plant=lambda admin: _instance(admin, on_vpc={"Cost": "1"}),
            observe=_tags,
            refusal="its tags: Cost",
        ),
    ]


@pytest.mark.parametrize(
    ("words", "key"), [(["CostCenter"], "CostCenter"), ([KEY], KEY), (["key=a:b"], "a:b"), (["Key:x"], "x")]
)
def test_the_word_is_the_key(words: list[str], key: str) -> None:
    assert parse(Wish, words).key == key


@pytest.mark.parametrize("words", [[], [""], ["aws:x"], ["k" * 129], ["Cost", "Center"]])
def test_words_that_are_no_key_are_refused_before_anything_is_asked(words: list[str]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)


@pytest.mark.parametrize("value", ["R and D", ""])
async def test_the_value_is_the_live_one_of_the_vpc(aws: FakeAws, value: str) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin, on_vpc={KEY: value, f"{KEY}*": "no"})
    async with alone(bot, aws, admin, planted) as found:
        one = found.saying(KEY)
        was = (await one.check()).before
        assert (await one.fix()).before == Tag(key=KEY, value=value)
        assert _tags(admin, planted)[planted.entity["id"]] == {KEY: value}
        assert (await one.undo(was)).before == was == Tag(key=KEY, value=None)
    assert _tags(admin, planted)[planted.entity["id"]] == {}


async def test_a_value_that_is_there_is_never_overwritten(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _instance(admin, on_instance={KEY: "Sales"})) as one:
        seen = await one.saying(KEY).check()
    assert seen.compliant
    assert "'Sales'" in seen.why


async def test_a_vpc_without_visible_tags_may_be_another_accounts(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _instance(admin, on_vpc={})) as one:
        with pytest.raises(CannotFix, match=r"none that this account can see.*owner only"):
            await one.saying(KEY).check()


async def test_a_terminated_instance_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    admin.client("ec2").terminate_instances(InstanceIds=[planted.entity["id"]])
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TargetGone, match="is terminated"):
            await one.saying(KEY).check()
