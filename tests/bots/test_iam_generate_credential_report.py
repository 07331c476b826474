"""Scenes of `bots.iam_generate_credential_report`, and what only this bot does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import TryLater
from bots.iam_generate_credential_report import bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.iam import inside
from tests.fake_aws.server import FakeAws

ENTITY = {"type": "IAM", "name": "", "id": ""}


def _none(admin: Admin) -> Planted:
    admin.client("iam").create_user(UserName="alice")
    return Planted(entity=ENTITY)


def _old(admin: Admin, hours: float = 5) -> Planted:
    admin.client("iam").generate_credential_report()
    inside(admin.account_id).report_time = datetime.now(UTC) - timedelta(hours=hours)
    return Planted(entity=ENTITY)


def _observe(admin: Admin, _planted: Planted) -> Any:
    iam = admin.client("iam")
    try:
        age = datetime.now(UTC) - iam.get_credential_report()["GeneratedTime"]
    except iam.exceptions.CredentialReportNotPresentException:
        return "none"
    return "new" if age < timedelta(hours=1) else "old"


def scenes() -> list[Scene]:
    return [
        Scene(name="no report", plant=_none, observe=_observe, region="global"),
        Scene(name="old report", plant=_old, observe=_observe, region="eu-west-1"),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_report_is_good_for_four_hours(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _old(admin)) as one:
        for hours, fresh in ((0.1, True), (3.9, True), (4.1, False)):
            inside(admin.account_id).report_time = datetime.now(UTC) - timedelta(hours=hours)
            assert (await one.check()).compliant is fresh


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("code", ["ReportInProgress", "ReportExpired"])
async def test_a_report_that_aws_is_still_writing_is_awaited(aws: FakeAws, code: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _none(admin)) as one:
        aws.fail(admin.account_id, "iam:GetCredentialReport", code, status=410, times=2)
        with pytest.raises(TryLater, match="writing the credential report"):
            await one.fix()
        # Called again, as the hub does.
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_generating_twice_makes_no_second_report(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _none(admin)) as one:
        seen = await one.check()
        for _ in range(2):
            await one.bot.run_fix(one.account, one.target, one.params, seen.before)
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_other_errors_are_told_as_they_are(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _none(admin)) as one:
        aws.fail(admin.account_id, "iam:GenerateCredentialReport", "LimitExceeded", status=409)
        with pytest.raises(AwsError, match="LimitExceeded"):
            await one.fix()
