"""Scenes of `bots.tag_ec2_resource`, and what only this bot does."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots._tags import Tag
from bots._words import BadWords, parse
from bots.tag_ec2_resource import Wish, bot
from hub.app import open_hub
from hub.aws.accounts import session_policy
from hub.model import Message, Outcome
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

OWNER = ("Owner", "platform")


def _instance(admin: Admin) -> str:
    found = admin.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    return str(found["Instances"][0]["InstanceId"])


def _vpc(admin: Admin) -> str:
    return str(admin.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def _subnet(admin: Admin) -> str:
    made = admin.client("ec2").create_subnet(VpcId=_vpc(admin), CidrBlock="10.0.0.0/24")
    return str(made["Subnet"]["SubnetId"])


def _volume(admin: Admin) -> str:
    made = admin.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)
    return str(made["VolumeId"])


def _peering(admin: Admin) -> str:
    made = admin.client("ec2").create_vpc_peering_connection(VpcId=_vpc(admin), PeerVpcId=_vpc(admin))
    return str(made["VpcPeeringConnection"]["VpcPeeringConnectionId"])


KINDS: dict[str, Callable[[Admin], str]] = {
    "acl": lambda admin: admin.client("ec2").create_network_acl(VpcId=_vpc(admin))["NetworkAcl"][
        "NetworkAclId"
    ],
    "ami": lambda admin: admin.client("ec2").create_image(InstanceId=_instance(admin), Name="golden")[
        "ImageId"
    ],
    "eni": lambda admin: admin.client("ec2").create_network_interface(SubnetId=_subnet(admin))[
        "NetworkInterface"
    ]["NetworkInterfaceId"],
    "i": _instance,
    "igw": lambda admin: admin.client("ec2").create_internet_gateway()["InternetGateway"][
        "InternetGatewayId"
    ],
    "pcx": _peering,
    "rtb": lambda admin: admin.client("ec2").create_route_table(VpcId=_vpc(admin))["RouteTable"][
        "RouteTableId"
    ],
    "sg": lambda admin: admin.client("ec2").create_security_group(GroupName="web", Description="web")[
        "GroupId"
    ],
    "snap": lambda admin: admin.client("ec2").create_snapshot(VolumeId=_volume(admin))["SnapshotId"],
    "subnet": _subnet,
    "vol": _volume,
    "vpc": _vpc,
}


def _planted(
    admin: Admin, *words: str, make: Callable[[Admin], str] = _instance, tags: dict[str, str] | None = None
) -> Planted:
    resource = make(admin)
    pairs = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    if pairs:
        admin.client("ec2").create_tags(Resources=[resource], Tags=pairs)
    return Planted(entity={"id": resource, "name": "", "type": "Instance"}, words=words or OWNER)


def _tags(admin: Admin, planted: Planted) -> dict[str, str]:
    filters = [{"Name": "resource-id", "Values": [planted.entity["id"]]}]
    found = admin.client("ec2").describe_tags(Filters=filters)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0", "type": "Instance"}, words=OWNER)


def _named(_admin: Admin) -> Planted:
    return Planted(entity={"id": "my-placement-group", "type": "PlacementGroup"}, words=OWNER)


def scenes() -> list[Scene]:
    return [
        Scene(
            name="untagged instance",
            plant=lambda admin: _planted(admin, tags={"Name": "web-1", "owner": "somebody"}),
            observe=_tags,
            missing=_missing,
        ),
        Scene(
            name="other value, with blanks",
            plant=lambda admin: _planted(admin, '"Cost Center"', '"R and D"', tags={"Cost Center": "Sales"}),
            observe=_tags,
        ),
        Scene(
            name="security group",
            plant=lambda admin: _planted(admin, make=KINDS["sg"], tags={"Env": "prod"}),
            observe=_tags,
        ),
        Scene(name="name instead of an id", plant=_named, observe=_tags, refusal="not the id"),
    ]


# --- the words, split by the hub like a shell


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("Owner platform", "Owner", "platform"),
        ('"Cost Center" "R and D"', "Cost Center", "R and D"),
        ('Env "pre prod"', "Env", "pre prod"),
        ("key=Owner value=platform", "Owner", "platform"),
        ("value:platform Key:Owner", "Owner", "platform"),
        ('"team:owner x" "v 1"', "team:owner x", "v 1"),
        ("app/tier a+b@example.com", "app/tier", "a+b@example.com"),
        ('key="a=b" value="c=d=e"', "a=b", "c=d=e"),
        ('Größe "très grand (1.5_x), -2"', "Größe", "très grand (1.5_x), -2"),
        ('Empty ""', "Empty", ""),
        ("name Name", "name", "Name"),
        (f"{'k' * 128} {'v' * 256}", "k" * 128, "v" * 256),
        ("Owner platform exec_function_arn=arn:aws:lambda:x", "Owner", "platform"),
    ],
)
def test_two_words_are_key_and_value_to_the_letter(text: str, key: str, value: str) -> None:
    wish = parse(Wish, shlex.split(text))
    assert (wish.key, wish.value) == (key, value)


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ([], "key and value must be given"),
        (["Owner"], "value must be given"),
        (["Owner", "platform", "team"], "one too many"),
        (["", "platform"], "key"),
        (["k" * 129, "v"], "128"),
        (["k", "v" * 257], "256"),
        (["aws:cloudformation:stack-name", "v"], "aws:"),
        (["AWS:x", "v"], "aws:"),
    ],
)
def test_words_that_are_no_tag_are_refused_before_anything_is_asked(words: list[str], about: str) -> None:
    with pytest.raises(BadWords, match=about):
        parse(Wish, words)


# --- the tag


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_resource_is_tagged_and_put_back(aws: FakeAws, kind: str) -> None:
    admin = aws.fresh_account()
    planted = _planted(admin, make=KINDS[kind], tags={"Name": "first"})
    assert planted.entity["id"].startswith(f"{kind}-")
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert (await one.fix()).compliant
        assert _tags(admin, planted) == {"Name": "first", "Owner": "platform"}
        assert (await one.undo(was)).before == was == Tag(key="Owner", value=None)
    assert _tags(admin, planted) == {"Name": "first"}


async def test_an_old_value_is_replaced_and_comes_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _planted(admin, tags={"Owner": "", "Name": "web-1"})
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert was == Tag(key="Owner", value="")
        await one.fix()
        assert _tags(admin, planted) == {"Owner": "platform", "Name": "web-1"}
        await one.undo(was)
    assert _tags(admin, planted) == {"Owner": "", "Name": "web-1"}


async def test_the_same_value_is_right_and_another_case_is_another_key(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _planted(admin, tags={"owner": "platform", "OWNER": "platform"})
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert not seen.compliant
        assert len(seen.notes) == 2
        assert (await one.saying("owner", "platform").check()).compliant
        assert not (await one.saying("owner", "Platform").check()).compliant


async def test_a_key_with_wildcards_is_looked_up_as_it_is_written(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _planted(admin, "Own*", "platform", tags={"Owner": "platform"})
    async with alone(bot, aws, admin, planted) as one:
        assert not (await one.check()).compliant
        await one.fix()
    assert _tags(admin, planted) == {"Own*": "platform", "Owner": "platform"}


async def test_tags_of_other_resources_do_not_count(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    _planted(admin, tags={"Owner": "platform"})
    planted = _planted(admin)
    async with alone(bot, aws, admin, planted) as one:
        assert not (await one.check()).compliant


# moto knows no placement groups: it finds every id of one invalid, which is a way AWS has to say it, too.
@pytest.mark.parametrize("kind", [*KINDS, "pg"])
async def test_what_does_not_exist_is_gone_when_the_tag_is_written_at_the_latest(
    aws: FakeAws, kind: str
) -> None:
    named = f"{kind}-0123456789abcdef0"
    async with alone(bot, aws, aws.fresh_account(), Planted(entity={"id": named}, words=OWNER)) as one:
        with pytest.raises(TargetGone, match=f"{named} does not exist in us-east-1"):
            await one.fix()


async def test_a_finding_about_what_does_not_exist_ends_gone_and_unchanged(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = aws.fresh_account()
    aws.spoke({"rights": session_policy(bot, admin.account_id, "aws")}, account_id=admin.account_id)
    finding = {
        "status": "Failed",
        "rule": {"name": "untagged volume"},
        "account": {"id": admin.account_id, "vendor": "AWS"},
        "entity": {"id": "vol-0123456789abcdef0", "region": "us_east_1"},
        "findingKey": f"volume-{admin.account_id}",
        "remediationActions": ["tag_ec2_resource Owner platform"],
    }
    async with open_hub(hub_settings(admin.account_id)) as hub:
        report = await hub.settle(Message(body=json.dumps(finding)))
    assert report is not None
    assert report.outcomes == (Outcome.GONE,)
    assert not report.runs[0].changed


@pytest.mark.parametrize(
    "named", ["my-key-pair", "web", "i-123", "i-*", "sg-0123456789abcdef0,i-1", "arn:aws:ec2:x"]
)
async def test_a_name_is_not_mistaken_for_an_id(aws: FakeAws, named: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, Planted(entity={"id": named}, words=OWNER)) as one:
        with pytest.raises(CannotFix, match="not the id of an EC2 resource"):
            await one.check()
    assert aws.calls(admin.account_id) == ()


async def test_a_resource_with_fifty_tags_fails_with_the_reason_of_aws(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _planted(admin, tags={f"key-{n}": "v" for n in range(50)})
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(AwsError, match="TagLimitExceeded"):
            await one.fix()
    assert len(_tags(admin, planted)) == 50
