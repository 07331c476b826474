"""The tags a resource has now are read with the rights of the spoke role, in the account and region it is in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bots._aws import AwsError
from hub.aws.live_tags import live_tags
from tests.bots import functions
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.hub.aws.spokes import entered, spoke, target

TAGS = [{"Key": "Team", "Value": "payments"}]
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
Plant = Callable[[Admin], str]


def of(kind: str) -> list[dict[str, Any]]:
    """Tags of an EC2 resource, for the call that makes it."""
    return [{"ResourceType": kind, "Tags": TAGS}]


def bucket(admin: Admin, region: str = "us-east-1") -> str:
    name, s3 = f"data-{admin.account_id}", admin.client("s3", region)
    there = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
    s3.create_bucket(Bucket=name, **there)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": TAGS})
    return name


def group(admin: Admin, region: str = "us-east-1") -> str:
    ec2 = admin.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_security_group(
        GroupName="web", Description="-", VpcId=vpc, TagSpecifications=of("security-group")
    )
    return str(made["GroupId"])


def image(admin: Admin) -> str:
    ec2 = admin.client("ec2")
    made = str(ec2.register_image(Name="base")["ImageId"])
    ec2.create_tags(Resources=[made], Tags=TAGS)
    return made


def instance(admin: Admin) -> str:
    ec2 = admin.client("ec2")
    made = ec2.run_instances(ImageId=image(admin), MinCount=1, MaxCount=1, TagSpecifications=of("instance"))
    return str(made["Instances"][0]["InstanceId"])


def database(admin: Admin) -> str:
    admin.client("rds").create_db_instance(
        DBInstanceIdentifier="orders",
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="root",
        MasterUserPassword="not-a-secret",
        Tags=TAGS,
    )
    return "orders"


def function(admin: Admin) -> str:
    return str(functions.plant(admin, Tags={"Team": "payments"}).entity["id"])


def role(admin: Admin) -> str:
    made = admin.client("iam").create_role(
        RoleName="app", Path="/team/", AssumeRolePolicyDocument=TRUST, Tags=TAGS
    )
    return str(made["Role"]["Arn"])


def user(admin: Admin) -> str:
    admin.client("iam").create_user(UserName="erin", Tags=TAGS)
    return "erin"


def key(admin: Admin) -> str:
    made = admin.client("kms").create_key(Tags=[{"TagKey": "Team", "TagValue": "payments"}])
    return str(made["KeyMetadata"]["KeyId"])


def secret(admin: Admin) -> str:
    return str(
        admin.client("secretsmanager").create_secret(Name="db/login", SecretString="-", Tags=TAGS)["ARN"]
    )


def topic(admin: Admin) -> str:
    admin.client("sns").create_topic(Name="orders", Tags=TAGS)
    return "orders"


def queue(admin: Admin) -> str:
    admin.client("sqs").create_queue(QueueName="orders", tags={"Team": "payments"})
    return "orders"


def document(admin: Admin) -> str:
    content = json.dumps({"schemaVersion": "2.2", "description": "-", "mainSteps": []})
    admin.client("ssm").create_document(Name="Restart", Content=content, DocumentType="Command", Tags=TAGS)
    return "Restart"


PLANTED: list[tuple[str, Plant, str]] = [
    ("AWS::EC2::Image", image, "tag:GetResources"),
    ("AWS::EC2::Instance", instance, "tag:GetResources"),
    ("AWS::EC2::SecurityGroup", group, "tag:GetResources"),
    ("AWS::IAM::Role", role, "iam:ListRoleTags"),
    ("AWS::IAM::User", user, "iam:ListUserTags"),
    ("AWS::KMS::Key", key, "tag:GetResources"),
    ("AWS::Lambda::Function", function, "tag:GetResources"),
    ("AWS::RDS::DBInstance", database, "tag:GetResources"),
    ("AWS::S3::Bucket", bucket, "s3:GetBucketTagging"),
    ("AWS::SNS::Topic", topic, "tag:GetResources"),
    ("AWS::SQS::Queue", queue, "tag:GetResources"),
    ("AWS::SSM::Document", document, "tag:GetResources"),
    ("AWS::SecretsManager::Secret", secret, "tag:GetResources"),
]
EVERY = pytest.mark.parametrize(
    ("kind", "plant", "right"), [pytest.param(*each, id=each[0].rpartition(":")[2]) for each in PLANTED]
)


@EVERY
async def test_the_tags_of_a_resource_are_told_in_one_call(
    aws: FakeAws, hub_settings: MakeSettings, kind: str, plant: Plant, right: str
) -> None:
    admin = spoke(aws)
    named = plant(admin)
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        before = len(aws.calls(admin.account_id))
        assert await live_tags(account, target(admin, kind, named)) == {"Team": "payments"}
    assert len(aws.calls(admin.account_id)) == before + 1


@EVERY
async def test_where_the_role_may_not_look_the_tags_are_not_known(
    aws: FakeAws, hub_settings: MakeSettings, kind: str, plant: Plant, right: str
) -> None:
    admin = spoke(aws, without=[right])
    named = plant(admin)
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        assert await live_tags(account, target(admin, kind, named)) is None


async def test_a_resource_without_tags_has_none(aws: FakeAws, hub_settings: MakeSettings) -> None:
    admin = spoke(aws)
    vpc = admin.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    admin.client("iam").create_role(RoleName="bare", AssumeRolePolicyDocument=TRUST)
    name = f"bare-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=name)
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        for kind, named in (
            ("AWS::EC2::VPC", vpc),
            ("AWS::IAM::Role", "bare"),
            ("AWS::S3::Bucket", name),
        ):
            assert await live_tags(account, target(admin, kind, named)) == {}


async def test_a_tag_that_was_changed_is_told_as_it_is_now(aws: FakeAws, hub_settings: MakeSettings) -> None:
    admin = spoke(aws)
    named = group(admin)
    admin.client("ec2").create_tags(Resources=[named], Tags=[{"Key": "Team", "Value": "search"}])
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        found = await live_tags(account, target(admin, "AWS::EC2::SecurityGroup", named))
    assert found == {"Team": "search"}


async def test_what_cannot_have_tags_has_none_and_nobody_is_asked(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        for kind, named in (
            ("AWS::::Account", admin.account_id),
            ("AWS::IAM::Group", "developers"),
            ("AWS::IAM::ManagedPolicy", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ):
            assert await live_tags(account, target(admin, kind, named)) == {}
    assert aws.calls(admin.account_id) == ()


async def test_what_the_hub_cannot_name_to_aws_is_not_known_and_nobody_is_asked(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        for kind, named in (
            ("AWS::Made::Up", "anything"),
            ("AWS::EC2::NetworkAcl", admin.account_id),
            ("AWS::KMS::Key", "alias/app"),
            ("AWS::IAM::Role", "arn:aws:iam::999988887777:role/theirs"),
            ("AWS::IAM::User", "<root_account>"),
        ):
            assert await live_tags(account, target(admin, kind, named)) is None
    assert aws.calls(admin.account_id) == ()


@pytest.mark.parametrize("asked", ["us-east-1", "ap-southeast-2"])
async def test_a_buckets_tags_are_found_wherever_it_lives(
    aws: FakeAws, hub_settings: MakeSettings, asked: str
) -> None:
    admin = spoke(aws)
    named = bucket(admin, "eu-central-1")
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        found = await live_tags(account, target(admin, "AWS::S3::Bucket", named, region=asked))
    assert found == {"Team": "payments"}


async def test_a_resource_is_asked_about_in_its_own_region_not_the_sessions(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    named = group(admin, "eu-west-1")
    arn = f"arn:aws:ec2:eu-west-1:{admin.account_id}:security-group/{named}"
    kind = "AWS::EC2::SecurityGroup"
    async with entered(hub_settings(admin.account_id), admin.account_id, region="us-west-2") as account:
        for asked in (target(admin, kind, named, region="eu-west-1"), target(admin, kind, arn)):
            assert await live_tags(account, asked) == {"Team": "payments"}


async def test_identities_are_asked_about_in_the_main_region(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    async with entered(hub_settings(admin.account_id), admin.account_id, region="eu-west-1") as account:
        found = await live_tags(account, target(admin, "AWS::IAM::User", user(admin), region="eu-west-1"))
    assert found == {"Team": "payments"}
    assert [call.region for call in aws.calls(admin.account_id)] == ["us-east-1"]


async def test_images_are_asked_about_with_both_spellings_of_their_arn(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        await live_tags(account, target(admin, "AWS::EC2::Image", "ami-0123456789abcdef0"))
        await live_tags(account, target(admin, "AWS::EC2::VPC", "vpc-0123456789abcdef0"))
    one, other = (call.params["ResourceARNList"] for call in aws.calls(admin.account_id))
    assert one == [
        f"arn:aws:ec2:us-east-1:{admin.account_id}:image/ami-0123456789abcdef0",
        "arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0",
    ]
    assert len(other) == 1


async def test_an_arn_the_tagging_api_does_not_take_leaves_the_tags_unknown(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    aws.fail(admin.account_id, "resourcegroupstaggingapi:GetResources", "InvalidParameterException")
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        assert await live_tags(account, target(admin, "AWS::EC2::VPC", "vpc-01234567")) is None


async def test_other_errors_are_not_taken_for_no_tags(aws: FakeAws, hub_settings: MakeSettings) -> None:
    admin = spoke(aws)
    name = "resourcegroupstaggingapi:GetResources"
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        aws.fail(admin.account_id, name, "SomethingElse")
        with pytest.raises(AwsError, match="SomethingElse"):
            await live_tags(account, target(admin, "AWS::EC2::VPC", "vpc-01234567"))
        with pytest.raises(AwsError, match="NoSuchEntity"):
            await live_tags(account, target(admin, "AWS::IAM::Role", "never-made"))
        with pytest.raises(AwsError, match="NoSuchBucket"):
            await live_tags(account, target(admin, "AWS::S3::Bucket", f"never-{admin.account_id}"))
