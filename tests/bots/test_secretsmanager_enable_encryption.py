"""Scenes of `bots.secretsmanager_enable_encryption`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from moto.secretsmanager.models import secretsmanager_backends

from bots._bot import CannotFix
from bots._words import BadWords, parse
from bots.secretsmanager_enable_encryption import Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MANAGED = "alias/aws/secretsmanager"


def _key(admin: Admin, region: str = "us-east-1", **made: Any) -> str:
    return str(admin.client("kms", region).create_key(**made)["KeyMetadata"]["Arn"])


def _secret(admin: Admin, *words: str, region: str = "us-east-1", **made: Any) -> Planted:
    answer = admin.client("secretsmanager", region).create_secret(
        Name="orders/db", SecretString="s3cret", **made
    )
    return Planted(
        entity={"arn": answer["ARN"], "id": answer["ARN"], "name": "orders/db"},
        words=words,
        notes={"region": region},
    )


def _managed_by_rds(admin: Admin) -> Planted:
    # AWS alone can set such a tag, and does for the services that own secrets.
    tags = [{"Key": "aws:secretsmanager:owningService", "Value": "rds"}]
    return _secret(admin, _key(admin), Tags=tags)


def _observe(admin: Admin, planted: Planted) -> Any:
    client, arn = admin.client("secretsmanager", planted.notes["region"]), planted.entity["arn"]
    secret = client.describe_secret(SecretId=arn)
    return {
        "key": secret.get("KmsKeyId", "").replace(MANAGED, ""),
        "description": secret.get("Description"),
        "versions": secret["VersionIdsToStages"],
        "value": client.get_secret_value(SecretId=arn)["SecretString"],
    }


def _missing(admin: Admin) -> Planted:
    arn = f"arn:aws:secretsmanager:us-east-1:{admin.account_id}:secret:never-made-a1b2c3"
    return Planted(entity={"arn": arn}, words=(ID,))


def scenes() -> list[Scene]:
    return [
        Scene(
            name="under the key of AWS",
            plant=lambda admin: _secret(admin, _key(admin), Description="of the orders database"),
            observe=_observe,
            missing=_missing,
        ),
        Scene(
            name="managed by another service",
            plant=_managed_by_rds,
            observe=_observe,
            refusal="managed by rds",
        ),
    ]


@pytest.mark.parametrize("word", [ID, f"kms_key_id={ID}", f"kmsKeyId:{ID}"])
def test_the_key_is_given_by_position_or_name(word: str) -> None:
    injected = "exec_function_arn=arn:aws:lambda:us-east-1:111122223333:function:hub"
    assert parse(Wish, [word, injected]) == Wish(kms_key_id=ID)


@pytest.mark.parametrize("words", [(), ("not a key",), (ID, ID)])
def test_other_words_are_refused_before_anything_is_asked(words: tuple[str, ...]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)


@pytest.mark.usefixtures("hub_environment")
async def test_another_key_takes_the_place_of_the_old_one_in_the_secrets_region(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    old, new = _key(admin, ELSEWHERE), _key(admin, ELSEWHERE)
    admin.client("kms", ELSEWHERE).create_alias(AliasName="alias/secrets", TargetKeyId=new)
    planted = _secret(admin, "alias/secrets", region=ELSEWHERE, KmsKeyId=old)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert was.region == ELSEWHERE
        assert (await one.fix()).compliant
        assert _observe(admin, planted) == {**before, "key": new}
        # Under its id or alias the same key is right as well.
        for name in (new.rsplit("/", 1)[-1], "alias/secrets"):
            admin.client("secretsmanager", ELSEWHERE).update_secret(SecretId="orders/db", KmsKeyId=name)
            assert (await one.check()).compliant
        assert (await one.undo(was.before)).before == was.before
    assert _observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_keys_that_cannot_encrypt_are_refused_and_an_undo_works_all_the_same(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    async with alone(bot, aws, admin, _secret(admin, key)) as one:
        was = (await one.check()).before
        rsa = _key(admin, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
        for wrong, why in (
            (rsa, "KeySpec is RSA_2048"),
            (MANAGED, "KeyManager is AWS"),
            (ID, "there is no key"),
        ):
            with pytest.raises(CannotFix, match=why):
                await one.saying(wrong).check()
        await one.fix()
        admin.client("kms").disable_key(KeyId=key.rsplit("/", 1)[-1])
        now = await one.check()
        assert not now.compliant
        assert "KeyState is Disabled" in now.why
        await one.bot.run_undo(one.account, one.target, was)
        assert "the key AWS manages" in (await one.saying(_key(admin)).check()).why


@pytest.mark.usefixtures("hub_environment")
async def test_who_else_needs_the_key_is_said(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _secret(admin, _key(admin), AddReplicaRegions=[{"Region": ELSEWHERE}])
    secret = secretsmanager_backends[admin.account_id]["us-east-1"].secrets["orders/db"]
    secret.rotation_requested, secret.rotation_lambda_arn = (
        True,
        "arn:aws:lambda:us-east-1:222233334444:function:turn",
    )
    async with alone(bot, aws, admin, planted) as one:
        notes = (await one.check()).notes
    assert any("function:turn" in note for note in notes)
    assert any(note.endswith(f"their own keys: {ELSEWHERE}") for note in notes)


@pytest.mark.usefixtures("hub_environment")
async def test_replicas_strangers_and_deleted_secrets_are_told_apart(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    planted = _secret(admin, _key(admin), AddReplicaRegions=[{"Region": ELSEWHERE}])
    replica = Planted(
        entity={"arn": planted.entity["arn"].replace("us-east-1", ELSEWHERE)}, words=planted.words
    )
    async with alone(bot, aws, admin, replica) as one:
        with pytest.raises(CannotFix, match="comes from, us-east-1"):
            await one.check()
    theirs = _secret(stranger, ID)
    async with alone(bot, aws, admin, theirs) as one:
        with pytest.raises(CannotFix, match=f"belongs to account {stranger.account_id}"):
            await one.check()
    stranger.client("secretsmanager").delete_secret(SecretId="orders/db")
    async with alone(bot, aws, stranger, Planted(entity={"id": "orders/db"}, words=(ID,))) as one:
        with pytest.raises(CannotFix, match="restore it first"):
            await one.check()
