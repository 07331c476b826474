"""Scenes of `bots.rds_quarantine_instance`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from moto.rds.models import DBInstance, rds_backends

from bots._bot import CannotFix, TargetGone, TryLater
from bots._quarantine_group import TAG
from bots.rds_quarantine_instance import Connected, bot
from tests.bots.alone import alone
from tests.bots.instances import group, vpc
from tests.bots.scene import Planted, Scene
from tests.bots.security_groups import rules, tcp
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

OURS = {TAG["Key"]: TAG["Value"]}

pytestmark = pytest.mark.usefixtures("hub_environment")


def _database(admin: Admin, vpc_id: str, subnet: str, *groups: str, **more: str) -> Planted:
    rds = admin.client("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="private", DBSubnetGroupDescription="-", SubnetIds=[subnet])
    wish = {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, **more}
    made = rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBSubnetGroupName="private",
        VpcSecurityGroupIds=list(groups) or [group(admin, vpc_id, "web"), group(admin, vpc_id, "admin")],
        MasterUsername="root",
        MasterUserPassword="not-a-secret",
        **wish,
    )["DBInstance"]
    entity = {"id": "orders", "name": "orders", "type": "RDS", "regionInstance": made["DbiResourceId"]}
    return Planted(entity=entity)


def _open(admin: Admin) -> Planted:
    return _database(admin, *vpc(admin, "10.1.0.0/16", ipv6=True))


def _half_made(admin: Admin) -> Planted:
    """An earlier attempt ended before it had taken away the rules AWS gives to a new group."""
    vpc_id, subnet = vpc(admin, "10.1.0.0/16", ipv6=True)
    group(admin, vpc_id, "quarantine", OURS)
    return _database(admin, vpc_id, subnet)


def _reopened(admin: Admin) -> Planted:
    """In quarantine, but somebody has opened that."""
    vpc_id, subnet = vpc(admin, "10.1.0.0/16")
    cell = group(admin, vpc_id, "quarantine", OURS)
    admin.client("ec2").authorize_security_group_ingress(GroupId=cell, IpPermissions=[tcp(5432)])
    return _database(admin, vpc_id, subnet, cell, group(admin, vpc_id, "web"))


def _foreign(admin: Admin) -> Planted:
    vpc_id, subnet = vpc(admin, "10.1.0.0/16")
    return _database(admin, vpc_id, subnet, group(admin, vpc_id, "quarantine"))


def _inside(admin: Admin) -> Any:
    return rds_backends[admin.account_id]["us-east-1"].databases["orders"]


def _with(admin: Admin, **fields: str) -> Planted:
    planted = _open(admin)
    for name, value in fields.items():
        setattr(_inside(admin), name, value)
    return planted


def _observe(admin: Admin, _planted: Planted) -> Any:
    (found,) = admin.client("rds").describe_db_instances(DBInstanceIdentifier="orders")["DBInstances"]
    moving = ("InstanceCreateTime", "LatestRestorableTime")
    return {key: str(found[key]) for key in found if key not in moving and key != "VpcSecurityGroups"} | {
        "groups": sorted(each["VpcSecurityGroupId"] for each in found["VpcSecurityGroups"])
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "nowhere", "name": "nowhere", "type": "RDS"})


def scenes() -> list[Scene]:
    return [
        Scene(name="quarantine half made", plant=_half_made, observe=_observe, missing=_missing),
        Scene(name="no quarantine group yet", plant=_open, observe=_observe),
        Scene(name="quarantine that was opened", plant=_reopened, observe=_observe),
        Scene(
            name="somebody else's open group",
            plant=_foreign,
            observe=_observe,
            refusal="it was not made here",
        ),
        Scene(
            name="stopped",
            plant=lambda admin: _with(admin, status="stopped"),
            observe=_observe,
            refusal="is stopped",
        ),
    ]


async def test_the_group_has_no_rule_of_either_family_and_the_old_ones_return(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _open(admin)
    seen = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        after = await one.fix()
        assert after.compliant
        assert isinstance(after.before, Connected)
        (cell,) = after.before.groups
        assert rules(admin, cell) == []
        await one.undo(was)
    assert _observe(admin, planted) == seen
    changed = [call.params for call in aws.calls(admin.account_id) if call.operation == "ModifyDBInstance"]
    assert not any("ApplyImmediately" in params for params in changed)


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"engine": "custom-oracle-ee"}, "RDS Custom"), ({"status": "stopping"}, "is stopped")],
)
async def test_what_rds_cannot_change_is_refused(aws: FakeAws, fields: dict[str, str], why: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _with(admin, **fields)) as one:
        with pytest.raises(CannotFix, match=why):
            await one.check()


async def test_a_member_of_a_cluster_is_refused_because_its_groups_are_the_clusters(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    rds = admin.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="shop",
        Engine="aurora-mysql",
        MasterUsername="root",
        MasterUserPassword="not-a-secret",
    )
    rds.create_db_instance(
        DBInstanceIdentifier="shop-1",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
        DBClusterIdentifier="shop",
    )
    async with alone(bot, aws, admin, Planted(entity={"id": "shop-1"})) as one:
        with pytest.raises(CannotFix, match="member of cluster shop"):
            await one.check()


async def test_another_instance_of_the_same_name_is_not_cut_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _open(admin)
    planted.entity["regionInstance"] = "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TargetGone, match="another one is called orders"):
            await one.check()


async def test_an_instance_being_deleted_is_gone_and_replicas_are_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _open(admin)
    admin.client("rds").create_db_instance_read_replica(
        DBInstanceIdentifier="orders-copy", SourceDBInstanceIdentifier="orders"
    )
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).notes == ("read replica orders-copy wears groups of its own",)
        _inside(admin).status = "deleting"
        with pytest.raises(TargetGone, match="being deleted"):
            await one.check()


async def test_a_busy_instance_is_waited_for_and_its_undo_is_for_later(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _open(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        _inside(admin).status = "backing-up"
        with pytest.raises(TryLater, match="is backing-up"):
            await one.fix()
        with pytest.raises(CannotFix, match="undo again"):
            await one.undo(was)
        _inside(admin).status = "available"
        assert (await one.fix()).compliant


async def test_groups_on_their_way_are_waited_for_without_asking_twice(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    planted = _open(admin)
    old = _observe(admin, planted)["groups"]

    def told(database: Any) -> list[dict[str, str]]:
        new = [group_id for group_id in database.vpc_security_group_ids if group_id not in old]
        return [{"VpcSecurityGroupId": each, "Status": "adding"} for each in new] + [
            {"VpcSecurityGroupId": each, "Status": "removing" if new else "active"} for each in old
        ]

    async with alone(bot, aws, admin, planted) as one:
        with monkeypatch.context() as patch:
            patch.setattr(DBInstance, "vpc_security_group_membership_list", property(told))
            for _ in range(2):
                with pytest.raises(TryLater, match="exchanging the groups"):
                    await one.fix()
            seen = await one.check()
            assert "RDS is exchanging them" in seen.why
        assert (await one.check()).compliant
    modified = [call for call in aws.calls(admin.account_id) if call.operation == "ModifyDBInstance"]
    assert len(modified) == 1
