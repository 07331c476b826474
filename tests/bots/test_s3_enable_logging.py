"""Scenes of `bots.s3_enable_logging`, and what only this bot does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix
from bots.s3_enable_logging import bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def _logs(admin: Admin, region: str = "us-east-1") -> str:
    return f"{admin.account_id}s3accesslogs{region}"


def _bucket(admin: Admin, region: str = "us-east-1") -> Planted:
    name = buckets.make(admin, f"invoices-{admin.account_id}", region)
    return Planted(
        entity={"id": name, "name": name, "type": "S3Bucket", "region": ""},
        notes={"logs": _logs(admin, region)},
    )


def _beside_a_log_bucket(admin: Admin) -> Planted:
    buckets.make_shared(admin, _logs(admin, ELSEWHERE), ELSEWHERE)
    planted = _bucket(admin, ELSEWHERE)
    return Planted(
        entity={**planted.entity, "id": f"arn:aws:s3:::{planted.entity['id']}"}, notes=planted.notes
    )


def _beside(change: Callable[[Any, str], object]) -> Callable[[Admin], Planted]:
    """A bucket, and a log bucket that ``change`` makes unfit."""

    def plant(admin: Admin) -> Planted:
        logs = buckets.make(admin, _logs(admin))
        change(admin, logs)
        return _bucket(admin)

    return plant


def _pays_by_request(admin: Admin, logs: str) -> None:
    admin.client("s3").put_bucket_request_payment(
        Bucket=logs, RequestPaymentConfiguration={"Payer": "Requester"}
    )


def _locked(admin: Admin, *, by_default: bool = True) -> Planted:
    s3, logs = admin.client("s3"), _logs(admin)
    s3.create_bucket(Bucket=logs, ObjectLockEnabledForBucket=True)
    if by_default:
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}}
        s3.put_object_lock_configuration(
            Bucket=logs, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
    return _bucket(admin)


def _log_bucket_itself(admin: Admin) -> Planted:
    return Planted(entity={"id": buckets.make(admin, _logs(admin))}, notes={"logs": _logs(admin)})


def _receiving_by_acl(admin: Admin) -> Planted:
    planted = _bucket(admin)
    s3, name = admin.client("s3"), planted.entity["name"]
    found = s3.get_bucket_acl(Bucket=name)
    grantee = {"Type": "Group", "URI": LOG_DELIVERY}
    grants = [*found["Grants"], *({"Grantee": grantee, "Permission": each} for each in ("WRITE", "READ_ACP"))]
    s3.put_bucket_acl(Bucket=name, AccessControlPolicy={"Owner": found["Owner"], "Grants": grants})
    return planted


def _logging_to(admin: Admin, planted: Planted, target: str) -> Planted:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/*",
    }
    buckets.set_policy(admin, target, statement)
    admin.client("s3").put_bucket_logging(
        Bucket=planted.entity["name"],
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "theirs/"}},
    )
    return planted


def _to_a_bucket_that_is_gone(admin: Admin) -> Planted:
    archive = buckets.make(admin, f"archive-{admin.account_id}")
    planted = _logging_to(admin, _bucket(admin), archive)
    admin.client("s3").delete_bucket(Bucket=archive)
    return planted


def _name_taken(admin: Admin) -> Planted:
    stranger = Admin("222233334444", admin.endpoint)
    buckets.make(stranger, _logs(admin))
    return _bucket(admin)


def _logging(admin: Admin, planted: Planted) -> Any:
    name = planted.entity.get("name") or planted.entity["id"]
    return admin.client("s3").get_bucket_logging(Bucket=name).get("LoggingEnabled")


def _observe(admin: Admin, planted: Planted) -> Any:
    name = planted.entity.get("name") or planted.entity["id"]
    return {
        "logging": _logging(admin, planted),
        "bucket": buckets.seen(name),
        "log bucket": buckets.seen(planted.notes["logs"]),
    }


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"never-made-{admin.account_id}"})


def scenes() -> list[Scene]:
    def blocked(name: str, refusal: str, plant: Callable[[Admin], Planted]) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, region="", refusal=refusal)

    return [
        Scene(name="no log bucket yet", plant=_bucket, observe=_observe, missing=_missing, region=""),
        Scene(name="log bucket there, elsewhere", plant=_beside_a_log_bucket, observe=_observe, region=""),
        blocked("log bucket itself", "would log those logs without end", _log_bucket_itself),
        blocked("log bucket by ACL", "would log those logs without end", _receiving_by_acl),
        Scene(
            name="name taken by a stranger",
            plant=_name_taken,
            observe=_logging,
            region="",
            refusal="is taken by another account",
        ),
        blocked("log bucket on KMS", "encrypts with aws:kms", _beside(buckets.encrypt_with_kms)),
        blocked("log bucket locks", "locks every object by default", _locked),
        blocked("requester pays", "makes requesters pay", _beside(_pays_by_request)),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_made_log_bucket_is_private_and_lets_in_s3_for_this_account_only(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _bucket(admin, ELSEWHERE)
    async with alone(bot, aws, admin, planted) as there:
        assert any("lifecycle rule" in note for note in (await there.check()).notes)
        assert (await there.fix()).compliant
    logs = buckets.seen(_logs(admin, ELSEWHERE))
    assert logs["region"] == ELSEWHERE
    assert set(logs["closed to the public"].values()) == {True}
    assert "AES256" in str(logs["encryption"])
    (statement,) = buckets.statements(_logs(admin, ELSEWHERE))
    assert statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"},
        "StringEquals": {"aws:SourceAccount": admin.account_id},
    }
    assert _logging(admin, planted) == {
        "TargetBucket": _logs(admin, ELSEWHERE),
        "TargetPrefix": f"{planted.entity['name']}/",
    }


@pytest.mark.usefixtures("hub_environment")
async def test_the_second_bucket_finds_everything_ready_and_keeps_what_others_put_there(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    buckets.make_shared(admin, _logs(admin))
    async with alone(bot, aws, admin, _bucket(admin)) as there:
        await there.fix()
    policy = buckets.statements(_logs(admin))
    assert [each["Sid"] for each in policy] == ["Auditors", "S3ServerAccessLogs"]
    other = Planted(entity={"id": buckets.make(admin, f"orders-{admin.account_id}")})
    so_far = len(aws.calls(admin.account_id))
    async with alone(bot, aws, admin, other) as there:
        assert (await there.fix()).compliant
    writes = [call.operation for call in aws.calls(admin.account_id)[so_far:] if call.is_write]
    assert writes == ["PutBucketLogging"]
    assert buckets.statements(_logs(admin)) == policy


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_that_logs_elsewhere_is_left_alone_even_if_the_place_is_hidden(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    archive = buckets.make(admin, f"archive-{admin.account_id}")
    planted = _logging_to(admin, _bucket(admin), archive)
    async with alone(bot, aws, admin, planted) as there:
        assert (await there.check()).compliant
        buckets.set_policy(
            admin,
            archive,
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{archive}"},
        )
        assert (await there.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_logs_to_a_bucket_that_is_gone_go_to_the_log_bucket(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _to_a_bucket_that_is_gone(admin)
    async with alone(bot, aws, admin, planted) as there:
        was = await there.check()
        assert "which is gone" in was.why
        assert (await there.fix()).compliant
        back = await there.undo(was.before)
    assert back.before == bot.expected_after_undo(bot.before.model_validate(was.before.model_dump()))
    assert _logging(admin, planted) is None


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_keeps_a_log_bucket_that_holds_logs(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _bucket(admin)
    async with alone(bot, aws, admin, planted) as there:
        was = (await there.check()).before
        await there.fix()
        admin.client("s3").put_object(Bucket=_logs(admin), Key="invoices/a-log", Body=b"GET")
        back = await there.undo(was)
    assert back.before == was
    assert buckets.seen(_logs(admin))["objects"] == ["invoices/a-log"]
    assert len(buckets.statements(_logs(admin))) == 1


@pytest.mark.usefixtures("hub_environment")
async def test_a_failing_fix_puts_the_policy_of_the_log_bucket_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    buckets.make_shared(admin, _logs(admin))
    policy = buckets.seen(_logs(admin))
    aws.fail(admin.account_id, "s3:PutBucketLogging", "InvalidTargetBucketForLogging")
    async with alone(bot, aws, admin, _bucket(admin)) as there:
        with pytest.raises(AwsError, match="InvalidTargetBucketForLogging"):
            await there.fix()
    assert buckets.seen(_logs(admin)) == policy


@pytest.mark.usefixtures("hub_environment")
async def test_object_lock_without_a_default_is_no_hindrance(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _locked(admin, by_default=False)) as there:
        assert (await there.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_of_another_account_and_a_directory_bucket_are_refused(aws: FakeAws) -> None:
    stranger = aws.fresh_account()
    async with alone(bot, aws, aws.fresh_account(), _bucket(stranger)) as there:
        with pytest.raises(AwsError) as caught:
            await there.check()
    assert caught.value.status == 403
    directory = Planted(entity={"id": "fast--use1-az4--x-s3"})
    async with alone(bot, aws, stranger, directory) as there:
        with pytest.raises(CannotFix, match="directory bucket"):
            await there.check()
