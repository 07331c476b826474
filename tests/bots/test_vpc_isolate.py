"""Scenes of `bots.vpc_isolate`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models.vpcs import VPC
from moto.iam.models import iam_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from bots._isolation import Isolation
from bots._policies import same
from bots._words import BadWords, parse
from bots.vpc_isolate import bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin, client
from tests.fake_aws.server import FakeAws, deny, policy

pytestmark = pytest.mark.usefixtures("hub_environment")


def _policy_arn(admin: Admin, vpc_id: str) -> str:
    return f"arn:aws:iam::{admin.account_id}:policy/isolate_deny_{vpc_id}_access_policy"


def _document(admin: Admin, vpc_id: str) -> str:
    """Word for word what IAM must hold in the end."""
    arn = f"arn:aws:ec2:us-east-1:{admin.account_id}:vpc/{vpc_id}"
    return policy(
        deny("ec2:*", Sid="InTheVpc", Condition={"ArnEquals": {"ec2:Vpc": arn}}),
        deny("ec2:*", Sid="TheVpc", resource=arn),
    )


def _vpc(admin: Admin, *, users: tuple[str, ...] = ("alice", "bob"), subnets: int = 2) -> Planted:
    ec2, iam = admin.client("ec2"), admin.client("iam")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ids = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
        for number in range(subnets)
    ]
    for user in users:
        iam.create_user(UserName=user)
    return Planted(entity={"id": vpc_id, "type": "VPC"}, notes={"subnets": ids})


def _begun(admin: Admin) -> Planted:
    """An attempt that broke off: the policy is there, and one user has it."""
    planted = _vpc(admin)
    vpc_id, iam = planted.entity["id"], admin.client("iam")
    name = _policy_arn(admin, vpc_id).rsplit("/", 1)[-1]
    iam.create_policy(PolicyName=name, PolicyDocument=_document(admin, vpc_id))
    iam.attach_user_policy(UserName="alice", PolicyArn=_policy_arn(admin, vpc_id))
    return planted


def _odd_policy(admin: Admin) -> Planted:
    planted = _vpc(admin)
    name = _policy_arn(admin, planted.entity["id"]).rsplit("/", 1)[-1]
    admin.client("iam").create_policy(PolicyName=name, PolicyDocument=policy(deny("s3:*")))
    return planted


def _acls(admin: Admin, planted: Planted) -> list[dict[str, Any]]:
    mine = [{"Name": "vpc-id", "Values": [planted.entity["id"]]}]
    found: list[dict[str, Any]] = admin.client("ec2").describe_network_acls(Filters=mine)["NetworkAcls"]
    return found


def _observe(admin: Admin, planted: Planted) -> Any:
    ec2, iam, vpc_id = admin.client("ec2"), admin.client("iam"), planted.entity["id"]
    acls = _acls(admin, planted)
    arns = [each["Arn"] for each in iam.list_policies(Scope="Local")["Policies"]]
    attributes = {
        name: ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=f"enableDns{name}")[f"EnableDns{name}"]
        for name in ("Support", "Hostnames")
    }
    return {
        "attributes": attributes,
        "acls": sorted((acl["NetworkAclId"], json.dumps(acl["Entries"])) for acl in acls),
        "subnets": sorted(
            (each["SubnetId"], each["NetworkAclId"]) for acl in acls for each in acl["Associations"]
        ),
        "policies": {
            arn: json.dumps(
                iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
            )
            for arn in arns
        },
        "users": {
            user["UserName"]: iam.list_attached_user_policies(UserName=user["UserName"])["AttachedPolicies"]
            for user in iam.list_users()["Users"]
        },
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "vpc-0123456789abcdef0", "type": "VPC"})


def scenes() -> list[Scene]:
    return [
        Scene(name="begun", plant=_begun, observe=_observe, missing=_missing),
        Scene(name="open", plant=_vpc, observe=_observe, region="us_east_1"),
        Scene(
            name="policy of that name says something else",
            plant=_odd_policy,
            observe=_observe,
            refusal="says something else",
        ),
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def test_dns_is_off_every_subnet_is_closed_and_every_user_denied(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert set(seen.touches) == {("AWS::IAM::User", "alice"), ("AWS::IAM::User", "bob")}
        after = await one.fix()
    assert after.compliant
    assert after.touches == ()
    (own,) = [acl for acl in _acls(admin, planted) if not acl["IsDefault"]]
    assert own["Tags"] == [{"Key": "Name", "Value": f"isolate-{planted.entity['id']}"}]
    assert {entry["RuleAction"] for entry in own["Entries"]} == {"deny"}
    assert {each["SubnetId"] for each in own["Associations"]} == set(planted.notes["subnets"])
    now = _observe(admin, planted)
    arn = _policy_arn(admin, planted.entity["id"])
    assert now["attributes"]["Support"] == {"Value": False}
    assert same(now["policies"][arn], _document(admin, planted.entity["id"]))
    assert {user: [each["PolicyArn"] for each in held] for user, held in now["users"].items()} == {
        "alice": [arn],
        "bob": [arn],
    }


async def test_a_denied_user_can_do_nothing_to_the_vpc(aws: FakeAws) -> None:
    """The policy is felt: by the VPC's own ARN, in the region as AWS spells it."""
    admin = aws.fresh_account()
    planted = _vpc(admin)
    iam, vpc_id = admin.client("iam"), planted.entity["id"]
    everything = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    iam.put_user_policy(UserName="alice", PolicyName="all", PolicyDocument=everything)
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
    ec2 = client(
        aws.endpoint, "ec2", "us-east-1", access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"]
    )
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        ec2.delete_vpc(VpcId=vpc_id)
    ec2.create_vpc(CidrBlock="10.9.0.0/16")


async def test_a_vpc_without_subnets_and_users_needs_no_acl(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin, users=(), subnets=0)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert [acl["IsDefault"] for acl in _acls(admin, planted)] == [True]


async def test_users_on_a_later_page_are_denied_as_well(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin, users=(), subnets=0)
    for number in range(105):
        iam_backends[admin.account_id]["aws"].create_user("us-east-1", f"user-{number:03}")
    async with alone(bot, aws, admin, planted) as one:
        assert len((await one.check()).touches) == 105


async def test_subnets_that_are_closed_already_stay_where_they_are(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    ec2 = admin.client("ec2")
    theirs = ec2.create_network_acl(VpcId=planted.entity["id"])["NetworkAcl"]["NetworkAclId"]
    (default,) = [acl for acl in _acls(admin, planted) if acl["IsDefault"]]
    first = default["Associations"][0]
    ec2.replace_network_acl_association(AssociationId=first["NetworkAclAssociationId"], NetworkAclId=theirs)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert (first["SubnetId"], theirs) in _observe(admin, planted)["subnets"]


async def test_a_subnet_made_later_is_closed_by_the_next_finding_with_the_same_acl(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
        admin.client("ec2").create_subnet(VpcId=planted.entity["id"], CidrBlock="10.0.9.0/24")
        assert "1 of 3 subnets are open" in (await one.check()).why
        assert (await one.fix()).compliant
    assert len(_acls(admin, planted)) == 2


async def test_an_isolating_acl_that_somebody_opened_is_not_used_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
        (own,) = [acl["NetworkAclId"] for acl in _acls(admin, planted) if not acl["IsDefault"]]
        admin.client("ec2").create_network_acl_entry(
            NetworkAclId=own, RuleNumber=1, Egress=False, Protocol="-1", RuleAction="allow", CidrBlock="0.0.0.0/0"
        )  # fmt: skip
        assert (await one.fix()).compliant
    assert own not in {acl for _, acl in _observe(admin, planted)["subnets"]}


async def test_users_with_too_many_policies_are_named_and_all_else_is_cut_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:AttachUserPolicy", "LimitExceeded", status=409)
        with pytest.raises(CannotFix, match=r"1 users have as many policies as AWS allows.*: (alice|bob);"):
            await one.fix()
        assert (await one.check()).why.endswith(": 1 of 2 IAM users are not denied")
        assert (await one.fix()).compliant


async def test_a_policy_iam_does_not_know_everywhere_yet_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:AttachUserPolicy", "NoSuchEntity", status=404)
        with pytest.raises(TryLater, match="does not know"):
            await one.fix()
        assert (await one.fix()).compliant


async def test_a_fix_that_breaks_off_leaves_nothing_behind(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:AttachUserPolicy", "SomethingElse")
        with pytest.raises(AwsError, match="SomethingElse"):
            await one.fix()
    assert _observe(admin, planted) == before


async def test_an_undo_leaves_alone_what_an_earlier_attempt_had_done(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _begun(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        assert (await one.undo(was)).before == was
    assert isinstance(was, Isolation)
    assert was.users == ("alice",)


async def test_users_and_subnets_that_are_gone_since_do_not_stop_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _begun(admin)
    ec2, iam = admin.client("ec2"), admin.client("iam")
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        arn = _policy_arn(admin, planted.entity["id"])
        for user in ("alice", "bob"):
            iam.detach_user_policy(UserName=user, PolicyArn=arn)
            iam.delete_user(UserName=user)
        gone, stays = planted.notes["subnets"]
        ec2.delete_subnet(SubnetId=gone)
        after = (await one.undo(was)).before
    assert isinstance(after, Isolation)
    assert isinstance(was, Isolation)
    assert after.dns_support is True
    assert dict(after.subnets)[stays] == dict(was.subnets)[stays]


async def test_a_vpc_of_another_account_is_its_owners(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    monkeypatch.setattr(VPC, "owner_id", "222233334444")  # moto shares no VPCs
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="shared by account 222233334444"):
            await one.check()


async def test_a_vpc_that_does_not_exist_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        with pytest.raises(TargetGone, match="vpc-0123456789abcdef0 does not exist in us-east-1"):
            await one.check()
