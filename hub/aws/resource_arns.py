"""The ARN of a finding's resource, put together from what the finding says of it. Nothing is asked of AWS.

Findings name resources in many ways: by ARN, id or name, with a version or an object's key behind it. ARNs are
spelled as the Service Authorization Reference of each service has them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bots._bot import Target
from hub.aws.arns import Arn, parse
from hub.aws.regions import home_region

BUCKET = "AWS::S3::Bucket"
IDENTITIES = ("AWS::IAM::Role", "AWS::IAM::User")
# What AWS lets nobody tag.
UNTAGGED: Mapping[str, str] = {
    "AWS::::Account": "its tags are kept by AWS Organizations, and the hub reads them there",
    "AWS::IAM::AccessKey": "keys have no tags; the user's are the user's",
    "AWS::IAM::Group": "IAM has no tags on groups",
}
WITHOUT_ARN: Mapping[str, str] = {
    "AWS::IAM::Role": "a name does not tell the path; IAM tells the tags by the name",
    "AWS::IAM::User": "a name does not tell the path; IAM tells the tags by the name",
    "AWS::Route53Domains::Domain": "the Service Authorization Reference knows no ARN of a registered domain",
}
_LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_NEWER_BALANCERS = ("application", "network", "gateway")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the ARNs of a kind of resource are made.

    Attributes:
        service: as ARNs have it.
        start: what stands before the name.
        pattern: of ``name`` and whatever findings write around it, which may name ``account`` and ``region``.
        by_name: the name is all that is needed; otherwise AWS adds something that only an ARN tells.
    """

    service: str
    start: str
    pattern: re.Pattern[str]
    by_name: bool = True


def _kind(service: str, start: str, pattern: str, *, by_name: bool = True) -> _Kind:
    named = pattern if "?P<name>" in pattern else f"(?P<name>{pattern})"
    return _Kind(service, start, re.compile(named, re.ASCII), by_name)


_KINDS: Mapping[str, _Kind] = {
    "AWS::CertificateManager::Certificate": _kind("acm", "certificate/", r"[0-9a-f-]{36}"),
    "AWS::CloudTrail::Trail": _kind("cloudtrail", "trail/", r"[\w.-]{3,128}"),
    # What findings call a repository is an image as often as not.
    "AWS::ECR::Repository": _kind(
        "ecr", "repository/", r"(?P<name>[a-z0-9]+([._/-]+[a-z0-9]+)*)([@:].*)?", by_name=False
    ),
    "AWS::ECS::Cluster": _kind("ecs", "cluster/", r"[\w-]{1,255}"),
    _LOAD_BALANCER: _kind("elasticloadbalancing", "loadbalancer/", r"[\w-]+(/[\w-]+/[0-9a-f]+)?"),
    "AWS::IAM::ManagedPolicy": _kind("iam", "policy/", r"[\w+=,.@/-]+", by_name=False),
    "AWS::KMS::Key": _kind("kms", "key/", r"(mrk-)?[0-9a-f-]{32,36}"),
    "AWS::Lambda::Function": _kind(
        "lambda", "function:", r"((?P<account>[0-9]{12}):function:)?(?P<name>[\w-]{1,64})(:[\w$-]+)?"
    ),
    "AWS::NetworkFirewall::LoggingConfiguration": _kind("network-firewall", "firewall/", r"[\w-]{1,128}"),
    "AWS::RDS::DBInstance": _kind("rds", "db:", r"[A-Za-z][A-Za-z0-9-]{0,62}"),
    BUCKET: _kind("s3", "", r"(?P<name>[\w.-]{3,255})(/.*)?"),
    "AWS::SNS::Topic": _kind("sns", "", r"[\w-]{1,256}([.]fifo)?"),
    "AWS::SQS::Queue": _kind(
        "sqs",
        "",
        r"(https://sqs[.](?P<region>[a-z0-9-]+)[.][a-z.]+/(?P<account>[0-9]{12})/)?(?P<name>[\w-]{1,80}([.]fifo)?)",
    ),
    "AWS::SSM::Document": _kind("ssm", "document/", r"[\w.-]{3,128}"),
    "AWS::SecretsManager::Secret": _kind("secretsmanager", "secret:", r"[\w/+=.@-]+-\w{6}", by_name=False),
}
# EC2's ids say what they are of, whatever the finding takes the resource for.
_EC2 = "AWS::EC2::"
_EC2_ID = re.compile(r"(?P<kind>[a-z]+)-[0-9a-f]{8,17}")
_EC2_KINDS: Mapping[str, str] = {
    "acl": "network-acl", "ami": "image", "eipalloc": "elastic-ip", "eni": "network-interface", "i": "instance",
    "igw": "internet-gateway", "key": "key-pair", "nat": "natgateway", "rtb": "route-table", "sg": "security-group",
    "snap": "snapshot", "subnet": "subnet", "vol": "volume", "vpc": "vpc",
}  # fmt: skip


def arn_of(target: Target) -> str | None:
    """The resource's ARN. None: it is of a kind that has none here (`WITHOUT_ARN`, `UNTAGGED`, or one that no bot
    acts on), what the finding calls it is not enough, or it is not of the target's account and partition."""
    given = parse(target.id)
    if given is not None and given.partition != target.partition:
        return None
    if target.type.startswith(_EC2):
        return _ec2(target, given)
    kind = _KINDS.get(target.type)
    if kind is None or (given is not None and given.service != kind.service):
        return None
    if given is None and (not kind.by_name or _is_newer_balancer(target)):
        return None
    if given is not None and not given.resource.startswith(kind.start):
        return None
    found = kind.pattern.fullmatch(target.id if given is None else given.resource.removeprefix(kind.start))
    if found is None:
        return None
    told = found.groupdict()
    account = (given.account if given else told.get("account")) or target.account_id
    if account != target.account_id:
        return None
    region = (given.region if given else told.get("region")) or target.region
    return str(
        Arn(
            partition=target.partition,
            service=kind.service,
            region="" if kind.service in ("iam", "s3") else region,
            account="" if kind.service == "s3" else account,
            # RDS keeps identifiers in small letters, however they are written.
            resource=kind.start + (told["name"].lower() if kind.service == "rds" else told["name"]),
        )
    )


def region_of(target: Target) -> str:
    """Where the resource is looked up: its ARN's region, the partition's main one for IAM's, or the finding's."""
    if target.type.startswith("AWS::IAM::"):
        return home_region(target.partition)
    known = parse(arn_of(target) or "")
    return (known.region if known else "") or target.region


def is_of_aws(target: Target) -> bool:
    """Whether it is AWS's own, the same for all accounts, as its managed policies are."""
    given = parse(target.id)
    return given is not None and given.account == "aws"


def _ec2(target: Target, given: Arn | None) -> str | None:
    if given is not None and (given.service != "ec2" or given.account not in ("", target.account_id)):
        return None
    bare = target.id if given is None else given.resource.rpartition("/")[2]
    found = _EC2_ID.fullmatch(bare)
    kind = _EC2_KINDS.get(found["kind"]) if found else None
    if kind is None:
        return None
    region = (given.region if given else "") or target.region
    return f"arn:{target.partition}:ec2:{region}:{target.account_id}:{kind}/{bare}"


def _is_newer_balancer(target: Target) -> bool:
    """Application, network and gateway load balancers have an id in their ARN beside the name."""
    said = str(target.entity.get("type") or "").lower()
    return target.type == _LOAD_BALANCER and any(word in said for word in _NEWER_BALANCERS)
