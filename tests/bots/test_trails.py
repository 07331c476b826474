"""Finding the trail a finding means: `bots._trails`, through the simplest bot that uses it."""

from __future__ import annotations

import pytest

from bots._bot import CannotFix, TargetGone
from bots.cloudtrail_enable_log_file_validation import Validation, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted
from tests.bots.trails import ELSEWHERE, a_trail, by_name
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws


@pytest.mark.usefixtures("hub_environment")
async def test_the_region_of_the_arn_wins_over_the_region_of_the_finding(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = a_trail(admin, region=ELSEWHERE)
    async with alone(bot, aws, admin, planted) as one:
        after = await one.fix()
    assert after.region == ELSEWHERE
    assert after.target_id == planted.entity["id"]


@pytest.mark.usefixtures("hub_environment")
async def test_of_two_trails_with_one_name_the_region_of_the_finding_has_its_own(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    a_trail(admin, region=ELSEWHERE, bucket_region=ELSEWHERE, IsMultiRegionTrail=True)
    admin.client("cloudtrail").create_trail(Name="audit", S3BucketName=f"audit-logs-{admin.account_id}")
    async with alone(bot, aws, admin, Planted(entity={"id": "audit"})) as one:
        before = (await one.check()).before
    assert isinstance(before, Validation)
    assert before.region == "us-east-1"


@pytest.mark.usefixtures("hub_environment")
async def test_a_name_that_several_trails_elsewhere_share_is_not_guessed_at(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = a_trail(admin, region=ELSEWHERE, IsMultiRegionTrail=True)
    admin.client("cloudtrail", "eu-central-1").create_trail(
        Name="audit", S3BucketName=f"audit-logs-{admin.account_id}", IsMultiRegionTrail=True
    )
    async with alone(bot, aws, admin, by_name(planted)) as one:
        with pytest.raises(CannotFix, match="several trails are called audit"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_member_is_told_where_the_trail_of_its_organization_can_be_changed(aws: FakeAws) -> None:
    management = aws.fresh_account()
    organizations = management.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    status = organizations.create_account(Email="member@example.com", AccountName="member")
    member = Admin(status["CreateAccountStatus"]["AccountId"], management.endpoint)
    planted = a_trail(management, IsMultiRegionTrail=True, IsOrganizationTrail=True)
    async with alone(bot, aws, member, by_name(planted)) as one:
        with pytest.raises(CannotFix, match="management account"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_trail_of_one_region_is_not_seen_from_another(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = a_trail(admin, region=ELSEWHERE)
    async with alone(bot, aws, admin, by_name(planted)) as one:
        with pytest.raises(TargetGone, match="does not exist in us-east-1"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_the_trail_of_another_account_is_not_even_looked_for(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(stranger)) as one:
        with pytest.raises(CannotFix, match=f"belongs to account {stranger.account_id}"):
            await one.check()
    assert aws.calls(admin.account_id) == ()
