"""Scenes of `bots.s3_enable_versioning`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix
from bots.s3_enable_versioning import bot
from tests.bots.alone import alone
from tests.bots.buckets import directory_bucket, make, missing
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import s3 as inside
from tests.fake_aws.server import FakeAws


def _bucket(admin: Admin, region: str = "us-east-1", status: str | None = None) -> Planted:
    name, s3 = make(admin, f"invoices-{admin.account_id}", region), admin.client("s3", region)
    if status is not None:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    s3.put_object(Bucket=name, Key="2026/january.txt", Body=b"100")
    return Planted(entity={"id": name, "name": name, "type": "S3Bucket", "region": ""})


def _mfa_delete(admin: Admin) -> Planted:
    planted = _bucket(admin, status="Suspended")
    inside.bucket(planted.entity["id"]).mfa_delete = True
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    s3, name = admin.client("s3"), planted.entity["id"]
    return {
        "versioning": s3.get_bucket_versioning(Bucket=name).get("Status", "Off"),
        "encryption": s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"],
        "location": s3.get_bucket_location(Bucket=name).get("LocationConstraint"),
        "objects": [item["Key"] for item in s3.list_objects_v2(Bucket=name).get("Contents", [])],
    }


def scenes() -> list[Scene]:
    return [
        Scene(name="never versioned", plant=_bucket, observe=_observe, missing=missing, region=""),
        Scene(
            name="suspended, elsewhere",
            plant=lambda admin: _bucket(admin, "eu-west-1", "Suspended"),
            observe=_observe,
            region="",
        ),
        Scene(
            name="named by its ARN",
            plant=lambda admin: _by_arn(_bucket(admin)),
            observe=lambda admin, planted: _observe(admin, _by_name(planted)),
            region="us_east_1",
        ),
        Scene(
            name="MFA Delete",
            plant=_mfa_delete,
            observe=_observe,
            refusal="only the root user with its MFA device",
        ),
        Scene(
            name="directory bucket",
            plant=directory_bucket,
            observe=lambda _admin, _planted: None,
            refusal="is a directory bucket",
        ),
    ]


def _by_arn(planted: Planted) -> Planted:
    return Planted(entity={**planted.entity, "id": f"arn:aws:s3:::{planted.entity['id']}"})


def _by_name(planted: Planted) -> Planted:
    return Planted(entity={**planted.entity, "id": planted.entity["id"].rsplit(":", 1)[-1]})


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_of_another_account_is_not_touched(aws: FakeAws) -> None:
    stranger = aws.fresh_account()
    planted = _bucket(stranger)
    async with alone(bot, aws, aws.fresh_account(), planted) as there:
        with pytest.raises(AwsError) as caught:
            await there.check()
    assert caught.value.status == 403
    assert _observe(stranger, planted)["versioning"] == "Off"


@pytest.mark.usefixtures("hub_environment")
async def test_undo_keeps_the_versions_and_says_what_it_ends_with(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _bucket(admin)
    async with alone(bot, aws, admin, planted) as there:
        before = (await there.check()).before
        await there.fix()
        s3, name = admin.client("s3"), planted.entity["id"]
        s3.put_object(Bucket=name, Key="2026/january.txt", Body=b"200")
        after = await there.undo(before)
    assert after.before == bot.expected_after_undo(bot.before.model_validate(before.model_dump()))
    assert len(s3.list_object_versions(Bucket=name)["Versions"]) == 2


@pytest.mark.usefixtures("hub_environment")
async def test_a_fix_refused_for_mfa_delete_sends_nothing(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _mfa_delete(admin)) as there:
        with pytest.raises(CannotFix):
            await there.fix()
    assert [call.name for call in aws.calls(admin.account_id) if call.is_write] == []
