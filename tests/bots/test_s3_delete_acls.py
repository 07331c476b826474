"""Scenes of `bots.s3_delete_acls`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._s3 import LOG_DELIVERY_GROUP
from bots.s3_delete_acls import Granted, bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.buckets import EVERYBODY
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

STRANGER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
CLOUDFRONT = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
OWN = ("OWNER", "FULL_CONTROL")


def _enforced(admin: Admin) -> Planted:
    planted = buckets.plant(admin, grants=[OWN, (EVERYBODY, "READ")])
    admin.client("s3").put_bucket_ownership_controls(
        Bucket=planted.notes["name"],
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    return planted


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
            plant=lambda admin: buckets.plant(
                admin, region=buckets.ELSEWHERE, grants=[OWN, (EVERYBODY, "READ"), (STRANGER, "WRITE")]
            ),
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
@pytest.mark.parametrize(
    "grants",
    [
        [(EVERYBODY, "READ")],
        [("OWNER", "READ")],
        [OWN, ("OWNER", "WRITE_ACP")],
        [OWN, (STRANGER, "FULL_CONTROL")],
    ],
)
async def test_grants_are_read_not_counted(aws: FakeAws, grants: list[tuple[str, str]]) -> None:
    admin = aws.fresh_account()
    planted = buckets.plant(admin, grants=grants)
    before = buckets.observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        after = await one.fix()
        assert after.compliant
        assert isinstance(after.before, Granted)
        assert after.before.acl.grants == ((before["owner"], "FULL_CONTROL"),)
        assert (await one.undo(was)).before == was
    assert buckets.observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_the_owners_grant_alone_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, buckets.plant(admin)) as one:
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_grants_that_object_ownership_switches_off_are_none(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _enforced(admin)) as one:
        seen = await one.check()
    assert seen.compliant
    assert "switched off by Object Ownership" in seen.why


@pytest.mark.usefixtures("hub_environment")
async def test_the_report_names_each_grant_and_says_that_objects_have_their_own(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, buckets.plant(admin, grants=[OWN, (EVERYBODY, "READ")])) as one:
        seen = await one.check()
    assert f"READ to {EVERYBODY}" in seen.why
    assert any("objects keep their own ACLs" in note for note in seen.notes)
