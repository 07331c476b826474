"""Scenes of `bots.lambda_tag`, and what only this bot does."""

from __future__ import annotations

import shlex

import pytest

from bots._bot import CannotFix, TargetGone
from bots._tags import Tag
from bots._words import BadWords, parse
from bots.lambda_tag import Wish, bot
from tests.bots.alone import alone
from tests.bots.functions import MISSING, NAME, missing, observe, plant
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

WORDS = ("Owner", "platform")


def _tagged(admin: Admin) -> Planted:
    return plant(admin, *WORDS, Tags={"Owner": "", "owner": "somebody"})


def scenes() -> list[Scene]:
    return [
        Scene(
            name="untagged",
            plant=lambda admin: plant(admin, *WORDS, Tags={"Name": "images"}),
            observe=observe,
            missing=lambda admin: missing(admin, *WORDS),
        ),
        Scene(
            name="full of tags",
            plant=lambda admin: plant(admin, *WORDS, Tags={f"key-{n}": "" for n in range(50)}),
            observe=observe,
            refusal="has 50 tags",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("quarantined 2026-11-02", "quarantined", "2026-11-02"),
        ("reviewed", "reviewed", ""),
        ('"data owner" "platform team"', "data owner", "platform team"),
        ("key=Owner value=platform", "Owner", "platform"),
        ("app/tier a+b@example.com", "app/tier", "a+b@example.com"),
        ("Größe très_grand exec_function_arn=arn:aws:lambda:x", "Größe", "très_grand"),
    ],
)
def test_one_or_two_words_are_key_and_value_to_the_letter(text: str, key: str, value: str) -> None:
    wish = parse(Wish, shlex.split(text))
    assert (wish.key, wish.value) == (key, value)


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ([], "key must be given"),
        (["Owner", "platform", "team"], "one too many"),
        (["k" * 129], "128"),
        (["k", "v" * 257], "256"),
        (["AWS:stack"], "aws:"),
        (["k", "a,b"], "',' cannot be in a tag"),
        (['"k"'], "cannot be in a tag"),
    ],
)
def test_words_that_are_no_tag_are_refused_before_anything_is_asked(words: list[str], about: str) -> None:
    with pytest.raises(BadWords, match=about):
        parse(Wish, words)


@pytest.mark.usefixtures("hub_environment")
async def test_an_old_value_is_replaced_and_comes_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _tagged(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert was == Tag(key="Owner", value="")
        assert (await one.fix()).compliant
        assert observe(admin, planted)["tags"] == {"Owner": "platform", "owner": "somebody"}
        assert (await one.undo(was)).before == was
    assert observe(admin, planted)["tags"] == {"Owner": "", "owner": "somebody"}


@pytest.mark.usefixtures("hub_environment")
async def test_of_an_alias_elsewhere_the_function_is_tagged(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin, "reviewed", region="eu-west-1")
    alias = Planted(entity={"id": planted.entity["id"] + ":live"}, words=planted.words)
    async with alone(bot, aws, admin, alias) as one:
        after = await one.fix()
    assert (after.region, after.target_id) == ("eu-west-1", planted.entity["id"])
    assert after.touches == (("AWS::Lambda::Function", NAME),)
    assert observe(admin, planted)["tags"] == {"reviewed": ""}


@pytest.mark.usefixtures("hub_environment")
async def test_a_function_full_of_tags_takes_a_new_value_for_one_of_them(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin, "key-7", "new", Tags={f"key-{n}": "old" for n in range(50)})
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
        with pytest.raises(CannotFix, match="AWS allows 50"):
            await one.saying("another").check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_function_named_by_its_bare_name_that_does_not_exist_is_gone(aws: FakeAws) -> None:
    planted = Planted(entity={"name": MISSING}, words=WORDS)
    async with alone(bot, aws, aws.fresh_account(), planted) as one:
        with pytest.raises(TargetGone, match=f"{MISSING} does not exist in us-east-1"):
            await one.check()
