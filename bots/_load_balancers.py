"""Load balancers of all kinds and where their access logs go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bots import _log_bucket
from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TargetGone, TryLater, on
from bots._log_bucket import HANDED_OVER, LogBucket, arn_of, leave, mark_of
from bots._policies import Statement

BALANCERS = ("arn:{partition}:elasticloadbalancing:*:{account}:loadbalancer/*",)
READS = (
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeListeners",
)
WRITES = on(BALANCERS, "elasticloadbalancing:ModifyLoadBalancerAttributes")
Kind = Literal["classic", "application", "network"]
NOT_FOUND = ("LoadBalancerNotFound", "AccessPointNotFound")
DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
NETWORK_DELIVERY = "delivery.logs.amazonaws.com"
_NOT_YET = "InvalidConfigurationRequest"
_NEWER = ("application", "network", "gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """``id`` is the ARN; of a classic one, whose API knows no ARNs, the name."""

    kind: Kind
    id: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLogs:
    """Where access logs go; nothing is set while they are off, for AWS then only remembers old names."""

    bucket: str = ""  # "": off
    prefix: str = ""
    minutes: int | None = None  # between two files; a choice of classic ones only


async def find_balancer(aws: Aws, target: Target) -> Balancer:
    """
    Raises:
        TargetGone: there is none.
        CannotFix: another account's, or of a kind without access logs.
    """
    home, name = aws, target.id
    if name.startswith("arn:"):
        _, _, _, region, owner, resource = name.split(":", 5)
        if owner != aws.account_id:
            raise CannotFix(f"{name} belongs to account {owner}, not to {aws.account_id}")
        home, parts = aws.at(region), resource.split("/")
        newer = len(parts) > 2  # loadbalancer/app/name/id, but loadbalancer/name
        asked: dict[str, Any] = {"LoadBalancerArns": [name]}
        name = name if newer else parts[-1]
    else:
        kind = str(target.entity.get("type") or "").lower()
        newer, asked = any(word in kind for word in _NEWER), {"Names": [name]}
    if not newer:
        return Balancer(kind="classic", id=name, region=home.region)
    answer = await home.find("elbv2", "DescribeLoadBalancers", absent=NOT_FOUND, **asked)
    if not answer or not answer["LoadBalancers"]:
        raise _gone(target, home)
    (found,) = answer["LoadBalancers"]
    if found["Type"] not in ("application", "network"):
        raise CannotFix(f"{target.id} is a {found['Type']} load balancer: these write no access logs")
    return Balancer(kind=found["Type"], id=found["LoadBalancerArn"], region=home.region)


async def access_logs(home: Aws, balancer: Balancer, target: Target) -> AccessLogs:
    """Where its logs go now.

    Raises:
        TargetGone: there is no such load balancer.
    """
    answer = await home.find(
        _service(balancer), "DescribeLoadBalancerAttributes", absent=NOT_FOUND, **_named(balancer)
    )
    if answer is None:
        raise _gone(target, home)
    if balancer.kind == "classic":
        found = answer["LoadBalancerAttributes"]["AccessLog"]
        if not found["Enabled"]:
            return AccessLogs()
        return AccessLogs(
            bucket=found.get("S3BucketName", ""),
            prefix=found.get("S3BucketPrefix", ""),
            minutes=found.get("EmitInterval"),
        )
    attributes = {each["Key"]: each["Value"] for each in answer["Attributes"]}
    if attributes.get("access_logs.s3.enabled") != "true":
        return AccessLogs()
    return AccessLogs(
        bucket=attributes.get("access_logs.s3.bucket", ""), prefix=attributes.get("access_logs.s3.prefix", "")
    )


async def set_access_logs(home: Aws, balancer: Balancer, logs: AccessLogs) -> None:
    """Send the logs there, or switch them off."""
    wanted: dict[str, Any]
    if balancer.kind == "classic":
        where = {"S3BucketName": logs.bucket, "S3BucketPrefix": logs.prefix, "EmitInterval": logs.minutes}
        log = {"Enabled": True, **where} if logs.bucket else {"Enabled": False}
        wanted = {"LoadBalancerAttributes": {"AccessLog": log}}
    else:
        texts = {"access_logs.s3.enabled": "true" if logs.bucket else "false"}
        if logs.bucket:
            texts |= {"access_logs.s3.bucket": logs.bucket, "access_logs.s3.prefix": logs.prefix}
        wanted = {"Attributes": [{"Key": key, "Value": value} for key, value in texts.items()]}
    await home.call(_service(balancer), "ModifyLoadBalancerAttributes", **_named(balancer), **wanted)


async def turn_on(home: Aws, balancer: Balancer, logs: AccessLogs) -> None:
    """As `set_access_logs`.

    Raises:
        TryLater: what lets the logs in has not got to S3 yet.
    """
    try:
        await set_access_logs(home, balancer, logs)
    except AwsError as error:
        if error.code != _NOT_YET:
            raise
        raise TryLater(f"the load balancer cannot write yet: {error.message}", seconds=20) from error


async def look_at_bucket(
    home: Aws, balancer: Balancer, named: str | None
) -> tuple[LogBucket, tuple[str, ...]]:
    """The bucket the logs are to go to, the account's own for them if none is named, and what to know about it.

    Raises:
        CannotFix: the logs would not arrive there.
    """
    name = named or f"{home.account_id}-{home.region}-elb-access-logs"
    bucket = await _log_bucket.look(home, name, region=home.region)
    notes = await _log_bucket.remarks(home, bucket)
    if balancer.kind != "network":
        await _log_bucket.refuse_kms(home, bucket, "load balancer access")
    elif await _log_bucket.default_encryption(home, bucket) != "AES256":
        notes += (f"the key of {name} must let {NETWORK_DELIVERY} use it",)
    if balancer.kind == "network" and not await has_tls(home, balancer):
        notes += ("the load balancer has no TLS listener, and others of its kind write no access logs",)
    return bucket, notes


async def has_tls(home: Aws, balancer: Balancer) -> bool:
    """Whether some listener ends TLS; only those of a network load balancer write access logs."""
    listeners = home.pages("elbv2", "DescribeListeners", items="Listeners", LoadBalancerArn=balancer.id)
    return any([listener.get("Protocol") == "TLS" async for listener in listeners])


def leave_for(home: Aws, balancer: Balancer, logs: AccessLogs) -> tuple[Statement, ...]:
    """What lets logs in. Keys begin with the account's id, so no other account's logs can come in."""
    under = f"{logs.prefix + '/' if logs.prefix else ''}AWSLogs/{home.account_id}/"
    objects, mark = arn_of(home, logs.bucket, under), mark_of(f"{home.region} {under}")
    start = f"arn:{home.partition}"
    if balancer.kind == "classic":
        # Not known to say on whose behalf it delivers.
        return (leave(f"ClassicElbLogs{mark}", DELIVERY, "s3:PutObject", objects, {}),)
    if balancer.kind == "application":
        source = f"{start}:elasticloadbalancing:{home.region}:{home.account_id}:loadbalancer/*"
        mine = {"ArnLike": {"aws:SourceArn": source}}
        return (leave(f"ElbLogs{mark}", DELIVERY, "s3:PutObject", objects, mine),)
    mine = {
        "ArnLike": {"aws:SourceArn": f"{start}:logs:{home.region}:{home.account_id}:*"},
        "StringEquals": {"aws:SourceAccount": home.account_id},
    }
    handed_over = mine | {"StringEquals": mine["StringEquals"] | HANDED_OVER}
    bucket = arn_of(home, logs.bucket)
    return (
        leave(f"NetworkElbAclCheck{mark}", NETWORK_DELIVERY, "s3:GetBucketAcl", bucket, mine),
        leave(f"NetworkElbLogs{mark}", NETWORK_DELIVERY, "s3:PutObject", objects, handed_over),
    )


def _service(balancer: Balancer) -> str:
    return "elb" if balancer.kind == "classic" else "elbv2"


def _named(balancer: Balancer) -> dict[str, str]:
    return {"LoadBalancerName" if balancer.kind == "classic" else "LoadBalancerArn": balancer.id}


def _gone(target: Target, home: Aws) -> TargetGone:
    return TargetGone(f"load balancer {target.id} does not exist in {home.region}")
