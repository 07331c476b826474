"""Which bots policy documents allow, and in what the documents differ from the ones they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bots._bot import AnyBot, Before, Bot, NoParams, Risk, Undo, account, on
from bots._catalogue import bot_named
from spoke_role.coverage import Allowed, Drift, drift, rules
from spoke_role.guard_reads import GUARD_READS
from spoke_role.patterns import covers
from spoke_role.policy import allowances, policies, select
from tests.spoke_role.reading import NAMES, substituted

ROLES = "arn:{partition}:iam::{account}:role/team-*"
ACCOUNT = "222233334444"


def bot(*writes: str, passes: Mapping[str, tuple[str, ...]] | None = None) -> AnyBot:
    return Bot(
        name="a_bot",
        acts_on="AWS::::Account",
        target=account(),
        params=NoParams,
        before=Before,
        reads=("iam:ListUsers",),
        writes=writes,
        passes=passes or {},
        risk=Risk.ADDITIVE,
        undo=Undo.none("a test"),
    )


def allow(*actions: str, on: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on} | more


def lacking(one: AnyBot, *statements: dict[str, Any]) -> Sequence[str]:
    """The actions the bot lacks with these statements."""
    found = Allowed(rules([{"Statement": list(statements)}]))
    return found.lacking([one], partition="aws", account=ACCOUNT).get(one.name, ())


@pytest.mark.parametrize(
    ("pattern", "other", "covered"),
    [
        ("*", "arn:aws:s3:::a*", True),
        ("arn:aws:s3:::*", "arn:aws:s3:::team-?", True),
        ("arn:aws:s3:::team-?", "arn:aws:s3:::team-*", False),
        ("arn:aws:s3:::team-?", "arn:aws:s3:::team-1", True),
        ("arn:aws:s3:::team", "*", False),
        ("arn:aws:s3:::te.m", "arn:aws:s3:::team", False),
    ],
)
def test_a_pattern_covers_what_fits_it_whatever_stands_for_the_stars(
    pattern: str, other: str, covered: bool
) -> None:
    assert covers(pattern, other) is covered


def test_a_bot_whose_every_action_is_allowed_lacks_nothing() -> None:
    one = bot("s3:PutBucketAcl")
    assert lacking(one, allow("iam:ListUsers"), allow("s3:Put*", on="*")) == ()
    assert lacking(one, allow("IAM:listusers", "s3:putbucketacl")) == ()
    assert lacking(one, allow("*")) == ()


def test_what_is_not_allowed_is_named() -> None:
    assert lacking(
        bot("s3:PutBucketAcl", "s3:PutBucketTagging"), allow("iam:ListUsers", "s3:PutBucketAcl")
    ) == ("s3:PutBucketTagging",)


def test_a_narrower_resource_is_not_enough_and_a_wider_one_is() -> None:
    one = bot(*on((ROLES,), "iam:TagRole"))
    users = allow("iam:ListUsers")
    assert lacking(one, users, allow("iam:TagRole", on=f"arn:aws:iam::{ACCOUNT}:role/*")) == ()
    assert lacking(one, users, allow("iam:TagRole", on=f"arn:aws:iam::{ACCOUNT}:role/team-a")) == (
        "iam:TagRole",
    )
    assert lacking(one, users, allow("iam:TagRole", on="arn:aws:iam::999988887777:role/*")) == (
        "iam:TagRole",
    )


def test_every_resource_of_a_bot_must_be_allowed() -> None:
    one = bot(*on((ROLES, "arn:{partition}:iam::{account}:user/*"), "iam:TagRole"))
    users, roles = allow("iam:ListUsers"), allow("iam:TagRole", on=f"arn:aws:iam::{ACCOUNT}:role/*")
    assert lacking(one, users, roles) == ("iam:TagRole",)
    assert lacking(one, users, roles, allow("iam:TagRole", on=f"arn:aws:iam::{ACCOUNT}:user/*")) == ()


def test_an_allowance_under_a_condition_does_not_count_unless_the_bot_declares_it() -> None:
    one = bot("iam:PassRole", passes={"lambda.amazonaws.com": (ROLES,)})
    users = allow("iam:ListUsers")
    passed = {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}}
    assert lacking(one, users, allow("iam:PassRole", Condition=passed)) == ()
    assert lacking(one, users, allow("iam:PassRole")) == ()
    other = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    assert lacking(one, users, allow("iam:PassRole", Condition=other)) == ("iam:PassRole",)
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": True}}
    assert lacking(bot(), allow("iam:ListUsers", Condition=mfa)) == ("iam:ListUsers",)


def test_a_denial_of_everything_counts_and_one_of_some_does_not() -> None:
    every = allow("*")
    assert lacking(bot(), every, allow("iam:*") | {"Effect": "Deny"}) == ("iam:ListUsers",)
    some = allow("iam:*", on="arn:aws:iam::222233334444:role/x") | {"Effect": "Deny"}
    tagged = allow("iam:*", Condition={"StringEquals": {"aws:ResourceTag/a": "b"}}) | {"Effect": "Deny"}
    assert lacking(bot(), every, some, tagged) == ()


def test_all_but_some_actions_or_resources_are_understood() -> None:
    but_s3 = {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}
    assert lacking(bot("s3:PutBucketAcl"), but_s3) == ("s3:PutBucketAcl",)
    but_one = {"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:iam::222233334444:role/team-a"]}
    # Of roles like team-* one is left out, so not all are allowed.
    assert lacking(bot(*on((ROLES,), "iam:TagRole")), allow("iam:ListUsers"), but_one) == ("iam:TagRole",)


def expected() -> list[dict[str, Any]]:
    return list(policies(select()).values())


def deployed() -> list[dict[str, Any]]:
    """The expected policies as a stack makes them."""
    return [_with_names(document) for document in expected()]


def _with_names(value: Any) -> Any:
    match value:
        case dict():
            return {key: _with_names(each) for key, each in value.items()}
        case list():
            return [_with_names(each) for each in value]
        case str():
            return substituted(value)
        case _:
            return value


def differing(documents: list[dict[str, Any]], *names: str) -> Drift:
    known = {name: NAMES[name] for name in names or ("AWS::Partition", "AWS::AccountId", "HubAccountId")}
    return drift(rules(documents), expected(), known)


def test_the_templates_own_policies_have_not_drifted_whatever_names_they_were_given() -> None:
    assert differing(deployed()) == Drift((), ())
    assert differing(deployed(), *NAMES) == Drift((), ())


def test_all_bots_are_allowed_by_the_templates_own_policies() -> None:
    found = Allowed(rules(deployed()))
    assert found.lacking(select(), partition="aws", account=ACCOUNT) == {}


def test_what_guards_read_is_no_bots_need_and_is_told_where_it_is_missing() -> None:
    def left(*without: str) -> Allowed:
        documents = deployed()
        for statement in (each for document in documents for each in document["Statement"]):
            if statement["Effect"] == "Allow":
                statement["Action"] = [each for each in statement["Action"] if each not in without]
        return Allowed(rules(documents))

    in_account = {"partition": "aws", "account": ACCOUNT}
    assert list(left().without(GUARD_READS, **in_account)) == []
    older = left("s3:GetBucketTagging", "iam:ListUserTags")
    assert sorted(older.without(GUARD_READS, **in_account)) == ["iam:ListUserTags", "s3:GetBucketTagging"]
    assert older.lacking(select(), **in_account) == {}


def test_a_role_for_some_of_the_bots_allows_no_others_whatever_rights_it_has() -> None:
    chosen = select(max_risk=Risk.DISRUPTIVE)
    found = Allowed(rules(map(_with_names, policies(chosen).values())))
    lacking = found.lacking(select(), partition="aws", account=ACCOUNT)
    assert set(lacking) == {bot.name for bot in select()} - {bot.name for bot in chosen}
    # Milder bots need every right of this one, for their undo.
    assert lacking["acl_delete"] == tuple(map(str, bot_named("acl_delete").actions))


def test_a_role_made_for_one_bot_is_not_for_another_that_needs_less() -> None:
    chosen = select(["ecs_stop"])
    statements = [_with_names(document) for document in allowances(chosen).values()]
    assert "ecs_reboot" not in Allowed(rules(statements)).lacking(select(), partition="aws", account=ACCOUNT)
    documents = [_with_names(document) for document in policies(chosen).values()]
    found = Allowed(rules(documents)).lacking(select(), partition="aws", account=ACCOUNT)
    assert {bot.name for bot in select()} - set(found) == {"ecs_stop"}


def test_what_was_added_and_what_is_gone_is_told() -> None:
    documents = deployed()
    limits = documents[0]["Statement"]
    gone = limits.pop()
    documents[1]["Statement"].append(allow("s3:*"))
    found = differing(documents)
    assert found.added == ("Allow s3:* on *",)
    assert len(found.gone) == len(gone["Resource"])
    assert all(text.startswith("Deny * on ") for text in found.gone)


def test_words_that_mean_the_same_are_no_drift() -> None:
    wanted = [{"Statement": [allow("s3:GetObject", Condition={"Bool": {"a:b": "true"}})]}]
    written = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Sid": "X"}
    found = rules([{"Statement": written | {"Condition": {"Bool": {"a:b": [True]}}}}])
    assert drift(found, wanted, {}) == Drift((), ())
