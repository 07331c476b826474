"""The guards of a rules file: what is written is read, and every mistake is told with its line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from hub.rules.guard_keys import ENTRY_KEYS, SECTIONS
from hub.rules.guard_model import DEFAULT_FLAP, GuardRules, Hours, ModeWord, Where
from tests.hub.rules.files import reading, rules, told_whole
from tests.hub.rules.guard_files import GUARDS, written

GOOD = """\
version: 1
guards:
  mode:
    - mode: dry run
      comment: new to the hub
      ous: [/Workloads/Prod/, ou-ab12-11111111]
      account_tags: {stage: [prod, pre*]}
    - {mode: off, bots: "iam_*", comment: identities are not ours}
  scope:
    - {fix: only, regions: [Oregon, eu-*], comment: we are nowhere else}
    - {fix: never, accounts: 222233334444, risks: destructive, comment: payments}
  exemptions:
    - comment: audited until the new year
      until: 2099-12-31
      entity: {id: data, name: "pay-*", type: S3Bucket, tags: {team: payments}}
  windows:
    - comment: nights
      open: [Mon-Fri 22:00-06:00, Sat-Sun 00:00-24:00]
      zone: Europe/Berlin
    - {comment: mornings, open: "9:00-12:00"}
  freezes:
    - {comment: Christmas, from: 2098-12-20, until: 2099-01-04, zone: Europe/Berlin}
    - {comment: the move, from: 2098-06-01 18:00, until: 2098-06-02 06:00}
  approval:
    - comment: what hurts
      risks: [disruptive, destructive]
      approvers: arn:aws:sts::111122223333:assumed-role/Security/*
      four_eyes: false
      expires: 3d
    - {comment: the rest, bots: sg_delete}
  budgets:
    - {name: slow, comment: begin slowly, each: [bot, account], changes: 50, destructive: 2, hours: 6}
    - {name: all, comment: whatever happens, each: hub, destructive: 100}
    - {name: plain, comment: per account, changes: 500}
  breakers:
    - {name: failures, comment: look first, failures: 5, pause: 30m}
  flapping:
    - {comment: three a week, times: 3, period: 7d, regions: eu-*}
    - {comment: it may, times: off, bots: s3_*}
  managed:
    - {comment: stacks, by: cloudformation, then: report}
    - {comment: marked, tags: {iac: "*"}, then: warn}
"""


_ENTITY = '      entity: {id: data, name: "pay-*", type: S3Bucket, tags: {team: payments}}'


def guards(text: str) -> GuardRules:
    return rules(text).guards


def test_a_file_without_guards_holds_nothing_back_but_what_flaps() -> None:
    found = guards("version: 1")
    assert not any(found.sections.values())
    assert found.summary == "no guards"
    assert found.flapping == (DEFAULT_FLAP,)
    assert (DEFAULT_FLAP.times, DEFAULT_FLAP.period) == (5, timedelta(days=1))
    assert found.place("flapping", DEFAULT_FLAP) == "flapping (by default)"


def test_guards_are_read_whole() -> None:
    found = guards(GOOD)
    dry, off = found.modes
    assert (dry.line, dry.comment, dry.mode) == (4, "new to the hub", ModeWord.DRY_RUN)
    assert dry.where.ous == ("Workloads/Prod", "ou-ab12-11111111")
    assert dry.where.account_tags == (("stage", ("prod", "pre*")),)
    assert (off.mode, off.where) == (ModeWord.OFF, Where(bots=("iam_*",)))
    only, never = found.scopes
    assert (only.effect, only.where) == ("only", Where(regions=("us-west-2", "eu-*")))
    assert (never.effect, never.where) == ("never", Where(accounts=("222233334444",), risks=("destructive",)))
    [exemption] = found.exemptions
    assert (exemption.until, exemption.entity_ids, exemption.entity_names) == (
        date(2099, 12, 31), ("data",), ("pay-*",),
    )  # fmt: skip
    assert (exemption.entity_types, exemption.entity_tags) == (("S3Bucket",), (("team", ("payments",)),))
    nights, mornings = found.windows
    assert nights.hours == (
        Hours(days=(0, 1, 2, 3, 4), starts=time(22), ends=time(6)),
        Hours(days=(5, 6), starts=time(), ends=time()),
    )
    assert (nights.zone, mornings.zone) == ("Europe/Berlin", "UTC")
    assert mornings.clock is UTC
    assert str(nights.clock) == "Europe/Berlin"
    christmas, move = found.freezes
    assert (christmas.starts, christmas.ends) == (
        datetime(2098, 12, 19, 23, tzinfo=UTC), datetime(2099, 1, 4, 23, tzinfo=UTC),
    )  # fmt: skip
    assert (move.starts, move.ends) == (
        datetime(2098, 6, 1, 18, tzinfo=UTC), datetime(2098, 6, 2, 6, tzinfo=UTC),
    )  # fmt: skip
    hurts, rest = found.approvals
    assert hurts.approvers == ("arn:aws:sts::111122223333:assumed-role/Security/*",)
    assert (hurts.four_eyes, hurts.expires) == (False, timedelta(days=3))
    assert (rest.approvers, rest.four_eyes, rest.expires) == ((), True, timedelta(days=7))
    slow, everything, plain = found.budgets
    assert (slow.name, slow.each, slow.changes, slow.destructive, slow.hours) == (
        "slow", ("account", "bot"), 50, 2, 6,
    )  # fmt: skip
    assert (everything.each, everything.changes, everything.destructive) == ((), None, 100)
    assert (plain.each, plain.changes, plain.destructive, plain.hours) == (("account",), 500, None, 1)
    [breaker] = found.breakers
    assert (breaker.name, breaker.each, breaker.failures, breaker.pause) == (
        "failures", ("account", "bot"), 5, timedelta(minutes=30),
    )  # fmt: skip
    week, never_too_often, default = found.flapping
    assert (week.times, week.period) == (3, timedelta(days=7))
    assert (never_too_often.times, never_too_often.where.bots) == (None, ("s3_*",))
    assert default is DEFAULT_FLAP
    stacks, marked = found.managed
    assert (stacks.by, stacks.tags, stacks.then) == ("cloudformation", (), "report")
    assert (marked.by, marked.tags, marked.then) == (None, (("iac", ("*",)),), "warn")
    assert found.place("mode", off) == "mode (rules.yaml line 8)"
    assert found.remarks == ()
    assert found.summary == (
        "guards: 2 mode, 2 scope, 1 exemptions, 2 windows, 2 freezes, 2 approval, 3 budgets, 1 breakers, "
        "2 flapping, 2 managed"
    )


def test_a_bot_is_known_by_its_own_name_and_a_pattern_as_it_is_written() -> None:
    [entry] = guards(
        "version: 1\nguards: {mode: [{mode: off, bots: [iam_group_delete_inline_group, s3_*], comment: a}]}"
    ).modes
    assert entry.where.bots == ("iam_group_delete_inline_policy", "s3_*")


def test_all_changes_of_a_budget_may_be_destructive_ones() -> None:
    [budget] = guards(
        "version: 1\nguards: {budgets: [{name: a, comment: b, changes: 5, destructive: 5}]}"
    ).budgets
    assert (budget.changes, budget.destructive) == (5, 5)


@pytest.mark.parametrize(
    ("line", "instead", "at", "told"),
    [
        ("  mode:", "  modes:", 3, "did you mean 'mode'?"),
        ("    - {name: failures, comment: look first, failures: 5, pause: 30m}",
         "    {name: failures, comment: look first, failures: 5, pause: 30m}", 36, "must be a list"),
        ("    - mode: dry run", "    - mode: dryrun", 4, "did you mean 'dry run'?"),
        ("    - mode: dry run", "    - mode: true", 4, "there are off, dry run, on"),
        ("    - mode: dry run", "    - mode:", 4, "'mode' of the mode entry has no value"),
        ("    - mode: dry run", "    - mod: off", 4, "did you mean 'mode'?"),
        ("    - mode: dry run", "    - zone: UTC", 4, "has no mode; write off, dry run or on"),
        ("    - mode: dry run", "    - off\n    - mode: on", 4, "the mode entry is the text 'off'"),
        ("      comment: new to the hub", "", 4, "the mode entry has no comment; say why it is there"),
        ("      comment: new to the hub", "      comment: ' '", 5, "is empty"),
        ("      ous: [/Workloads/Prod/, ou-ab12-11111111]", "      ous: []", 6, "empty list"),
        ("      ous: [/Workloads/Prod/, ou-ab12-11111111]", "      ous: /", 6, "leave ous out"),
        ("      ous: [/Workloads/Prod/, ou-ab12-11111111]", "      ous: '[a'", 6, "not closed"),
        ("      account_tags: {stage: [prod, pre*]}", "      account_tags: {}", 7, "tag keys with their values"),
        ("      account_tags: {stage: [prod, pre*]}", "      accounts: 2222-3333-4444", 7, "'222233334444'?"),
        ("      account_tags: {stage: [prod, pre*]}", "      regions: eu-west-9", 7, "eu-west-9"),
        ("      account_tags: {stage: [prod, pre*]}", "      bots: s3_enable_versionig", 7, "s3_enable_versioning"),
        ("      account_tags: {stage: [prod, pre*]}", "      bots: s3-*", 7, "stands for no bot"),
        ("      account_tags: {stage: [prod, pre*]}", "      bots: '*s3_enable_versionin[x]'", 7, "did you mean"),
        ("      account_tags: {stage: [prod, pre*]}", "      bots: '[s3'", 7, "not closed"),
        ("      account_tags: {stage: [prod, pre*]}", "      bots: sg_delete now", 7, "as in 'sg_delete'"),
        ("      account_tags: {stage: [prod, pre*]}", "      risks: destructiv", 7, "did you mean 'destructive'?"),
        ("      account_tags: {stage: [prod, pre*]}", "      risks: [[]]", 7, "must be a text"),
        ("    - {fix: only, regions: [Oregon, eu-*], comment: we are nowhere else}",
         "    - {fix: onyl, regions: eu-*, comment: a}", 10, "did you mean 'only'?"),
        ("    - {fix: only, regions: [Oregon, eu-*], comment: we are nowhere else}",
         "    - {fix: never, comment: a}", 10, "does not say where"),
        ("      until: 2099-12-31", "      until: 31.12.2099", 14, "did you mean '2099-12-31'?"),
        ("      until: 2099-12-31", "      until: [2099-12-31, 2098-12-31]", 14, "must be a text"),
        ("      until: 2099-12-31", "      risks: destructive", 13, "say on which day it ends"),
        (_ENTITY, "", 13, "what is exempt"),
        (_ENTITY, "      entity: {}", 15, "is empty"),
        (_ENTITY, "      entity: {nam: a}", 15, "did you mean 'name'?"),
        ("      open: [Mon-Fri 22:00-06:00, Sat-Sun 00:00-24:00]", "", 17, "say when changes may be made"),
        ("      open: [Mon-Fri 22:00-06:00, Sat-Sun 00:00-24:00]", "      open: [Mun 22:00-06:00]", 18, "'Mun'"),
        ("      open: [Mon-Fri 22:00-06:00, Sat-Sun 00:00-24:00]", "      open: []", 18, "empty list"),
        ("      zone: Europe/Berlin", "      zone: Berlin", 19, "did you mean 'Europe/Berlin'?"),
        ("    - {comment: the move, from: 2098-06-01 18:00, until: 2098-06-02 06:00}",
         "    - {comment: the move, from: 2098-06-03, until: 2098-06-02}", 23, "ends before it begins"),
        ("    - {comment: the move, from: 2098-06-01 18:00, until: 2098-06-02 06:00}",
         "    - {comment: the move, from: 2098-06-01}", 23, "say when it ends"),
        ("    - {comment: the move, from: 2098-06-01 18:00, until: 2098-06-02 06:00}",
         "    - {comment: the move, until: tomorrow, from: 2098-06-01}", 23, "'tomorrow'"),
        ("      approvers: arn:aws:sts::111122223333:assumed-role/Security/*", "      approvers: ada", 27, "is no ARN"),
        ("      four_eyes: false", "      four_eyes: 4", 28, "there are true, false"),
        ("      expires: 3d", "      expires: 3 days", 29, "did you mean '3d'?"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: Slow, comment: per account, changes: 500}", 34, "so is the one in line 32"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {comment: per account, changes: 500}", 34, "counted under its name"),
        ("    - {name: plain, comment: per account, changes: 500}",
         f"    - {{name: {'a' * 101}, comment: per account, changes: 500}}", 34, "at most 100"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: per account}", 34, "budget 'plain' has no limit"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: per account, changes: 0}", 34, "write 'fix: never' under scope"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: per account, changes: 2000000}", 34, "from 1 to 1000000"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: per account, changes: 1.5}", 34, "a whole number"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: a, changes: 5, destructive: 6}", 34, "6 destructive changes of 5"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: a, changes: 5, hours: 5}", 34, "1, 2, 3, 4, 6, 8, 12, 24"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: a, changes: 5, hours: 48}", 34, "from 1 to 24"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: a, changes: 5, each: acount}", 34, "did you mean 'account'?"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: a, changes: 5, each: [bot, bot]}", 34, "the same twice"),
        ("    - {name: plain, comment: per account, changes: 500}",
         "    - {name: plain, comment: a, changes: 5, each: [hub, bot]}", 34, "write 'each: hub' alone"),
        ("    - {name: failures, comment: look first, failures: 5, pause: 30m}",
         "    - {name: failures, comment: look first, pause: 30m}", 36, "after how many in a row"),
        ("    - {name: failures, comment: look first, failures: 5, pause: 30m}",
         "    - {name: failures, comment: look first, failures: 5}", 36, "for how long"),
        ("    - {comment: it may, times: off, bots: s3_*}", "    - {comment: it may, times: 0}", 39, "or off"),
        ("    - {comment: it may, times: off, bots: s3_*}", "    - {comment: it may}", 39, "how often is too often"),
        ("    - {comment: it may, times: off, bots: s3_*}",
         "    - {comment: it may, times: off, period: 7d}", 39, "leave the period out"),
        ("    - {comment: it may, times: off, bots: s3_*}",
         "    - {comment: it may, times: 3, period: 400d}", 39, "longer than a year"),
        ("    - {comment: marked, tags: {iac: \"*\"}, then: warn}",
         "    - {comment: marked, by: teraform, then: warn}", 42, "did you mean 'terraform'?"),
        ("    - {comment: marked, tags: {iac: \"*\"}, then: warn}",
         "    - {comment: marked, tags: {iac: \"*\"}}", 42, "write fix, warn"),
        ("    - {comment: marked, tags: {iac: \"*\"}, then: warn}",
         "    - {comment: marked, tags: [iac], then: warn}", 42, "tag keys with their values"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_was_meant(
    line: str, instead: str, at: int, told: str
) -> None:
    assert f"{line}\n" in GOOD
    found = reading(GOOD.replace(f"{line}\n", f"{instead}\n" if instead else "\n"))
    assert found.rules is None
    assert any(each.line == at and told in each.text for each in found.mistakes), found.text


def test_all_mistakes_are_told_at_once_and_each_once() -> None:
    found = reading(
        """\
        version: 1
        guards:
          mode: [{mode: of}]
          windows: [{comment: a, open: x, zone: y}]
          budgets: [{comment: a, name: }]
        """
    )
    assert [(each.line, each.wrong) for each in found.mistakes] == [
        (3, "mode of the mode entry cannot be 'of'"),
        (3, "the mode entry has no comment"),
        (4, "open of the window: 'x' is not understood as days and hours"),
        (4, "zone of the window: there is no time zone 'y'"),
        (5, "'name' of the budget has no value"),
        (5, "the budget has no limit"),
    ]


@given(GUARDS)
def test_what_is_written_comes_back(wanted: GuardRules) -> None:
    text = yaml.safe_dump({"version": 1, "guards": written(wanted)}, sort_keys=False)
    found = guards(text)
    assert all(entry.line > 1 for entries in found.sections.values() for entry in entries)
    assert _without_lines(found) == wanted


def _without_lines(rules: GuardRules) -> GuardRules:
    same: dict[str, Any] = {
        name: tuple(replace(entry, line=1) for entry in getattr(rules, name))
        for name in (
            "modes", "scopes", "exemptions", "windows", "freezes", "approvals", "budgets", "breakers", "flaps",
            "managed",
        )
    }  # fmt: skip
    return replace(rules, **same)


_KEYS = st.sampled_from(
    sorted({*SECTIONS, *ENTRY_KEYS, *(key for each in SECTIONS.values() for key in each.keys)})
)
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.datetimes(), st.text(max_size=8), _KEYS,
    st.sampled_from([
        "off", "dry run", "never", "hub", "3d", "2026-12-31", "Mon 22:00-06:00", "Europe/Berlin", "s3_*", "[",
        "destructive", "arn:aws:iam::111122223333:root", "222233334444", "report", "terraform", "sg_delete",
    ]),
)  # fmt: skip
_ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_KEYS, inner, max_size=6),
        st.dictionaries(_LEAVES, inner, max_size=2),
    ),
    max_leaves=10,
)
_ENTRIES = st.lists(st.dictionaries(_KEYS, _ANYTHING, max_size=6), max_size=2)


@given(st.one_of(_ANYTHING, st.dictionaries(st.sampled_from(list(SECTIONS)), _ENTRIES, max_size=2)))
def test_whatever_stands_under_guards_it_is_read_or_told(value: Any) -> None:
    told_whole(yaml.safe_dump({"version": 1, "guards": value}, allow_unicode=True))


@example("\r0", 1652, 40)
@given(st.text(max_size=40), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_whatever_is_typed_into_good_guards_it_is_read_or_told(typed: str, at: int, gone: int) -> None:
    told_whole(GOOD[:at] + typed + GOOD[at + gone :])
