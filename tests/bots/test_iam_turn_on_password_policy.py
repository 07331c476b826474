"""Scenes of `bots.iam_turn_on_password_policy`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._password_rules import Rules, from_aws, stricter, to_aws
from bots._words import BadWords, parse
from bots.iam_turn_on_password_policy import Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

STRICT = ("14", "True", "True", "True", "True", "True", "90", "24", "False")
NAMED = (
    "MinimumPasswordLength:14",
    "RequireSymbols:True",
    "RequireNumbers:True",
    "RequireUppercaseCharacters:True",
    "RequireLowercaseCharacters:True",
    "AllowUsersToChangePassword:True",
    "MaxPasswordAge:90",
    "PasswordReusePrevention:24",
    "HardExpiry:False",
)
WEAK = ("6", "False", "false", "FALSE", "False", "False", "0", "0", "False")
# A finding about the account itself has an empty entity or only the account's number.
ENTITY = {"type": "IAM", "name": "", "id": ""}


def _unset(_admin: Admin, *words: str) -> Planted:
    return Planted(entity=ENTITY, words=words or STRICT)


def _set(admin: Admin, *words: str, **policy: Any) -> Planted:
    admin.client("iam").update_account_password_policy(**policy)
    return Planted(entity=ENTITY, words=words or STRICT)


def _observe(admin: Admin, _planted: Planted) -> Any:
    iam = admin.client("iam")
    try:
        return iam.get_account_password_policy()["PasswordPolicy"]
    except iam.exceptions.NoSuchEntityException:
        return None


def scenes() -> list[Scene]:
    return [
        Scene(name="none set", plant=_unset, observe=_observe, region="global"),
        Scene(
            name="weaker in every way",
            plant=lambda admin: _set(admin, *NAMED, MinimumPasswordLength=8),
            observe=_observe,
        ),
        Scene(
            name="stricter in part",
            plant=lambda admin: _set(
                admin,
                MinimumPasswordLength=20,
                RequireSymbols=True,
                MaxPasswordAge=30,
                PasswordReusePrevention=3,
                HardExpiry=True,
            ),
            observe=_observe,
            region="eu-west-1",
        ),
    ]


def test_nine_bare_words_nine_named_ones_and_any_mix_mean_the_same() -> None:
    wish = parse(Wish, STRICT)
    assert (wish.minimum_password_length, wish.max_password_age, wish.hard_expiry) == (14, 90, False)
    assert parse(Wish, NAMED) == wish
    assert parse(Wish, NAMED[::-1]) == wish
    assert parse(Wish, [word.replace(":", "=").lower() for word in NAMED]) == wish
    assert parse(Wish, [*NAMED[:4], *STRICT[4:]]) == wish


def test_false_means_false() -> None:
    wish = parse(Wish, WEAK)
    assert not any(value for name, value in wish if name != "minimum_password_length")


def test_words_of_the_older_dispatcher_do_not_count() -> None:
    injected = ("exec_function_arn=arn:aws:lambda:us-east-1:111122223333:function:hub", "assumed_role_arn=x")
    assert parse(Wish, [*STRICT, *injected]) == parse(Wish, STRICT)


@pytest.mark.parametrize(
    ("position", "word"),
    [(0, "5"), (0, "129"), (0, "True"), (1, "1"), (1, "yes"), (6, "1096"), (6, "-1"), (7, "25"), (8, "0")],
)
def test_a_value_aws_would_refuse_or_read_wrongly_is_refused(position: int, word: str) -> None:
    words = [*STRICT]
    words[position] = word
    with pytest.raises(BadWords, match=f"'{word}' does not fit"):
        parse(Wish, words)


def test_all_nine_values_are_needed_because_aws_resets_what_is_left_out() -> None:
    with pytest.raises(BadWords, match="hard_expiry must be given"):
        parse(Wish, STRICT[:-1])
    with pytest.raises(BadWords, match="max_password_age must be given"):
        parse(Wish, [word for word in NAMED if not word.startswith("MaxPasswordAge")])


@pytest.mark.usefixtures("hub_environment")
async def test_the_policy_reads_back_as_wished_with_each_false_a_false(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    words = ("8", "False", "True", "False", "True", "False", "0", "0", "False")
    async with alone(bot, aws, admin, _unset(admin, *words)) as one:
        assert (await one.fix()).compliant
    now = _observe(admin, Planted(entity=ENTITY))
    # AWS leaves out what is off, moto tells some of it as 0.
    assert {name: value for name, value in now.items() if value is False or value != 0} == {
        "MinimumPasswordLength": 8,
        "RequireSymbols": False,
        "RequireNumbers": True,
        "RequireUppercaseCharacters": False,
        "RequireLowercaseCharacters": True,
        "AllowUsersToChangePassword": False,
        "ExpirePasswords": False,
        "HardExpiry": False,
    }


@pytest.mark.usefixtures("hub_environment")
async def test_stricter_values_stay_and_each_is_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _set(
        admin, MinimumPasswordLength=20, MaxPasswordAge=30, PasswordReusePrevention=3, HardExpiry=True
    )
    async with alone(bot, aws, admin, planted) as one:
        notes = (await one.check()).notes
        await one.fix()
    assert "minimum_password_length stays at 20: the wished 14 would be weaker" in notes
    assert "max_password_age stays at 30: the wished 90 would be weaker" in notes
    assert "hard_expiry stays at True: the wished False would be weaker" in notes
    now = _observe(admin, planted)
    assert (now["MinimumPasswordLength"], now["MaxPasswordAge"], now["HardExpiry"]) == (20, 30, True)
    assert (now["PasswordReusePrevention"], now["RequireSymbols"]) == (24, True)


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_is_stricter_throughout_is_left_alone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _set(admin, *WEAK, MinimumPasswordLength=16, RequireNumbers=True, MaxPasswordAge=60)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant
        asked = await one.saying(*WEAK, "allowWeaker").check()
        assert not asked.compliant
        assert "minimum_password_length gets weaker: 16 becomes 6" in asked.notes
        assert "max_password_age gets weaker: 60 becomes 0" in asked.notes
        await one.saying("allowWeaker", *WEAK).fix()
    assert _observe(admin, planted)["MinimumPasswordLength"] == 6


@pytest.mark.usefixtures("hub_environment")
async def test_without_a_policy_the_wish_is_measured_against_aws_own_default(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _unset(admin, *WEAK)) as one:
        notes = (await one.check()).notes
        await one.fix()
    assert "minimum_password_length stays at 8: the wished 6 would be weaker" in notes
    assert any("three kinds of characters" in note for note in notes)
    assert _observe(admin, Planted(entity=ENTITY))["MinimumPasswordLength"] == 8


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize(
    ("now", "age", "hard", "said"),
    [
        ({}, "90", "True", "users with passwords older than 90 days are shut out"),
        ({"MaxPasswordAge": 90}, "90", "True", "users with passwords older than 90 days are shut out"),
        ({"MaxPasswordAge": 30, "HardExpiry": True}, "90", "True", ""),
        ({}, "90", "False", "users with passwords older than 90 days must change them"),
        ({"MaxPasswordAge": 180}, "90", "False", "users with passwords older than 90 days must change them"),
        ({"MaxPasswordAge": 90}, "90", "False", ""),
        ({}, "0", "True", ""),
    ],
)
async def test_who_will_be_shut_out_or_asked_for_a_new_password_is_foretold(
    aws: FakeAws, now: dict[str, Any], age: str, hard: str, said: str
) -> None:
    admin = aws.fresh_account()
    words = ("8", "True", "True", "True", "True", "True", age, "0", hard)
    async with alone(bot, aws, admin, _set(admin, *words, MinimumPasswordLength=8, **now)) as one:
        told = [note for note in (await one.check()).notes if "users with passwords" in note]
    assert [note.startswith(said) for note in told] == ([True] if said else [])


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_of_a_policy_somebody_deleted_meanwhile_is_done(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _unset(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("iam").delete_account_password_policy()
        assert (await one.undo(was)).before == was


RULES = st.builds(
    Rules,
    minimum_password_length=st.integers(6, 128),
    require_symbols=st.booleans(),
    allow_users_to_change_password=st.booleans(),
    max_password_age=st.integers(0, 1095),
    password_reuse_prevention=st.integers(0, 24),
    hard_expiry=st.booleans(),
)


@given(rules=RULES)
def test_a_policy_survives_the_way_to_aws_and_back(rules: Rules) -> None:
    sent = to_aws(rules)
    assert 0 not in [value for value in sent.values() if not isinstance(value, bool)]
    assert from_aws({**sent, "ExpirePasswords": rules.max_password_age > 0}) == rules


@given(wished=RULES, present=RULES)
def test_the_stricter_value_is_one_of_the_two_and_stays_when_asked_again(
    wished: Rules, present: Rules
) -> None:
    for name, value in wished:
        has = getattr(present, name)
        kept = stricter(name, value, has)
        assert kept in (value, has)
        assert stricter(name, value, kept) == kept


@pytest.mark.parametrize(("wished", "present", "kept"), [(90, 0, 90), (0, 90, 90), (0, 0, 0), (90, 30, 30)])
def test_a_password_that_never_expires_is_the_weakest(wished: int, present: int, kept: int) -> None:
    assert stricter("max_password_age", wished, present) == kept
