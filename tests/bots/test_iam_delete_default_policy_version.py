"""Scenes of `bots.iam_delete_default_policy_version`, and what only this bot does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots.iam_delete_default_policy_version import Default, bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _statement(number: int) -> dict[str, Any]:
    return {**plants.BUCKET, "Resource": f"arn:aws:s3:::invoices/{number}/*"}


def _policy(admin: Admin, versions: int = 3, default: int | None = None) -> Planted:
    iam = admin.client("iam")
    arn = plants.policy(admin, "payroll", _statement(1), Path="/team/")
    for number in range(2, versions + 1):
        _new_version(admin, arn, number)
    if default is not None:
        iam.set_default_policy_version(PolicyArn=arn, VersionId=f"v{default}")
    return Planted(entity={"id": arn, "type": "IamPolicy"})


def _new_version(admin: Admin, arn: str, number: int) -> None:
    text = plants.document(_statement(number))
    admin.client("iam").create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)


def _of_aws(_admin: Admin) -> Planted:
    return Planted(entity={"id": "arn:aws:iam::aws:policy/AdministratorAccess"})


def _observe(admin: Admin, _planted: Planted) -> Any:
    return plants.seen(admin)


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"arn": f"arn:aws:iam::{admin.account_id}:policy/never-made"})


def scenes() -> list[Scene]:
    return [
        Scene(name="three versions", plant=_policy, observe=_observe, missing=_missing),
        Scene(
            name="only version",
            plant=lambda admin: _policy(admin, 1),
            observe=_observe,
            refusal="v1 is the only version",
        ),
        Scene(
            name="rolled back by hand",
            plant=lambda admin: _policy(admin, default=2),
            observe=_observe,
            refusal="v3 is newer than the default v2",
        ),
        Scene(name="policy of AWS", plant=_of_aws, observe=_observe, refusal="AWS's own policy"),
    ]


def _versions(admin: Admin, planted: Planted) -> tuple[str, list[str]]:
    policy = plants.backend(admin).get_policy(planted.entity["id"])
    return policy.default_version_id, [version.version_id for version in policy.versions]


async def test_the_newest_of_the_others_takes_the_place_whatever_the_order_of_the_list(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin, 5)
    plants.backend(admin).get_policy(planted.entity["id"]).versions.reverse()
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    default, versions = _versions(admin, planted)
    assert (default, sorted(versions)) == ("v4", ["v1", "v2", "v3", "v4"])


async def test_ten_is_newer_than_nine(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin, 3)
    policy = plants.backend(admin).get_policy(planted.entity["id"])
    for version, name in zip(policy.versions, ("v9", "v10", "v11"), strict=True):
        version.version_id = name
    policy.default_version_id = "v11"
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert _versions(admin, planted) == ("v10", ["v9", "v10"])


async def test_a_new_finding_about_the_version_put_in_force_does_not_roll_back_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).why == "version v3 was taken back before, and v2 is in force since"
    async with alone(bot, aws, admin, planted) as later:
        assert (await later.check()).compliant
    assert _versions(admin, planted) == ("v2", ["v1", "v2"])


async def test_a_version_somebody_makes_after_a_rollback_can_be_rolled_back_too(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin)
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
        _new_version(admin, planted.entity["id"], 4)
        was = (await one.check()).before
        assert (await one.fix()).compliant
        assert _versions(admin, planted) == ("v2", ["v1", "v2"])
        # The undo of the second leaves the trace of the first.
        assert (
            (await one.undo(was)).before
            == was
            == Default(document=plants.document(_statement(4)), mark="v3 to v2")
        )
    assert _versions(admin, planted) == ("v5", ["v1", "v2", "v5"])


@pytest.mark.parametrize("broken_off", ["iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion"])
async def test_an_attempt_that_broke_off_is_finished_and_goes_no_further(
    aws: FakeAws, broken_off: str
) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin)
    iam, arn = admin.client("iam"), planted.entity["id"]
    mark = {"Key": "remediation-hub:rolled-back", "Value": "v3 to v2"}
    iam.tag_policy(PolicyArn=arn, Tags=[mark])
    if broken_off == "iam:DeletePolicyVersion":
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert _versions(admin, planted) == ("v2", ["v1", "v2"])


async def test_a_failure_puts_the_version_in_force_that_was(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:DeletePolicyVersion", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.fix()
    assert _observe(admin, planted) == before


@pytest.mark.parametrize(("minutes", "compliant"), [(-5, True), (0, False), (5, False)])
async def test_a_version_made_after_the_call_behind_the_finding_is_not_meant(
    aws: FakeAws, minutes: int, compliant: bool
) -> None:
    admin = aws.fresh_account()
    made = _policy(admin)
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    planted = Planted(entity=made.entity, event_time=f"{at:%Y-%m-%dT%H:%M:%SZ}")
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant is compliant
    assert ("v3 was made later" in seen.why) is compliant


async def test_what_the_older_version_allows_beyond_the_bad_one_is_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin, 1)
    text = plants.document({**plants.BUCKET, "Action": ["s3:getobject"]})
    iam = admin.client("iam")
    iam.create_policy_version(PolicyArn=planted.entity["id"], PolicyDocument=text, SetAsDefault=True)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).notes == ()
        plants.backend(admin).get_policy(planted.entity["id"]).versions[0].document = plants.document(
            plants.ALL
        )
        assert (await one.check()).notes == ("v1 allows what v2 does not name: *",)


async def test_everybody_who_feels_it_is_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin)
    arn = planted.entity["id"]
    plants.role(admin, "app", PermissionsBoundary=arn)
    plants.user(admin, "bob")
    admin.client("iam").attach_user_policy(UserName="bob", PolicyArn=arn)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.touches == (("AWS::IAM::Role", "app"), ("AWS::IAM::User", "bob"))
    assert "app, bob" in seen.why


async def test_the_text_that_comes_back_is_the_one_that_went(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _policy(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        await one.undo(was)
    policy = plants.backend(admin).get_policy(planted.entity["id"])
    (back,) = [version for version in policy.versions if version.is_default]
    assert json.loads(back.document)["Statement"] == [_statement(3)]


async def test_a_policy_deleted_meanwhile_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        with pytest.raises(TargetGone, match="never-made does not exist"):
            await one.check()


async def test_what_is_no_policy_is_refused(aws: FakeAws) -> None:
    async with alone(bot, aws, aws.fresh_account(), Planted(entity={"id": "payroll"})) as one:
        with pytest.raises(CannotFix, match="not the ARN of a managed policy"):
            await one.check()
