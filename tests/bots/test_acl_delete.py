"""Scenes of `bots.acl_delete`, and what only this bot does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._aws import AwsError
from bots._bot import CannotFix, NoParams, TryLater
from bots._words import BadWords, parse
from bots.acl_delete import Acl, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.cloudtrail import log_call
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

WHEN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def _acl(admin: Admin, *, subnet: bool = False) -> Planted:
    ec2 = admin.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tags = [{"ResourceType": "network-acl", "Tags": [{"Key": "Name", "Value": "wide open"}]}]
    acl_id = ec2.create_network_acl(VpcId=vpc_id, TagSpecifications=tags)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl_id, RuleNumber=100, Egress=False, Protocol="6", RuleAction="allow",
        CidrBlock="0.0.0.0/0", PortRange={"From": 22, "To": 22},
    )  # fmt: skip
    ec2.create_network_acl_entry(
        NetworkAclId=acl_id, RuleNumber=90, Egress=True, Protocol="58", RuleAction="deny",
        Ipv6CidrBlock="2001:db8::/32", IcmpTypeCode={"Type": 128, "Code": 0},
    )  # fmt: skip
    notes = {"acl": acl_id, "vpc": vpc_id}
    if subnet:
        made = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        mine = [{"Name": "association.subnet-id", "Values": [made]}]
        (default,) = ec2.describe_network_acls(Filters=mine)["NetworkAcls"]
        (old,) = default["Associations"]
        ec2.replace_network_acl_association(AssociationId=old["NetworkAclAssociationId"], NetworkAclId=acl_id)
        notes["subnet"] = made
    return Planted(entity={"id": acl_id, "type": "NetworkACL"}, notes=notes)


def _logged(
    admin: Admin, at: datetime = WHEN, *, acl_id: str | None = None, error: str | None = None
) -> Planted:
    """A finding that names no ACL; the log tells which one."""
    planted = _acl(admin)
    response = None if error else {"networkAcl": {"networkAclId": acl_id or planted.notes["acl"]}}
    log_call(
        admin.account_id,
        "us-east-1",
        "CreateNetworkAcl",
        at=at,
        request={"vpcId": planted.notes["vpc"]},
        response=response,
        error=error,
    )
    return Planted(
        entity={"id": "root-account", "type": "CloudTrail"},
        event_time=f"{WHEN:%Y-%m-%dT%H:%M:%SZ}",
        notes=planted.notes,
    )


def _default(admin: Admin) -> Planted:
    planted = _acl(admin)
    mine = [{"Name": "vpc-id", "Values": [planted.notes["vpc"]]}, {"Name": "default", "Values": ["true"]}]
    (default,) = admin.client("ec2").describe_network_acls(Filters=mine)["NetworkAcls"]
    return Planted(entity={"id": default["NetworkAclId"]}, notes=planted.notes)


def _observe(admin: Admin, planted: Planted) -> Any:
    mine = [{"Name": "vpc-id", "Values": [planted.notes["vpc"]]}]
    return admin.client("ec2").describe_network_acls(Filters=mine)["NetworkAcls"]


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "acl-0123456789abcdef0", "type": "NetworkACL"})


def scenes() -> list[Scene]:
    return [
        Scene(name="named", plant=_acl, observe=_observe, missing=_missing, when_missing="compliant"),
        Scene(name="found in the log", plant=_logged, observe=_observe, region="us_east_1"),
        Scene(name="default ACL", plant=_default, observe=_observe, refusal="is the default ACL"),
        Scene(
            name="guards a subnet",
            plant=lambda admin: _acl(admin, subnet=True),
            observe=_observe,
            refusal="put these subnets on another ACL first",
        ),
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def test_what_a_person_needs_to_make_it_again_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        after = await one.fix()
    assert isinstance(seen.before, Acl)
    assert seen.before.vpc_id == planted.notes["vpc"]
    assert [str(entry) for entry in seen.before.entries] == [
        "allow tcp 22-22, 0.0.0.0/0", "deny icmpv6 128-0, 2001:db8::/32",
    ]  # fmt: skip
    assert seen.before.tags == (("Name", "wide open"),)
    assert after.before == Acl(exists=False)
    assert seen.target_id == after.target_id == planted.notes["acl"]


async def test_the_id_in_the_finding_beats_the_log(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    other = _logged(admin)
    named = _acl(admin)
    mine = Planted(entity=named.entity, event_time=other.event_time, notes=named.notes)
    async with alone(bot, aws, admin, mine) as one:
        assert (await one.fix()).target_id == named.notes["acl"]
    assert len(_observe(admin, other)) == 2
    assert [call.name for call in aws.calls(admin.account_id) if call.service == "cloudtrail"] == []


async def test_an_acl_of_the_log_that_is_gone_again_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _logged(admin, acl_id="acl-0123456789abcdef0")) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.target_id == "acl-0123456789abcdef0"


async def test_calls_that_failed_or_came_at_another_time_do_not_count(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    _logged(admin, error="Client.UnauthorizedOperation")
    _logged(admin, WHEN + timedelta(minutes=5))
    planted = _logged(admin, WHEN - timedelta(seconds=20))
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).target_id == planted.notes["acl"]


async def test_of_two_acls_made_at_once_neither_is_guessed_at(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    first, second = _logged(admin), _logged(admin)
    async with alone(bot, aws, admin, second) as one:
        with pytest.raises(CannotFix, match="does not say which one") as caught:
            await one.check()
    assert first.notes["acl"] in str(caught.value)


async def test_a_log_that_lags_is_asked_again_and_one_that_is_complete_is_not(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _logged(admin, WHEN + timedelta(minutes=5))
    for now, raised in ((WHEN + timedelta(minutes=10), TryLater), (WHEN + timedelta(minutes=30), CannotFix)):
        async with alone(bot, aws, admin, planted, now=now) as one:
            with pytest.raises(raised, match="no CreateNetworkAcl call"):
                await one.check()


async def test_a_finding_that_names_neither_acl_nor_time_is_refused(aws: FakeAws) -> None:
    async with alone(bot, aws, aws.fresh_account(), Planted(entity={})) as one:
        with pytest.raises(CannotFix, match="alertWindowStartTime"):
            await one.check()


async def test_the_acl_of_another_account_in_a_shared_vpc_is_its_owners(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    ec2_backends[admin.account_id]["us-east-1"].network_acls[planted.notes["acl"]].owner_id = "222233334444"
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="belongs to account 222233334444"):
            await one.check()


async def test_the_stack_that_will_miss_the_acl_is_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    acl = ec2_backends[admin.account_id]["us-east-1"].network_acls[planted.notes["acl"]]
    acl.add_tags({"aws:cloudformation:stack-name": "shop"})
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).notes == ("stack shop made the ACL and will miss it",)


@pytest.mark.parametrize(
    ("code", "raised"), [("DependencyViolation", CannotFix), ("SomethingElse", AwsError)]
)
async def test_what_stands_in_the_way_of_the_delete_is_told_apart(
    aws: FakeAws, code: str, raised: type[Exception]
) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _acl(admin)) as one:
        aws.fail(admin.account_id, "ec2:DeleteNetworkAcl", code)
        with pytest.raises(raised):
            await one.fix()


async def test_an_acl_deleted_by_somebody_else_meanwhile_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    async with alone(bot, aws, admin, planted) as one:
        before = (await one.check()).before
        admin.client("ec2").delete_network_acl(NetworkAclId=planted.notes["acl"])
        assert isinstance(before, Acl)
        await bot.run_fix(one.account, one.target, NoParams(), before)
        assert (await one.check()).compliant
