"""What a writer of guards would not see happen is remarked; what may happen is not."""

from __future__ import annotations

import fnmatch
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._catalogue import Catalogue
from hub.model import AccountFacts
from hub.rules.guard_model import Where
from hub.rules.guard_remarks import covers
from hub.rules.reading import read
from tests.hub.rules.files import rules
from tests.hub.rules.guard_files import TODAY, WHERES


def remarks(guards: str, today: date = TODAY) -> tuple[str, ...]:
    found = read(f"version: 1\nguards:\n{guards}", file="rules.yaml", catalogue=Catalogue(), today=today)
    assert found.rules is not None, found.text
    return found.rules.guards.remarks


def test_an_exemption_is_over_the_day_after_its_last_and_still_works_on_it() -> None:
    text = f"  exemptions: [{{comment: a, ous: b, until: {TODAY}}}]"
    assert remarks(text) == ()
    [told] = remarks(text, TODAY + timedelta(days=1))
    assert told == "exemption (rules.yaml line 3) ended on 2026-06-01: take it out, or give it more time"


def test_what_is_over_is_known_by_the_clock_where_nobody_says_what_day_it_is() -> None:
    [told] = rules(
        "version: 1\nguards: {exemptions: [{comment: a, ous: b, until: 2001-01-01}]}"
    ).guards.remarks
    assert "ended on 2001-01-01" in told


def test_a_freeze_that_is_over_is_remarked() -> None:
    text = "  freezes: [{comment: a, from: 2026-01-01, until: 2026-05-31}]"
    assert remarks(text, date(2026, 5, 31)) == ()
    [told] = remarks(text, date(2026, 6, 1))
    assert told == "freeze (rules.yaml line 3) ended on 2026-06-01 00:00 UTC: take it out"


@pytest.mark.parametrize(
    ("guards", "hidden"),
    [
        ("  mode: [{comment: a, mode: on},\n {comment: a, mode: off, bots: s3_*}]", True),
        ("  mode: [{comment: a, mode: on, bots: s3_*},\n {comment: a, mode: off}]", False),
        ("  mode: [{comment: a, mode: on, bots: s3_*},\n {comment: a, mode: off, bots: s3_enable_versioning}]", True),
        ("  mode: [{comment: a, mode: on, ous: Prod},\n {comment: a, mode: off, ous: Prod/Payments}]", True),
        ("  mode: [{comment: a, mode: on, ous: Prod},\n {comment: a, mode: off, ous: Products}]", False),
        ("  approval: [{comment: a, risks: [disruptive, destructive]},\n {comment: a, risks: destructive}]", True),
        ("  approval: [{comment: a, risks: disruptive},\n {comment: a, risks: destructive}]", False),
        ("  flapping: [{comment: a, times: off},\n {comment: a, times: 3}]", True),
        ("  managed: [{comment: a, then: fix},\n {comment: a, by: terraform, then: report}]", True),
        ("  managed: [{comment: a, then: fix},\n {comment: a, tags: {iac: b}, then: report}]", False),
        ("  managed: [{comment: a, then: fix, by: terraform},\n {comment: a, then: report}]", False),
        ("  managed: [{comment: a, then: fix, tags: {iac: b}},\n {comment: a, by: terraform, then: report}]", False),
        ("  managed: [{comment: a, then: fix, tags: {iac: b}},\n {comment: a, then: report}]", False),
        ("  managed: [{comment: a, then: fix, by: terraform, tags: {iac: b, c: d}},\n"
         " {comment: a, by: terraform, tags: {c: d}, then: report}]", True),
        # Of these every entry counts, wherever it stands.
        ("  freezes: [{comment: a, from: 2099-01-01, until: 2099-01-02},\n"
         " {comment: a, from: 2099-01-01, until: 2099-01-02, bots: s3_*}]", False),
        ("  budgets: [{comment: a, name: b, changes: 1},\n {comment: a, name: c, changes: 2}]", False),
    ],
)  # fmt: skip
def test_an_entry_that_nothing_gets_to_is_remarked(guards: str, hidden: bool) -> None:
    section = guards.split(":", maxsplit=1)[0].strip()
    told = f"{section} (rules.yaml line 4) never decides: line 3 fits all of it and comes first"
    assert remarks(guards) == ((told,) if hidden else ())


def test_a_place_that_is_both_the_only_one_and_never_to_be_touched_is_remarked() -> None:
    never = "{comment: a, fix: never, ous: Prod}"
    [told] = remarks(f"  scope: [{never}, {never},\n {{comment: a, fix: only, ous: Prod/Web}}]")
    assert told == "scope (rules.yaml line 4) lets nothing through: line 3 says never to all of it"
    assert remarks(f"  scope: [{never},\n {{comment: a, fix: only, ous: [Prod/Web, Test]}}]") == ()


_VALUES = st.fixed_dictionaries(
    {
        "accounts": st.sampled_from(["111122223333", "222233334444"]),
        "regions": st.sampled_from(["eu-west-1", "eu-central-1", "us-east-1", "global"]),
        "bots": st.sampled_from(["s3_enable_versioning", "s3_x", "sg_delete", "x"]),
        "risks": st.sampled_from(["destructive", "additive"]),
    }
)
_FACTS = st.builds(
    AccountFacts,
    ous=st.sampled_from([(), ("Workloads",), ("Workloads", "Workloads/Prod", "ou-ab12-1"), ("Other",)]),
    tags=st.dictionaries(st.sampled_from(["team", "stage"]), st.sampled_from(["payments", "prod", "a"])),
)


def _one(patterns: tuple[str, ...], *values: str) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(value, each) for value in values for each in patterns)


def _fits(where: Where, values: dict[str, str], facts: AccountFacts) -> bool:
    tags = dict(facts.tags or {})
    return (
        all(_one(getattr(where, name), value) for name, value in values.items())
        and _one(where.ous, *(facts.ous or ()))
        and all(key in tags and _one(patterns, tags[key]) for key, patterns in where.account_tags)
    )


@given(WHERES, WHERES, _VALUES, _FACTS)
def test_what_the_wide_one_covers_it_fits(
    wide: Where, narrow: Where, values: dict[str, str], facts: AccountFacts
) -> None:
    assert covers(wide, wide)
    assert covers(Where(), narrow)
    if covers(wide, narrow) and _fits(narrow, values, facts):
        assert _fits(wide, values, facts)


@pytest.mark.parametrize(
    ("wide", "narrow", "surely"),
    [
        ("s3_*", "s3_enable_*", True), ("s3_*", "*", False), ("*", "s3_*", True), ("s3_?", "s3_*", False),
        ("s3_[ab]", "s3_a", True), ("*a*", "[ab]", False), ("s3_??", "s3_??", True), ("s3_*", "s3_?", True),
    ],
)  # fmt: skip
def test_a_pattern_covers_another_only_if_it_surely_takes_all_of_it(
    wide: str, narrow: str, surely: bool
) -> None:
    assert covers(Where(bots=(wide,)), Where(bots=(narrow,))) is surely
