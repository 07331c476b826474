"""ARNs put together from what findings call things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._bot import Target
from bots._catalogue import bot_named, names
from hub.aws.arns import parse
from hub.aws.resource_arns import IDENTITIES, UNTAGGED, WITHOUT_ARN, arn_of, is_of_aws, region_of

ACCOUNT, OTHER = "222233334444", "333344445555"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"


def target(
    kind: str,
    named: str,
    *,
    region: str = "eu-west-1",
    partition: str = "aws",
    entity: Mapping[str, Any] | None = None,
) -> Target:
    return Target(
        account_id=ACCOUNT, region=region, partition=partition, type=kind, id=named, entity=entity or {}
    )


def regional(service: str, resource: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


# kind, what a finding calls it, its ARN
MADE = [
    ("AWS::CertificateManager::Certificate", KEY_ID, regional("acm", f"certificate/{KEY_ID}")),
    ("AWS::CloudTrail::Trail", "audit", regional("cloudtrail", "trail/audit")),
    ("AWS::EC2::Image", "ami-0123456789abcdef0", regional("ec2", "image/ami-0123456789abcdef0")),
    ("AWS::EC2::Instance", "i-0123456789abcdef0", regional("ec2", "instance/i-0123456789abcdef0")),
    # Any EC2 resource can be tagged by a bot that is said to act on instances.
    ("AWS::EC2::Instance", "vol-0123456789abcdef0", regional("ec2", "volume/vol-0123456789abcdef0")),
    ("AWS::EC2::KeyPair", "key-0123456789abcdef0", regional("ec2", "key-pair/key-0123456789abcdef0")),
    ("AWS::EC2::NetworkAcl", "acl-01234567", regional("ec2", "network-acl/acl-01234567")),
    ("AWS::EC2::SecurityGroup", "sg-01234567", regional("ec2", "security-group/sg-01234567")),
    ("AWS::EC2::VPC", "vpc-01234567", regional("ec2", "vpc/vpc-01234567")),
    (
        "AWS::EC2::VPC",
        regional("ec2", "vpc/vpc-01234567", "us-west-2"),
        regional("ec2", "vpc/vpc-01234567", "us-west-2"),
    ),
    (
        "AWS::ECR::Repository",
        regional("ecr", f"repository/team/app@sha256:{'0' * 64}"),
        regional("ecr", "repository/team/app"),
    ),
    ("AWS::ECS::Cluster", "shop", regional("ecs", "cluster/shop")),
    (BALANCER, "classic", regional("elasticloadbalancing", "loadbalancer/classic")),
    (
        BALANCER,
        regional("elasticloadbalancing", "loadbalancer/app/web/50dc6c495c0c9188"),
        regional("elasticloadbalancing", "loadbalancer/app/web/50dc6c495c0c9188"),
    ),
    (
        "AWS::IAM::ManagedPolicy",
        f"arn:aws:iam::{ACCOUNT}:policy/team/p",
        f"arn:aws:iam::{ACCOUNT}:policy/team/p",
    ),
    ("AWS::KMS::Key", f"mrk-{'0' * 32}", regional("kms", f"key/mrk-{'0' * 32}")),
    (
        "AWS::KMS::Key",
        regional("kms", f"key/{KEY_ID}", "us-east-2"),
        regional("kms", f"key/{KEY_ID}", "us-east-2"),
    ),
    ("AWS::Lambda::Function", "f", regional("lambda", "function:f")),
    ("AWS::Lambda::Function", f"{ACCOUNT}:function:f", regional("lambda", "function:f")),
    ("AWS::Lambda::Function", regional("lambda", "function:f:$LATEST"), regional("lambda", "function:f")),
    ("AWS::NetworkFirewall::LoggingConfiguration", "wall", regional("network-firewall", "firewall/wall")),
    ("AWS::RDS::DBInstance", "Orders", regional("rds", "db:orders")),
    ("AWS::S3::Bucket", "data.example", "arn:aws:s3:::data.example"),
    ("AWS::S3::Bucket", "arn:aws:s3:::data/some/key", "arn:aws:s3:::data"),
    ("AWS::SNS::Topic", "orders.fifo", regional("sns", "orders.fifo")),
    ("AWS::SQS::Queue", "orders", regional("sqs", "orders")),
    (
        "AWS::SQS::Queue",
        f"https://sqs.us-east-2.amazonaws.com/{ACCOUNT}/orders",
        regional("sqs", "orders", "us-east-2"),
    ),
    ("AWS::SSM::Document", "Restart", regional("ssm", "document/Restart")),
    (
        "AWS::SecretsManager::Secret",
        regional("secretsmanager", "secret:db/password-AbC12d"),
        regional("secretsmanager", "secret:db/password-AbC12d"),
    ),
]


@pytest.mark.parametrize(("kind", "named", "arn"), MADE)
def test_what_a_finding_calls_a_resource_leads_to_its_arn(kind: str, named: str, arn: str) -> None:
    assert arn_of(target(kind, named)) == arn
    assert arn_of(target(kind, arn)) == arn


def test_every_kind_that_bots_act_on_has_an_arn_or_a_reason_to_have_none() -> None:
    acted_on = {bot_named(name).acts_on for name in names()}
    made, without = {kind for kind, _, _ in MADE}, {*UNTAGGED, *WITHOUT_ARN}
    assert made | without == acted_on
    assert made & without == set()
    assert all({**UNTAGGED, **WITHOUT_ARN}.values())
    assert without >= set(IDENTITIES)
    assert [arn_of(target(kind, "name")) for kind in without] == [None] * len(without)


# kind, what a finding calls it
NOT_MADE = [
    ("AWS::Made::Up", "anything"),
    ("AWS::EC2::NetworkAcl", ACCOUNT),
    ("AWS::EC2::KeyPair", "a-name"),
    ("AWS::EC2::SecurityGroup", f"arn:aws:ec2:eu-west-1:{OTHER}:security-group/sg-01234567"),
    ("AWS::EC2::SecurityGroup", regional("ecs", "cluster/sg-01234567")),
    # What findings about tasks name are roles.
    ("AWS::ECS::Cluster", f"arn:aws:iam::{ACCOUNT}:role/task"),
    ("AWS::ECR::Repository", "sha256:0123"),
    ("AWS::KMS::Key", "alias/app"),
    ("AWS::KMS::Key", regional("kms", "alias/app")),
    ("AWS::KMS::Key", f"arn:aws:kms:eu-west-1:{OTHER}:key/{KEY_ID}"),
    ("AWS::KMS::Key", f"arn:aws-cn:kms:eu-west-1:{ACCOUNT}:key/{KEY_ID}"),
    ("AWS::Lambda::Function", f"{OTHER}:function:f"),
    ("AWS::Lambda::Function", regional("lambda", "layer:f")),
    ("AWS::IAM::ManagedPolicy", "only-a-name"),
    ("AWS::IAM::ManagedPolicy", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ("AWS::SQS::Queue", f"https://sqs.us-east-2.amazonaws.com/{OTHER}/orders"),
    ("AWS::SecretsManager::Secret", "db/password"),
    ("AWS::S3::Bucket", "no spaces"),
]


@pytest.mark.parametrize(("kind", "named"), NOT_MADE)
def test_no_arn_is_guessed(kind: str, named: str) -> None:
    assert arn_of(target(kind, named)) is None


def test_the_name_of_a_newer_load_balancer_does_not_tell_its_arn() -> None:
    assert arn_of(target(BALANCER, "web", entity={"type": "Application"})) is None
    assert arn_of(target(BALANCER, "web", entity={"type": "classic"})) is not None


def test_arns_are_of_the_targets_partition() -> None:
    group = target("AWS::EC2::SecurityGroup", "sg-01234567", region="us-gov-west-1", partition="aws-us-gov")
    assert arn_of(group) == f"arn:aws-us-gov:ec2:us-gov-west-1:{ACCOUNT}:security-group/sg-01234567"
    assert arn_of(target("AWS::S3::Bucket", "data", partition="aws-cn")) == "arn:aws-cn:s3:::data"


@pytest.mark.parametrize(
    ("kind", "named", "partition", "region"),
    [
        ("AWS::KMS::Key", regional("kms", f"key/{KEY_ID}", "us-east-2"), "aws", "us-east-2"),
        ("AWS::KMS::Key", KEY_ID, "aws", "eu-west-1"),
        ("AWS::KMS::Key", "alias/app", "aws", "eu-west-1"),
        ("AWS::S3::Bucket", "data", "aws", "eu-west-1"),
        ("AWS::IAM::Role", "app", "aws", "us-east-1"),
        ("AWS::IAM::ManagedPolicy", f"arn:aws:iam::{ACCOUNT}:policy/p", "aws", "us-east-1"),
        ("AWS::IAM::Role", "app", "aws-us-gov", "us-gov-west-1"),
    ],
)
def test_a_resource_is_looked_up_where_it_is(kind: str, named: str, partition: str, region: str) -> None:
    assert region_of(target(kind, named, partition=partition)) == region


def test_managed_policies_of_aws_are_told_from_the_accounts_own() -> None:
    assert is_of_aws(target("AWS::IAM::ManagedPolicy", "arn:aws:iam::aws:policy/ReadOnlyAccess"))
    assert not is_of_aws(target("AWS::IAM::ManagedPolicy", f"arn:aws:iam::{ACCOUNT}:policy/p"))
    assert not is_of_aws(target("AWS::S3::Bucket", "aws"))


KINDS = st.sampled_from(sorted({kind for kind, _, _ in MADE}))
PARTS = st.sampled_from(
    ["arn", "aws", "kms", "s3", "eu-west-1", ACCOUNT, OTHER, "key/", "sg-01234567", "", "x"]
)
NAMED = st.text(max_size=80) | st.lists(PARTS, max_size=8).map(":".join)


@given(KINDS, NAMED)
def test_whatever_a_finding_says_the_arn_is_of_the_account(kind: str, named: str) -> None:
    made = arn_of(target(kind, named))
    if made is not None:
        arn = parse(made)
        assert arn is not None
        assert (arn.partition, arn.account) in (("aws", ACCOUNT), ("aws", ""))
        assert arn.account or kind == "AWS::S3::Bucket"
        assert "*" not in made
        assert arn_of(target(kind, made)) == made
