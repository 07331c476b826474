"""Scenes of `bots.ec2_delete_key_pair`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._bot import CannotFix
from bots._words import BadWords, parse
from bots.ec2_delete_key_pair import Pair, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

TAGS = [{"Key": "Owner", "Value": "platform"}]


def _pair(admin: Admin, name: str = "web", *, by_id: bool = False, tagged: bool = True) -> Planted:
    tags = [{"ResourceType": "key-pair", "Tags": TAGS}] if tagged else []
    made = admin.client("ec2").create_key_pair(KeyName=name, KeyType="ed25519", TagSpecifications=tags)
    return Planted(
        entity={"id": made["KeyPairId"]} if by_id else {"id": name, "name": name},
        notes={"id": made["KeyPairId"]},
    )


def _launch(admin: Admin, name: str, *, count: int = 1) -> list[str]:
    ec2 = admin.client("ec2")
    found = ec2.run_instances(ImageId="ami-12c6146b", MinCount=count, MaxCount=count, KeyName=name)
    return sorted(each["InstanceId"] for each in found["Instances"])


def _observe(admin: Admin, _planted: Planted) -> Any:
    found = admin.client("ec2").describe_key_pairs(IncludePublicKey=True)["KeyPairs"]
    return sorted(
        (each["KeyName"], each["KeyType"], each["PublicKey"].split()[:2], each["Tags"]) for each in found
    )


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "no-such-pair"})


def scenes() -> list[Scene]:
    return [
        Scene(name="by name", plant=_pair, observe=_observe, missing=_missing, when_missing="compliant"),
        Scene(name="by id", plant=lambda admin: _pair(admin, by_id=True), observe=_observe),
    ]


def test_it_takes_no_words() -> None:
    parse(bot.params, [])
    with pytest.raises(BadWords):
        parse(bot.params, ["web"])


def test_a_finding_without_an_id_names_the_pair() -> None:
    assert bot.target({"id": "", "name": "web"}, "222233334444") == "web"


async def test_the_pair_is_kept_without_what_changes_when_it_is_imported(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _pair(admin, by_id=True)
    ((_, _, public_key, _),) = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.target_id == "web"
    assert planted.notes["id"] in seen.why
    assert seen.before == Pair(
        exists=True,
        name="web",
        kind="ed25519",
        public_key=" ".join(public_key),
        tags=(("Owner", "platform"),),
    )


@pytest.mark.parametrize("name", ["R and D", "Schlüssel *?", "key-0123456789abcdef0"])
async def test_odd_names_are_deleted_to_the_letter_and_come_back(aws: FakeAws, name: str) -> None:
    admin = aws.fresh_account()
    _pair(admin, "Schlüssel 12")
    planted = _pair(admin, name, tagged=False)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert (await one.fix()).before == Pair(exists=False, name=name)
        assert [each[0] for each in _observe(admin, planted)] == ["Schlüssel 12"]
        assert (await one.undo(was)).before == was
    assert _observe(admin, planted) == before


async def test_an_id_means_the_pair_of_that_id_first(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _pair(admin, by_id=True)
    _pair(admin, planted.notes["id"])
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.target_id == "web"


async def test_the_instances_that_still_accept_it_are_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _pair(admin)
    users = _launch(admin, "web", count=7)
    (other,) = _launch(admin, "website")
    async with alone(bot, aws, admin, planted) as one:
        (note,) = (await one.check()).notes
    assert note.endswith(f"{', '.join(users[:5])} and 2 more")
    assert other not in note


async def test_a_pair_whose_public_key_aws_does_not_tell_is_not_made_up(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _pair(admin)
    ec2_backends[admin.account_id]["us-east-1"].key_pairs["web"].material_public = b""
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        with pytest.raises(CannotFix, match="by hand"):
            await one.undo(was)
    assert _observe(admin, planted) == []
