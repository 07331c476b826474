"""Scenes of `bots.kms_cmk_enable_key`, and what only this bot does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.kms.models import kms_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from bots.kms_cmk_enable_key import State, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"


def _key(admin: Admin, region: str = "us-east-1", **made: Any) -> Planted:
    key = admin.client("kms", region).create_key(**made)["KeyMetadata"]
    entity = {
        "id": key["KeyId"],
        "arn": key["Arn"],
        "name": "orders",
        "keyState": "Enabled",
        "region": "us_east_1",
    }
    return Planted(entity=entity, notes={"region": region})


def _disabled(admin: Admin, region: str = "us-east-1") -> Planted:
    planted = _key(admin, region)
    admin.client("kms", region).disable_key(KeyId=planted.entity["id"])
    return planted


def _doomed(admin: Admin, days: int = 12, **made: Any) -> Planted:
    planted = _key(admin, **made)
    admin.client("kms").schedule_key_deletion(KeyId=planted.entity["id"], PendingWindowInDays=days)
    return planted


def _in_state(admin: Admin, state: str) -> Planted:
    planted = _key(admin)
    _inside(admin, planted).key_state = state
    return planted


def _inside(admin: Admin, planted: Planted) -> Any:
    return kms_backends[admin.account_id][planted.notes["region"]].keys[planted.entity["id"]]


def _observe(admin: Admin, planted: Planted) -> Any:
    kms = admin.client("kms", planted.notes["region"])
    key = kms.describe_key(KeyId=planted.entity["id"])["KeyMetadata"]
    return {
        "state": key["KeyState"],
        "enabled": key["Enabled"],
        "deletion": str(key.get("DeletionDate")),
        "policy": kms.get_key_policy(KeyId=planted.entity["id"], PolicyName="default")["Policy"],
    }


def _missing(admin: Admin) -> Planted:
    key = "11112222-3333-4444-5555-666677778888"
    return Planted(entity={"id": key, "arn": f"arn:aws:kms:us-east-1:{admin.account_id}:key/{key}"})


def scenes() -> list[Scene]:
    return [
        Scene(name="disabled", plant=_disabled, observe=_observe, missing=_missing),
        Scene(name="to be deleted", plant=_doomed, observe=_observe),
        Scene(
            name="no material",
            plant=lambda admin: _in_state(admin, "PendingImport"),
            observe=_observe,
            refusal="import its key material first",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_disabled_key_is_disabled_again_by_an_undo_wherever_it_lives(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _disabled(admin, ELSEWHERE)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert was.region == ELSEWHERE
        assert (await one.fix()).compliant
        assert (await one.undo(was.before)).before == was.before
    assert _observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_a_deletion_is_scheduled_anew_with_the_days_that_were_left(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _doomed(admin, 30)
    # Twenty and a half of its thirty days have passed.
    _inside(admin, planted).deletion_date -= timedelta(days=20, hours=12)
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert isinstance(was.before, State)
        assert was.before.days_left == 10
        assert any("know why" in note for note in was.notes)
        assert (await one.fix()).compliant
        assert (await one.undo(was.before)).before == was.before
    deletion = admin.client("kms").describe_key(KeyId=planted.entity["id"])["KeyMetadata"]["DeletionDate"]
    assert timedelta(days=9) < deletion - datetime.now(UTC) <= timedelta(days=10)


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_waits_as_long_as_kms_demands(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _doomed(admin, 7)
    _inside(admin, planted).deletion_date -= timedelta(days=6)
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert isinstance(was.before, State)
        assert was.before.days_left == 7
        await one.fix()
        assert (await one.undo(was.before)).before == was.before


@pytest.mark.usefixtures("hub_environment")
async def test_a_primary_that_waits_for_its_replicas_is_saved_too(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _key(admin, MultiRegion=True)
    kms = admin.client("kms")
    kms.replicate_key(KeyId=planted.entity["id"], ReplicaRegion=ELSEWHERE)
    _inside(admin, planted).multi_region_configuration["ReplicaKeys"] = [{"Region": ELSEWHERE}]
    kms.schedule_key_deletion(KeyId=planted.entity["id"], PendingWindowInDays=9)
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert "PendingReplicaDeletion, to be deleted in 9 days" in was.why
        assert any("multi-Region" in note for note in was.notes)
        assert (await one.fix()).compliant
        assert (await one.undo(was.before)).before == was.before
    assert _observe(admin, planted)["state"] == "PendingReplicaDeletion"


@pytest.mark.usefixtures("hub_environment")
async def test_a_fix_cut_off_after_the_cancellation_is_carried_on(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _doomed(admin)
    aws.fail(admin.account_id, "kms:EnableKey", "KMSInvalidStateException", times=2)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater):
            await one.fix()
        assert _observe(admin, planted)["state"] == "Disabled"
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_role_that_may_cancel_but_not_enable_cancels_nothing(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _doomed(admin)
    before = _observe(admin, planted)
    aws.fail(admin.account_id, "kms:EnableKey", "AccessDeniedException")
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.fix()
    assert _observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_nobody_here_can_enable_is_told_apart(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    planted = _in_state(admin, "Unavailable")
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="connect its custom key store"):
            await one.check()
        _inside(admin, planted).key_manager = "AWS"
        with pytest.raises(CannotFix, match="managed by AWS"):
            await one.check()
    async with alone(bot, aws, admin, _key(stranger)) as one:
        with pytest.raises(CannotFix, match=f"belongs to account {stranger.account_id}"):
            await one.check()
    async with alone(bot, aws, admin, Planted(entity={"id": "alias/never-made"})) as one:
        with pytest.raises(TargetGone):
            await one.check()
