"""Scenes of `bots.s3_block_all_public_access`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._bot import CannotFix
from bots.s3_block_all_public_access import SETTINGS, bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*"}


def _block(admin: Admin, planted: Planted, *on: str) -> None:
    admin.client("s3").put_public_access_block(
        Bucket=planted.notes["name"],
        PublicAccessBlockConfiguration={name: name in on for name in SETTINGS},
    )


def _public_website(admin: Admin, region: str = "us-east-1") -> Planted:
    planted = buckets.plant(admin, region=region, policy={"Statement": PUBLIC})
    admin.client("s3", region).put_bucket_website(
        Bucket=planted.notes["name"], WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}
    )
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(
            name="never blocked",
            plant=_public_website,
            observe=buckets.observe,
            missing=buckets.missing,
            region="",
        ),
        Scene(
            name="directory bucket",
            plant=buckets.directory_bucket,
            observe=buckets.observe,
            refusal="is a directory bucket",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_who_will_be_shut_out_is_said_beforehand(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _public_website(admin, buckets.ELSEWHERE)) as one:
        seen = await one.check()
        assert seen.region == buckets.ELSEWHERE
        assert any("serves a website" in note for note in seen.notes)
        assert any("policy public" in note for note in seen.notes)
        assert (await one.fix()).notes == ()


@pytest.mark.usefixtures("hub_environment")
async def test_one_open_setting_is_a_violation_and_the_other_three_stay_on(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = buckets.plant(admin)
    async with alone(bot, aws, admin, buckets.by_arn(planted)) as one:
        for left_open in SETTINGS:
            _block(admin, planted, *(name for name in SETTINGS if name != left_open))
            seen = await one.check()
            assert left_open in seen.why
            assert seen.notes == ()
            assert (await one.fix()).compliant
            assert (await one.undo(seen.before)).before == seen.before
            assert buckets.observe(admin, planted)["block"] == {name: name != left_open for name in SETTINGS}


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_found_by_name_alone_is_fixed_too(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    named = Planted(entity={"id": "", "name": buckets.plant(admin).notes["name"]})
    async with alone(bot, aws, admin, named) as one:
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_directory_bucket_is_not_even_looked_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, buckets.directory_bucket(admin)) as one:
        with pytest.raises(CannotFix):
            await one.check()
    assert aws.calls(admin.account_id) == ()
