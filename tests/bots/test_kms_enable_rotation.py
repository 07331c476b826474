"""Scenes of `bots.kms_enable_rotation`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from moto.kms.models import kms_backends

from bots._bot import CannotFix, TargetGone
from bots._words import BadWords, parse
from bots.kms_enable_rotation import Rotation, Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"


def _entity(key: dict[str, Any], region: str = "us_east_1") -> dict[str, Any]:
    return {"id": key["KeyId"], "arn": key["Arn"], "name": "orders", "type": "KMS", "region": region}


def _key(admin: Admin, *words: str, days: int | None = None, **made: Any) -> Planted:
    kms = admin.client("kms")
    key = kms.create_key(**made)["KeyMetadata"]
    if days is not None:
        kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=days)
    return Planted(entity=_entity(key), words=words)


def _replica(admin: Admin) -> Planted:
    primary = admin.client("kms", ELSEWHERE).create_key(MultiRegion=True)["KeyMetadata"]
    answer = admin.client("kms", ELSEWHERE).replicate_key(KeyId=primary["KeyId"], ReplicaRegion="us-east-1")
    return Planted(entity=_entity(answer["ReplicaKeyMetadata"]), notes={"region": ELSEWHERE})


def _disabled(admin: Admin) -> Planted:
    planted = _key(admin)
    admin.client("kms").disable_key(KeyId=planted.entity["id"])
    return planted


def _going(admin: Admin) -> Planted:
    planted = _key(admin)
    admin.client("kms").schedule_key_deletion(KeyId=planted.entity["id"], PendingWindowInDays=7)
    return planted


def _managed_by_aws(admin: Admin) -> Planted:
    planted = _key(admin)
    # Only AWS makes such keys; moto makes them too but calls them the customer's.
    kms_backends[admin.account_id]["us-east-1"].keys[planted.entity["id"]].key_manager = "AWS"
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    kms = admin.client("kms", planted.notes.get("region"))
    key = kms.describe_key(KeyId=planted.entity["id"])["KeyMetadata"]
    rotation = kms.get_key_rotation_status(KeyId=planted.entity["id"])
    return {
        "state": key["KeyState"],
        "deletion": str(key.get("DeletionDate")),
        "description": key["Description"],
        "policy": kms.get_key_policy(KeyId=planted.entity["id"], PolicyName="default")["Policy"],
        "rotation": rotation["KeyRotationEnabled"],
        "days": rotation.get("RotationPeriodInDays"),
    }


def _missing(admin: Admin) -> Planted:
    key = "11112222-3333-4444-5555-666677778888"
    return Planted(
        entity={"id": key, "arn": f"arn:aws:kms:us-east-1:{admin.account_id}:key/{key}", "type": "KMS"}
    )


def scenes() -> list[Scene]:
    def blocked(name: str, refusal: str, **made: Any) -> Scene:
        return Scene(name=name, plant=lambda admin: _key(admin, **made), observe=_observe, refusal=refusal)

    return [
        Scene(name="never rotated", plant=_key, observe=_observe, missing=_missing),
        Scene(
            name="rotated too seldom",
            plant=lambda admin: _key(admin, "rotation_period_days=180", days=400),
            observe=_observe,
        ),
        Scene(name="replica of a key elsewhere", plant=_replica, observe=_observe),
        Scene(name="disabled", plant=_disabled, observe=_observe, refusal="KeyState of key"),
        Scene(name="pending deletion", plant=_going, observe=_observe, refusal="PendingDeletion"),
        Scene(
            name="managed by AWS",
            plant=_managed_by_aws,
            observe=_observe,
            refusal="AWS, which rotates it every year by itself",
        ),
        blocked("imported material", "EXTERNAL", Origin="EXTERNAL"),
        blocked("asymmetric", "RSA_2048", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"),
        blocked("hmac", "HMAC_256", KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC"),
    ]


@pytest.mark.parametrize(
    "word", ["rotation_period_days=90", "RotationPeriodDays:90", "rotationPeriodDays=90"]
)
def test_the_period_is_given_by_name_only(word: str) -> None:
    assert parse(Wish, [word]).rotation_period_days == 90
    assert parse(Wish, []).rotation_period_days is None
    with pytest.raises(BadWords, match="one too many"):
        parse(Wish, ["90"])


@pytest.mark.parametrize("days", ["89", "2561", "0", "-365", "365.0", "year"])
def test_a_period_aws_would_refuse_is_refused_before_anything_is_asked(days: str) -> None:
    with pytest.raises(BadWords, match="does not fit rotation_period_days"):
        parse(Wish, [f"rotation_period_days={days}"])


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("spelling", ["id", "arn", "alias", "alias arn"])
async def test_a_key_is_found_by_whatever_the_finding_calls_it(aws: FakeAws, spelling: str) -> None:
    admin = aws.fresh_account()
    key = _key(admin).entity
    admin.client("kms").create_alias(AliasName="alias/orders", TargetKeyId=key["id"])
    alias = f"arn:aws:kms:us-east-1:{admin.account_id}:alias/orders"
    called = {"id": key["id"], "arn": key["arn"], "alias": "alias/orders", "alias arn": alias}[spelling]
    async with alone(bot, aws, admin, Planted(entity={"id": called})) as one:
        assert (await one.fix()).compliant
    assert admin.client("kms").get_key_rotation_status(KeyId=key["id"])["KeyRotationEnabled"] is True


@pytest.mark.usefixtures("hub_environment")
async def test_the_region_of_the_arn_wins_over_the_region_of_the_finding(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _key(admin)
    async with alone(bot, aws, admin, planted, region=ELSEWHERE) as one:
        after = await one.fix()
    assert after.compliant
    assert after.region == "us-east-1"


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_that_rotates_is_right_at_any_period_unless_one_is_asked_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _key(admin, days=400)) as one:
        assert (await one.check()).compliant
        assert (await one.saying("rotation_period_days=400").check()).compliant
        assert not (await one.saying("rotation_period_days=180").check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_rotation_that_was_off_gets_aws_own_period_or_the_one_asked_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    for words, days in (((), 365), (("rotation_period_days=90",), 90)):
        async with alone(bot, aws, admin, _key(admin, *words)) as one:
            after = (await one.fix()).before
            assert isinstance(after, Rotation)
            assert after.period_days == days


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_brings_back_the_old_period(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _key(admin, "rotation_period_days=180", days=400)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        assert (await one.undo(was)).before == was
    status = admin.client("kms").get_key_rotation_status(KeyId=planted.entity["id"])
    assert status["RotationPeriodInDays"] == 400


@pytest.mark.usefixtures("hub_environment")
async def test_a_wish_for_rarer_rotation_is_pointed_out(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _key(admin, "rotation_period_days=365", days=90)) as one:
        assert (await one.check()).notes == ("the wish makes rotation rarer: every 365 days instead of 90",)


@pytest.mark.usefixtures("hub_environment")
async def test_of_a_replica_the_primary_is_changed_and_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _replica(admin)
    primary = planted.entity["arn"].replace("us-east-1", ELSEWHERE)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.region == ELSEWHERE
        assert any(primary in note for note in seen.notes)
        assert (await one.fix()).compliant
    status = admin.client("kms", ELSEWHERE).get_key_rotation_status(KeyId=primary)
    assert status["KeyRotationEnabled"] is True


@pytest.mark.usefixtures("hub_environment")
async def test_a_finding_without_a_name_is_fixed_all_the_same(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _key(admin)
    async with alone(bot, aws, admin, Planted(entity={"id": planted.entity["id"], "name": None})) as one:
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_the_key_of_another_account_is_not_even_looked_at(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    async with alone(bot, aws, admin, _key(stranger)) as one:
        with pytest.raises(CannotFix, match=f"belongs to account {stranger.account_id}"):
            await one.check()
    assert [call.name for call in aws.calls(admin.account_id)] == []


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("named", ["alias/never-made", "11112222-3333-4444-5555-666677778888"])
async def test_a_key_that_does_not_exist_is_gone(aws: FakeAws, named: str) -> None:
    async with alone(bot, aws, aws.fresh_account(), Planted(entity={"id": named})) as one:
        with pytest.raises(TargetGone):
            await one.check()
