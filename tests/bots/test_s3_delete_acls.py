"""Scenes of `bots.s3_delete_acls`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._bot import CannotFix
from bots._s3 import LOG_DELIVERY_GROUP
from bots.s3_delete_acls import Granted, bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.buckets import EVERYBODY
from tests.bots.scene import Scene
from tests.fake_aws.server import FakeAws

STRANGER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
CLOUDFRONT = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
OWN = ("OWNER", "FULL_CONTROL")


def scenes() -> list[Scene]:
    def blocked(name: str, refusal: str, *grants: tuple[str, str]) -> Scene:
        return Scene(
            name=name,
            plant=lambda admin: buckets.plant(admin, grants=[OWN, *grants]),
            observe=buckets.observe,
            refusal=refusal,
        )

    return [
        Scene(
            name="public and another account",
            plant=lambda admin: buckets.plant(admin, grants=[OWN, (EVERYBODY, "READ"), (STRANGER, "WRITE")]),
            observe=buckets.observe,
            missing=buckets.missing,
            region="",
        ),
        blocked(
            "access logs", "S3 access logs", (LOG_DELIVERY_GROUP, "WRITE"), (LOG_DELIVERY_GROUP, "READ_ACP")
        ),
        blocked("CloudFront logs", "CloudFront logs", (CLOUDFRONT, "FULL_CONTROL"), (EVERYBODY, "READ")),
        Scene(
            name="directory bucket",
            plant=buckets.directory_bucket,
            observe=buckets.observe,
            refusal="is a directory bucket",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_grants_are_read_not_counted(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = buckets.plant(admin, region=buckets.ELSEWHERE)
    name, owner = planted.notes["name"], buckets.observe(admin, planted)["owner"]
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant
        for grants in (
            [(EVERYBODY, "READ")],
            [("OWNER", "READ")],
            [OWN, ("OWNER", "WRITE_ACP")],
            [OWN, (STRANGER, "FULL_CONTROL")],
        ):
            acl = {"Owner": {"ID": owner}, "Grants": buckets.granted(owner, grants)}
            admin.client("s3").put_bucket_acl(Bucket=name, AccessControlPolicy=acl)
            before = buckets.observe(admin, planted)
            was = (await one.check()).before
            after = await one.fix()
            assert after.compliant
            assert isinstance(after.before, Granted)
            assert after.before.acl.grants == ((owner, "FULL_CONTROL"),)
            assert (await one.undo(was)).before == was
            assert buckets.observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_access_logs_keep_their_grant(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    grants = [OWN, (EVERYBODY, "READ"), (LOG_DELIVERY_GROUP, "WRITE"), (LOG_DELIVERY_GROUP, "READ_ACP")]
    async with alone(bot, aws, admin, buckets.plant(admin, grants=grants)) as one:
        with pytest.raises(CannotFix, match="lets S3 access logs be delivered"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_each_grant_is_named_unless_object_ownership_switches_it_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = buckets.plant(admin, grants=[OWN, (EVERYBODY, "READ")])
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert f"READ to {EVERYBODY}" in seen.why
        assert any("objects keep their own ACLs" in note for note in seen.notes)
        admin.client("s3").put_bucket_ownership_controls(
            Bucket=planted.notes["name"],
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        )
        seen = await one.check()
    assert seen.compliant
    assert "switched off by Object Ownership" in seen.why
