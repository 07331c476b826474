"""Scenes of `bots.cloudtrail_enable_log_file_validation`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._aws import AwsError
from bots._bot import TryLater
from bots.cloudtrail_enable_log_file_validation import bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.trails import ELSEWHERE, a_trail, by_name, no_trail, seen
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws


def _named_only(admin: Admin) -> Planted:
    return by_name(a_trail(admin, region=ELSEWHERE, IsMultiRegionTrail=True))


def scenes() -> list[Scene]:
    return [
        Scene(name="off", plant=a_trail, observe=seen, missing=no_trail),
        Scene(name="named from another region", plant=_named_only, observe=seen),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_trail_that_somebody_else_is_changing_is_tried_again_later(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin)) as one:
        aws.fail(admin.account_id, "cloudtrail:UpdateTrail", "ConflictException")
        with pytest.raises(TryLater, match="another change of trail"):
            await one.fix()
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_trail_broken_otherwise_is_reported_with_its_cause(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin)) as one:
        aws.fail(admin.account_id, "cloudtrail:UpdateTrail", "InsufficientS3BucketPolicyException")
        with pytest.raises(AwsError, match="InsufficientS3BucketPolicyException"):
            await one.fix()
