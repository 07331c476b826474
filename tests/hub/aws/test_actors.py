"""Who changed a resource last is told from CloudTrail, and never costs a finding anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.aws.actors import Actor, last_actors
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.cloudtrail import PAGE, log_call
from tests.fake_aws.server import SPOKE_ROLE, FakeAws
from tests.hub.aws.spokes import entered, spoke, target

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
GROUP, KIND = "sg-0123456789abcdef0", "AWS::EC2::SecurityGroup"
OPEN = "AuthorizeSecurityGroupIngress"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


def arn_of_user(admin: Admin, name: str) -> str:
    return f"arn:aws:iam::{admin.account_id}:user/{name}"


def session(admin: Admin, name: str, role: str = SPOKE_ROLE) -> str:
    return f"arn:aws:sts::{admin.account_id}:assumed-role/{role}/{name}"


def changed(
    admin: Admin,
    by: Any,
    minute: int,
    *,
    name: str = OPEN,
    of: str = GROUP,
    region: str = "us-east-1",
    **more: Any,
) -> None:
    """A change of the resource ``of``, so many minutes after noon."""
    at = NOON + timedelta(minutes=minute)
    log_call(admin.account_id, region, name, at=at, resources=(of,), caller=by, **({"reads": False} | more))


async def asked(
    settings: MakeSettings,
    admin: Admin,
    kind: str = KIND,
    named: str = GROUP,
    *,
    region: str = "us-east-1",
    **more: Any,
) -> tuple[Actor, ...]:
    async with entered(settings(admin.account_id), admin.account_id, region="eu-west-1") as account:
        return await last_actors(account, target(admin, kind, named, region=region), **more)


async def test_the_last_who_changed_it_are_told_newest_first_each_once(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    ada, ben, cy = (arn_of_user(admin, name) for name in ("ada", "ben", "cy"))
    for minute, who in enumerate((cy, ada, ben, ada)):
        changed(admin, who, minute)
    found = await asked(hub_settings, admin)
    assert found == (
        Actor(who=ada, what=OPEN, at=NOON + timedelta(minutes=3)),
        Actor(who=ben, what=OPEN, at=NOON + timedelta(minutes=2)),
        Actor(who=cy, what=OPEN, at=NOON),
    )
    assert found[0].at.tzinfo is UTC
    assert await asked(hub_settings, admin, most=2) == found[:2]


async def test_looks_and_refused_calls_changed_nothing(aws: FakeAws, hub_settings: MakeSettings) -> None:
    admin = spoke(aws)
    ada, ben = arn_of_user(admin, "ada"), arn_of_user(admin, "ben")
    changed(admin, ada, 1)
    changed(admin, ben, 2, name="DescribeSecurityGroups", reads=True)
    # What CloudTrail says counts, and where it says nothing the name does.
    changed(admin, ben, 3, name="StartQuery", reads=True)
    changed(admin, ben, 4, name="DescribeSecurityGroups", reads=None)
    changed(admin, ben, 5, error="Client.UnauthorizedOperation")
    assert [actor.who for actor in await asked(hub_settings, admin)] == [ada]
    changed(admin, ben, 6, reads=None)
    assert [actor.who for actor in await asked(hub_settings, admin)] == [ben, ada]


async def test_the_hubs_own_sessions_are_left_out_and_nobody_elses(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    others = [session(admin, name) for name in ("ada", "hub.ada", "hub.sg_delete.notahexname0", "deploy")]
    others.append(arn_of_user(admin, "hub.sg_delete.0123456789ab"))
    for minute, who in enumerate(others):
        changed(admin, who, minute)
    async with entered(hub_settings(admin.account_id), admin.account_id) as account:
        changed(admin, session(admin, account.session), 50)
        changed(admin, session(admin, "hub.any.0123456789ab", "AnotherName"), 51)
        found = await last_actors(account, target(admin, KIND, GROUP), most=9)
    assert [actor.who for actor in found] == others[::-1]


@pytest.mark.parametrize(
    ("caller", "who"),
    [
        ({"type": "AWSService", "invokedBy": "config.amazonaws.com"}, "config.amazonaws.com"),
        (
            {"arn": "arn:aws:iam::222233334444:user/ada", "invokedBy": "cloudformation.amazonaws.com"},
            "arn:aws:iam::222233334444:user/ada by way of cloudformation.amazonaws.com",
        ),
        ({"type": "AWSAccount", "accountId": "333344445555"}, "account 333344445555"),
        ({"type": "Unknown", "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}, "somebody CloudTrail does not name"),
    ],
)
async def test_whoever_it_was_is_named_as_well_as_can_be_and_without_keys(
    aws: FakeAws, hub_settings: MakeSettings, caller: dict[str, str], who: str
) -> None:
    admin = spoke(aws)
    changed(admin, caller, 1)
    assert [actor.who for actor in await asked(hub_settings, admin)] == [who]


@pytest.mark.parametrize(
    ("kind", "named", "logged", "region", "calls"),
    [
        (KIND, f"arn:aws:ec2:eu-north-1:{{account}}:security-group/{GROUP}", GROUP, "eu-north-1", 1),
        ("AWS::S3::Bucket", "arn:aws:s3:::data", "data", "us-east-1", 1),
        ("AWS::KMS::Key", KEY, f"arn:aws:kms:us-east-1:{{account}}:key/{KEY}", "us-east-1", 1),
        ("AWS::KMS::Key", KEY, KEY, "us-east-1", 2),
        ("AWS::RDS::DBInstance", "orders", "arn:aws:rds:us-east-1:{account}:db:orders", "us-east-1", 2),
        (
            "AWS::ECR::Repository",
            "arn:aws:ecr:us-east-1:{account}:repository/team/app@sha256:0a",
            "team/app",
            "us-east-1",
            2,
        ),
        ("AWS::IAM::Role", "arn:aws:iam::{account}:role/team/app", "app", "us-east-1", 1),
        ("AWS::IAM::AccessKey", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "us-east-1", 1),
        ("AWS::EC2::KeyPair", "a-name", "a-name", "us-east-1", 1),
    ],
)
async def test_a_resource_is_looked_up_under_what_cloudtrail_calls_it_and_where_it_logs_it(
    aws: FakeAws, hub_settings: MakeSettings, kind: str, named: str, logged: str, region: str, calls: int
) -> None:
    admin = spoke(aws)
    account = admin.account_id
    changed(admin, arn_of_user(admin, "ada"), 1, of=logged.format(account=account), region=region)
    # IAM's calls are in the main region whatever region the finding names.
    finding = "eu-west-1" if kind.startswith("AWS::IAM::") else "us-east-1"
    found = await asked(hub_settings, admin, kind, named.format(account=account), region=finding)
    assert len(found) == 1
    assert [call.name for call in aws.calls(account)] == ["cloudtrail:LookupEvents"] * calls


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("AWS::::Account", "{account}"),
        ("AWS::EC2::NetworkAcl", "{account}"),
        ("AWS::ECS::Cluster", "arn:aws:iam::{account}:role/task"),
        ("AWS::IAM::Role", "arn:aws:iam::999988887777:role/theirs"),
        ("AWS::ECR::Repository", "sha256:0a"),
    ],
)
async def test_where_the_finding_names_no_resource_of_the_account_nobody_is_asked(
    aws: FakeAws, hub_settings: MakeSettings, kind: str, named: str
) -> None:
    admin = spoke(aws)
    assert await asked(hub_settings, admin, kind, named.format(account=admin.account_id)) == ()
    assert aws.calls(admin.account_id) == ()


async def test_a_history_full_of_looks_is_read_for_two_pages(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws)
    ada, ben = arn_of_user(admin, "ada"), arn_of_user(admin, "ben")
    changed(admin, ada, 0)
    for minute in range(1, PAGE + 1):
        changed(admin, ben, minute, name="DescribeSecurityGroups", reads=True)
    assert [actor.who for actor in await asked(hub_settings, admin)] == [ada]
    for minute in range(PAGE + 1, 3 * PAGE):
        changed(admin, ben, minute, name="DescribeSecurityGroups", reads=True)
    before = len(aws.calls(admin.account_id))
    assert await asked(hub_settings, admin) == ()
    assert len(aws.calls(admin.account_id)) == before + 2


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InternalError", "CloudTrailAccessNotEnabledException"]
)
async def test_a_history_that_cannot_be_had_names_nobody(
    aws: FakeAws, hub_settings: MakeSettings, code: str
) -> None:
    admin = spoke(aws)
    changed(admin, arn_of_user(admin, "ada"), 1)
    aws.fail(admin.account_id, "cloudtrail:LookupEvents", code)
    assert await asked(hub_settings, admin) == ()


async def test_a_role_that_may_not_look_at_the_history_names_nobody(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admin = spoke(aws, without=["cloudtrail:LookupEvents"])
    changed(admin, arn_of_user(admin, "ada"), 1)
    assert await asked(hub_settings, admin) == ()
    assert [call.error for call in aws.calls(admin.account_id)] == ["AccessDeniedException"]
