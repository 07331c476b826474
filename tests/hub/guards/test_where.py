"""An entry is about a step when all it asks for is met; what nobody knows of the account is told, not guessed."""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._bot import Risk
from hub.guards import where
from hub.guards.where import Entries, Fit, as_seen, deciding
from hub.model import AccountFacts, Step
from hub.rules.guard_model import Entry, GuardRules, ModeEntry, ModeWord, TagPatterns, Where
from tests.hub.guards.steps import ACCOUNT, KNOWN, NOTHING_KNOWN, a_proposal, a_step, in_force


def entry(line: int = 1, **asked: Any) -> ModeEntry:
    return ModeEntry(line=line, comment="c", where=Where(**asked), mode=ModeWord.OFF)


def fits(step: Step, *entries: ModeEntry) -> tuple[Fit[ModeEntry], ...]:
    return Entries(in_force(modes=entries), "mode", lambda rules: rules.modes).about(step)


def is_about(step: Step, **asked: Any) -> bool:
    found = fits(step, entry(**asked))
    assert all(fit.unknown == "" for fit in found)
    return bool(found)


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ({}, True),
        ({"accounts": ("111122223333", ACCOUNT)}, True),
        ({"accounts": ("111122223333",)}, False),
        ({"ous": ("Workloads",)}, True),
        ({"ous": ("Workloads/Prod",)}, True),
        ({"ous": ("ou-ab12-work",)}, True),
        ({"ous": ("*/Prod",)}, True),
        ({"ous": ("Prod",)}, False),
        ({"ous": ("workloads",)}, False),
        ({"account_tags": (("Stage", ("p*",)),)}, True),
        ({"account_tags": (("stage", ("PROD",)),)}, False),
        ({"account_tags": (("stage", ("prod",)), ("team", ("*",)))}, False),
        ({"regions": ("eu-central-1",)}, True),
        ({"regions": ("EU-*",)}, True),
        ({"regions": ("us-*",)}, False),
        ({"regions": ("global",)}, False),
        ({"bots": ("s3_*",)}, True),
        ({"bots": ("S3_*",)}, False),
        ({"risks": ("config-change", "additive")}, True),
        ({"risks": ("destructive",)}, False),
        ({"accounts": (ACCOUNT,), "regions": ("us-*",)}, False),
    ],
)
def test_an_entry_is_about_a_step_that_meets_all_it_asks_for(asked: dict[str, Any], met: bool) -> None:
    step = a_step(risk=Risk.ADDITIVE, facts=replace(KNOWN, tags={"stage": "prod"}))
    assert is_about(step, **asked) is met


@pytest.mark.parametrize(("region", "met"), [("global", True), ("us-east-1", True), ("eu-*", False)])
def test_a_service_without_regions_is_met_by_global_and_by_where_it_is_called(region: str, met: bool) -> None:
    step = a_step(region="us-east-1")
    assert step.bot is not None
    assert is_about(replace(step, bot=replace(step.bot, is_global=True)), regions=(region,)) is met


def test_a_bot_is_known_by_its_own_name_whatever_the_finding_calls_it() -> None:
    step = a_step()
    called = replace(step, action=replace(step.action, bot="another_name"))
    assert is_about(called, bots=("s3_enable_versioning",))
    assert not is_about(called, bots=("another_name",))


@pytest.mark.parametrize(
    ("facts", "asked", "words"),
    [
        (NOTHING_KNOWN, {"ous": ("Prod",)}, "the OUs of account 222233334444 could not be looked up"),
        (
            NOTHING_KNOWN,
            {"account_tags": (("a", ("b",)),)},
            "the tags of account 222233334444 could not be looked up",
        ),
        (
            NOTHING_KNOWN,
            {"ous": ("Prod",), "account_tags": (("a", ("b",)),)},
            "the OUs and tags of account 222233334444 could not be looked up",
        ),
        (NOTHING_KNOWN, {"accounts": (ACCOUNT,)}, ""),
        (AccountFacts(ous=("Prod",)), {"ous": ("Prod",)}, ""),
        (AccountFacts(tags={"a": "b"}), {"account_tags": (("a", ("b",)),)}, ""),
    ],
)
def test_what_would_have_to_be_known_is_named(facts: AccountFacts, asked: dict[str, Any], words: str) -> None:
    [fit] = fits(a_step(facts=facts), entry(**asked))
    assert fit.unknown == words


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        (NOTHING_KNOWN, {"ous": ("Prod",), "accounts": ("111122223333",)}),
        (AccountFacts(tags={}), {"ous": ("Prod",), "account_tags": (("a", ("b",)),)}),
        (AccountFacts(ous=("Dev",)), {"ous": ("Prod",), "account_tags": (("a", ("b",)),)}),
    ],
)
def test_what_is_not_known_does_not_matter_where_something_else_is_not_met(
    facts: AccountFacts, asked: dict[str, Any]
) -> None:
    assert fits(a_step(facts=facts), entry(**asked)) == ()


def test_entries_come_in_the_order_of_the_file_and_say_where_they_stand() -> None:
    found = fits(a_step(), entry(3), entry(5, regions=("us-*",)), entry(8))
    assert [fit.place for fit in found] == ["mode (rules.yaml line 3)", "mode (rules.yaml line 8)"]


def test_other_rules_in_force_are_asked_from_the_next_step_on() -> None:
    rules = GuardRules(modes=(entry(accounts=("111122223333",)),))
    entries: Entries[ModeEntry] = Entries(lambda: rules, "mode", lambda rules: rules.modes)
    assert entries.about(a_step()) == ()
    rules = GuardRules(modes=(entry(accounts=(ACCOUNT,)),))
    assert len(entries.about(a_step())) == 1
    rules = GuardRules()
    assert entries.about(a_step()) == ()


def test_the_same_rules_are_made_ready_once() -> None:
    made = []

    def section(rules: GuardRules) -> tuple[ModeEntry, ...]:
        made.append(rules)
        return rules.modes

    entries = Entries(in_force(modes=(entry(),)), "mode", section)
    assert len(entries.about(a_step())) == len(entries.about(a_step())) == len(made) == 1


def test_what_was_known_of_an_account_is_forgotten_when_it_changes() -> None:
    entries = Entries(in_force(modes=(entry(ous=("Prod",)),)), "mode", lambda rules: rules.modes)
    for ous, found in ((("Prod",), 1), (("Prod",), 1), (("Dev",), 0), (None, 1), (("Prod",), 1)):
        assert len(entries.about(a_step(facts=AccountFacts(ous=ous)))) == found


def test_ever_more_accounts_do_not_fill_the_memory_and_are_judged_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(where, "REMEMBERED", 2)
    entries = Entries(in_force(modes=(entry(ous=("Prod",)),)), "mode", lambda rules: rules.modes)
    for number in range(6):
        facts = AccountFacts(ous=("Prod",) if number % 3 else ())
        assert bool(entries.about(a_step(account=f"{number:012}", facts=facts))) is (number % 3 > 0)
    assert len(entries.in_force()._known) <= 2


def test_the_first_that_surely_fits_ends_those_that_may_decide() -> None:
    first, sure, after = Fit(entry(1), "", "nobody knows"), Fit(entry(2), ""), Fit(entry(3), "")
    assert list(deciding((first, sure, after))) == [first, sure]
    assert list(deciding((first,))) == [first]


def test_a_change_is_made_to_what_the_look_found_and_where_it_found_it() -> None:
    seen = as_seen(a_proposal(a_step(region="us-east-1"), region="eu-west-1", target_id="found"))
    assert seen.target is not None
    assert (seen.target.id, seen.target.region) == ("found", "eu-west-1")
    there = a_step(region="us-east-1")
    assert as_seen(a_proposal(there)) == there


TEXTS = st.sampled_from(("a", "b", "A", "ab", "ba"))
PATTERNS = st.lists(st.sampled_from(("a", "b", "A", "a*", "*b", "?", "[ab]", "[!a]*")), max_size=3).map(tuple)
TAG_PATTERNS = st.lists(st.tuples(TEXTS, PATTERNS.filter(bool)), max_size=2).map(tuple)
WHERES = st.builds(
    Where, ous=PATTERNS, account_tags=TAG_PATTERNS, regions=PATTERNS, bots=PATTERNS, accounts=PATTERNS
)
FACTS = st.builds(
    AccountFacts,
    ous=st.none() | st.lists(TEXTS, max_size=3).map(tuple),
    tags=st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3),
)


def _any(patterns: tuple[str, ...], *values: str) -> bool:
    return any(fnmatch.fnmatchcase(value, pattern) for value in values for pattern in patterns)


def _tagged(wanted: TagPatterns, tags: dict[str, str]) -> bool:
    return all(
        any(key.casefold() == name.casefold() and _any(patterns, value) for name, value in tags.items())
        for key, patterns in wanted
    )


def _by_hand(where: Where, step: Step) -> bool | None:
    """Whether it fits, as slowly and plainly as can be; None: nobody knows."""
    assert step.bot is not None
    assert step.target is not None
    facts = step.facts
    answers = [
        not where.accounts or _any(where.accounts, step.finding.account_id),
        not where.bots or _any(where.bots, step.bot.name),
        not where.regions or _any(tuple(map(str.casefold, where.regions)), step.target.region.casefold()),
        not where.ous or (None if facts.ous is None else _any(where.ous, *facts.ous)),
        not where.account_tags
        or (None if facts.tags is None else _tagged(where.account_tags, dict(facts.tags))),
    ]
    if False in answers:
        return False
    return None if None in answers else True


@given(st.lists(WHERES, max_size=6), FACTS, TEXTS, TEXTS, TEXTS)
def test_whatever_entries_ask_the_answer_is_as_by_hand(
    wheres: list[Where], facts: AccountFacts, account: str, region: str, bot: str
) -> None:
    step = a_step(account=account, region=region, facts=facts)
    assert step.bot is not None
    step = replace(step, bot=replace(step.bot, name=bot))
    entries = [Entry(line=number, comment="", where=where) for number, where in enumerate(wheres, 1)]
    found = Entries(in_force(), "mode", lambda _: entries).about(step)
    wanted = {each.line: _by_hand(each.where, step) for each in entries}
    assert [fit.entry.line for fit in found] == [line for line, met in wanted.items() if met is not False]
    assert all((fit.unknown == "") == (wanted[fit.entry.line] is True) for fit in found)
