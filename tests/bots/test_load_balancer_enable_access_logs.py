"""Scenes of `bots.load_balancer_enable_access_logs`, and what only this bot does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._bot import CannotFix, TargetGone, TryLater
from bots._words import BadWords, parse
from bots.load_balancer_enable_access_logs import Wish, bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

HERE, ELSEWHERE = "us-east-1", "eu-west-1"
DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"


def _logs(admin: Admin, region: str = HERE) -> str:
    return f"{admin.account_id}-{region}-elb-access-logs"


def _newer(admin: Admin, kind: str, *words: str, region: str = HERE, logs: str = "") -> Planted:
    """A load balancer with one subnet, which is enough here."""
    # The network around it is not looked at, so it is made where moto keeps it, without a call.
    ec2 = ec2_backends[admin.account_id][region]
    vpc = ec2.create_vpc("10.0.0.0/16")
    subnet = ec2.create_subnet(vpc.id, "10.0.0.0/24", availability_zone=f"{region}a")
    elbv2 = admin.client("elbv2", region)
    (made,) = elbv2.create_load_balancer(Name="shop", Type=kind, Subnets=[subnet.id])["LoadBalancers"]
    return Planted(
        entity={"id": made["LoadBalancerArn"], "name": "shop", "type": f"{kind.capitalize()}LoadBalancer"},
        words=words,
        notes={"arn": made["LoadBalancerArn"], "region": region, "logs": logs or _logs(admin, region)},
    )


def _application(admin: Admin) -> Planted:
    return _newer(admin, "application")


def _network(admin: Admin) -> Planted:
    buckets.make_shared(admin, _logs(admin, ELSEWHERE), ELSEWHERE)
    return _newer(admin, "network", region=ELSEWHERE)


def _classic(admin: Admin) -> Planted:
    admin.client("elb").create_load_balancer(
        LoadBalancerName="Shop",
        AvailabilityZones=[f"{HERE}a"],
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
    )
    return Planted(
        entity={"id": "Shop", "name": "Shop", "type": "ELB"}, notes={"region": HERE, "logs": _logs(admin)}
    )


def _on_kms(admin: Admin) -> Planted:
    buckets.encrypt_with_kms(admin, buckets.make(admin, _logs(admin)))
    return _application(admin)


def _name_taken(admin: Admin) -> Planted:
    buckets.make(Admin("333344445555", admin.endpoint), _logs(admin))
    return _application(admin)


def _wrong_region(admin: Admin) -> Planted:
    bucket = buckets.make(admin, f"far-{admin.account_id}", ELSEWHERE)
    return _newer(admin, "application", f"bucket={bucket}", logs=bucket)


def _observe(admin: Admin, planted: Planted) -> Any:
    return {"access logs": _access(admin, planted), "bucket": buckets.seen(planted.notes["logs"])}


def _access(admin: Admin, planted: Planted) -> Any:
    if "arn" not in planted.notes:
        found = admin.client("elb").describe_load_balancer_attributes(LoadBalancerName="Shop")
        return found["LoadBalancerAttributes"]["AccessLog"]
    elbv2 = admin.client("elbv2", planted.notes["region"])
    found = elbv2.describe_load_balancer_attributes(LoadBalancerArn=planted.notes["arn"])
    # While they are off it does not matter which bucket they once named.
    texts = {each["Key"]: each["Value"] for each in found["Attributes"] if "access_logs" in each["Key"]}
    return texts if texts.get("access_logs.s3.enabled") == "true" else "off"


def _missing(admin: Admin) -> Planted:
    arn = f"arn:aws:elasticloadbalancing:{HERE}:{admin.account_id}:loadbalancer/app/gone/50dc6c495c0c9188"
    return Planted(entity={"id": arn})


def _missing_classic(_admin: Admin) -> Planted:
    return Planted(entity={"id": "Gone", "type": "ELB"})


def scenes() -> list[Scene]:
    def blocked(name: str, refusal: str, plant: Callable[[Admin], Planted]) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, refusal=refusal)

    return [
        Scene(name="network, elsewhere", plant=_network, observe=_observe),
        Scene(name="application", plant=_application, observe=_observe, missing=_missing),
        Scene(name="classic", plant=_classic, observe=_observe, missing=_missing_classic),
        blocked("gateway", "write no access logs", lambda admin: _newer(admin, "gateway")),
        blocked("bucket on KMS", "encrypts with aws:kms", _on_kms),
        blocked("bucket in another region", f"is in {ELSEWHERE}, but it must be in {HERE}", _wrong_region),
        blocked("bucket name taken", "is taken by another account", _name_taken),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_logs_of_an_application_go_to_a_private_bucket_that_lets_in_no_other_account(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    planted = _application(admin)
    async with alone(bot, aws, admin, planted) as there:
        seen = await there.check()
        assert seen.target_id == planted.notes["arn"]
        assert (await there.fix()).compliant
    assert _access(admin, planted) == {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": _logs(admin),
        "access_logs.s3.prefix": "",
    }
    assert set(buckets.seen(_logs(admin))["closed to the public"].values()) == {True}
    (statement,) = buckets.statements(_logs(admin))
    assert statement["Principal"] == {"Service": DELIVERY}
    assert statement["Resource"] == f"arn:aws:s3:::{_logs(admin)}/AWSLogs/{admin.account_id}/*"
    source = f"arn:aws:elasticloadbalancing:{HERE}:{admin.account_id}:loadbalancer/*"
    assert statement["Condition"] == {"ArnLike": {"aws:SourceArn": source}}


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_and_a_prefix_that_are_named_win_over_the_present_ones(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    central = buckets.make_shared(admin, f"central-{admin.account_id}")
    planted = _classic(admin)
    async with alone(bot, aws, admin, planted) as there:
        await there.fix()
        assert _access(admin, planted)["EmitInterval"] == 60
        moved = there.saying(f"bucket={central}", "prefix=shop/prod")
        was = await moved.check()
        assert (await moved.fix()).compliant
        now = _access(admin, planted)
        assert (now["S3BucketName"], now["S3BucketPrefix"]) == (central, "shop/prod")
        assert not (await there.saying(f"bucket={central}", "prefix=shop").check()).compliant
        assert (await moved.undo(was.before)).before == was.before
    assert _access(admin, planted)["S3BucketName"] == _logs(admin)
    theirs, ours = buckets.statements(central)
    assert theirs["Sid"] == "Auditors"
    assert ours["Resource"].endswith(f"/shop/prod/AWSLogs/{admin.account_id}/*")
    assert "Condition" not in ours


@pytest.mark.usefixtures("hub_environment")
async def test_a_load_balancer_is_also_found_by_its_name_and_a_classic_one_by_its_arn(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    newer, classic = _application(admin), _classic(admin)
    by_name = Planted(entity={"name": "shop", "type": "ApplicationLoadBalancer"})
    async with alone(bot, aws, admin, by_name) as there:
        assert (await there.check()).target_id == newer.notes["arn"]
    arn = f"arn:aws:elasticloadbalancing:{HERE}:{admin.account_id}:loadbalancer/Shop"
    async with alone(bot, aws, admin, Planted(entity={"id": arn}), region=ELSEWHERE) as there:
        seen = await there.check()
    assert (seen.target_id, seen.region, classic.entity["id"]) == ("Shop", HERE, "Shop")


@pytest.mark.usefixtures("hub_environment")
async def test_a_load_balancer_of_another_account_or_none_is_told_apart(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    async with alone(bot, aws, admin, _missing(stranger)) as there:
        with pytest.raises(CannotFix, match="belongs to account"):
            await there.check()
    async with alone(bot, aws, admin, Planted(entity={"id": "gone", "type": "NetworkLoadBalancer"})) as there:
        with pytest.raises(TargetGone):
            await there.check()


@pytest.mark.usefixtures("hub_environment")
async def test_what_a_network_load_balancer_needs_beyond_a_bucket_is_said(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    buckets.encrypt_with_kms(admin, buckets.make(admin, _logs(admin)))
    planted = _newer(admin, "network")
    async with alone(bot, aws, admin, planted) as there:
        notes = " ".join((await there.check()).notes)
        assert "has no TLS listener" in notes
        assert "must let delivery.logs.amazonaws.com use it" in notes
        assert (await there.fix()).compliant
    look, write = buckets.statements(_logs(admin))
    assert look["Action"] == "s3:GetBucketAcl"
    assert write["Condition"]["StringEquals"] == {
        "aws:SourceAccount": admin.account_id,
        "s3:x-amz-acl": "bucket-owner-full-control",
    }


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_has_not_arrived_is_waited_for_with_everything_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    aws.fail(admin.account_id, "elbv2:ModifyLoadBalancerAttributes", "InvalidConfigurationRequest")
    async with alone(bot, aws, admin, _application(admin)) as there:
        with pytest.raises(TryLater):
            await there.fix()
        assert len(buckets.statements(_logs(admin))) == 1
        assert (await there.fix()).compliant


def test_a_bucket_and_a_prefix_are_given_by_name() -> None:
    assert parse(Wish, ()) == Wish()
    assert parse(Wish, ("bucket=central-logs", "prefix:shop")) == Wish(bucket="central-logs", prefix="shop")


@pytest.mark.parametrize(
    "words", [("central-logs",), ("bucket=Central",), ("prefix=a/AWSLogs",), ("prefix=/a",)]
)
def test_places_aws_would_not_take_never_reach_it(words: tuple[str, ...]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)
