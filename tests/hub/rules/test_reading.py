"""Every mistake in a rules file is told with its line, and whatever a file holds, it is told and never thrown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from hub.rules import nodes
from hub.rules import reading as reading_of_files
from hub.rules.model import Effect, RuleBot, Trust
from hub.rules.reading import FILE_KEYS, MATCH_KEYS, RULE_KEYS
from hub.rules.values import ENTITY_KEYS
from tests.hub.rules.files import reading, rules, told_whole

GOOD = """\
version: 1
trust_finding_actions: listed
rules:
  - name: versioned
    comment: production keeps versions
    match:
      ruleset: CIS*
      rule: [Versioned buckets, D9.AWS.1]
      accounts: ["222233334444", "012345678901"]
      ous: [/Workloads/Prod/]
      account_tags: {stage: [prod, pre*]}
      regions: [Oregon, eu-*, global]
      entity: {id: data, name: "[a-d]*", type: S3Bucket, tags: {env: prod}}
      severity: [High, critical]
    bots: [s3_enable_versioning, s3_enable_encryption s3]
  - name: groups may go
    comment: agreed with networks
    action: allow
    match: {rule: "*"}
    bots: [sg_delete, sg_*]
  - name: hands off
    comment: the audit runs
    action: refuse
    match: {accounts: 222233334444}
"""


def test_the_example_of_the_page_has_no_mistake() -> None:
    page = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(rules(example).rules) == 4


def test_a_file_is_read_whole() -> None:
    found = rules(GOOD)
    assert (found.trust, found.trust_line) == (Trust.LISTED, 2)
    versioned, groups, hands_off = found.rules
    assert [rule.line for rule in found.rules] == [4, 16, 21]
    assert versioned.effect is Effect.RUN
    assert versioned.match.regions == ("us-west-2", "eu-*", "global")
    assert versioned.match.ous == ("Workloads/Prod",)
    assert versioned.match.account_tags == (("stage", ("prod", "pre*")),)
    assert versioned.match.accounts == ("222233334444", "012345678901")
    assert versioned.bots == (
        RuleBot(name="s3_enable_versioning", words=()),
        RuleBot(name="s3_enable_encryption", words=("s3",)),
    )
    assert groups.bots is not None
    assert RuleBot(name="sg_single_rule_delete") in groups.bots
    assert hands_off.bots is None
    assert hands_off.match.accounts == ("222233334444",)


@pytest.mark.parametrize(
    ("line", "instead", "at", "told"),
    [
        ("version: 1", "verion: 1", 1, "did you mean 'version'?"),
        ("version: 1", "version: 3", 1, "write 'version: 1'"),
        ("version: 1", "version: [1]", 1, "must be a text"),
        ("    action: refuse", "    action: []", 23, "must be a text"),
        ("      ruleset: CIS*", f"      ruleset: {'a' * 501}", 7, "longer than 500"),
        ("    bots: [sg_delete, sg_*]", "    bots: ['[sg']", 20, "not closed"),
        ("version: 1", "", 2, "has no version"),
        ("trust_finding_actions: listed", "trust_finding_actions: lsted", 2, "did you mean 'listed'?"),
        ("trust_finding_actions: listed", "trust_finding_actions: none", 18, "allows what findings name"),
        ("  - name: versioned", "  - nam: versioned", 4, "did you mean 'name'?"),
        ("  - name: groups may go", "  - name: Versioned", 16, "already, in line 4"),
        ("    comment: production keeps versions", "", 4, "has no comment"),
        ("    comment: production keeps versions", "    comment:", 5, "has no value"),
        ("    comment: production keeps versions", "    comment: ' '", 5, "is empty"),
        ("    comment: the audit runs", "    name: again", 22, "'name' twice, first in line 21"),
        ("    action: refuse", "    action: refues", 23, "did you mean 'refuse'?"),
        ("    action: refuse", "", 21, "names no bots"),
        ("    match: {accounts: 222233334444}", "", 21, "has no match"),
        ("    match: {accounts: 222233334444}", "    match: {}", 24, "is empty"),
        ("    match: {accounts: 222233334444}", "    match: {entity: {}}", 24, "give one of id, name"),
        ("    match: {accounts: 222233334444}", "    match: {ous: /}", 24, "leave ous out"),
        (
            "    match: {accounts: 222233334444}",
            "    match: {accounts: 2222-3333-4444}",
            24,
            "'222233334444'?",
        ),
        ("    match: {accounts: 222233334444}", "    match: {accounts: 12345678901}", 24, "'012345678901'"),
        ("    match: {accounts: 222233334444}", "    match: {accounts: '2222*'}", 24, "use ous"),
        ("    match: {accounts: 222233334444}", "    match: {accounts: []}", 24, "empty list"),
        ("    match: {accounts: 222233334444}", "    match: {acounts: []}", 24, "did you mean 'accounts'?"),
        ("      ruleset: CIS*", "      ruleset: '[a-'", 7, "not closed"),
        ("      ruleset: CIS*", "      ruleset: '*a*a*a*a*a*a*a*a*a*'", 7, "more than 8 stars"),
        ("      regions: [Oregon, eu-*, global]", "      regions: us-west-9", 12, "us-west-9"),
        ("      account_tags: {stage: [prod, pre*]}", "      account_tags: prod", 11, "tag keys"),
        ("      severity: [High, critical]", "      severity: {a: b}", 14, "must be a text"),
        ("    bots: [sg_delete, sg_*]", "    bots: sg_delete", 20, "must be a list"),
        ("    bots: [sg_delete, sg_*]", "    bots: []", 20, "empty list"),
        ("    bots: [sg_delete, sg_*]", "    bots: [sg_delte]", 20, "did you mean sg_delete"),
        ("    bots: [sg_delete, sg_*]", "    bots: [sgg_*]", 20, "stands for no bot"),
        ("    bots: [sg_delete, sg_*]", "    bots: [sg_* split]", 20, "has parameters"),
        ("    bots: [sg_delete, sg_*]", "    bots: [{bot: sg_delete, allow: true}]", 20, "leave allow out"),
        ("    bots: [sg_delete, sg_*]", "    bots: [{allow: true}]", 20, "has no name"),
        ("    bots: [sg_delete, sg_*]", "    bots: [s3_enable_encryption rot13]", 20, "rot13"),
        ("    bots: [sg_delete, sg_*]", "    bots: [sg_delete", 21, "not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_meant(
    line: str, instead: str, at: int, told: str
) -> None:
    assert f"{line}\n" in GOOD
    found = reading(GOOD.replace(f"{line}\n", f"{instead}\n" if instead else "\n"))
    assert found.rules is None
    assert any(each.line == at and told in each.text for each in found.mistakes), found.text
    assert f"rules.yaml:{at}: " in found.text


@pytest.mark.parametrize(
    ("bots", "told"),
    [
        ("[sg_delete]", "allow: true}"),
        ("[{bot: sg_delete, allow: false}]", "allow: true}"),
        ("[{bot: sg_delete, allow: maybe}]", "write true or false"),
        ("['s3_*']", "name each bot that is to be run"),
        ("[s3_enable_versioning suspended]", "one too many"),
        ("[s3_enable_encryption]", "encryption_type"),
    ],
)
def test_what_a_rule_runs_must_be_said_exactly(bots: str, told: str) -> None:
    text = f"version: 1\nrules:\n- {{name: a, comment: b, match: {{rule: c}}, bots: {bots}}}\n"
    found = reading(text)
    assert found.rules is None
    assert told in found.text


def test_a_destructive_bot_is_run_by_a_rule_that_allows_it() -> None:
    bots = "[{bot: sg_delete, allow: true}, {bot: s3_enable_versioning}]"
    text = f"version: 1\nrules:\n- {{name: a, comment: b, match: {{rule: c}}, bots: {bots}}}\n"
    [rule] = rules(text).rules
    assert rule.bots == (
        RuleBot(name="sg_delete", words=()),
        RuleBot(name="s3_enable_versioning", words=()),
    )


@pytest.mark.parametrize(
    "text", ["", "# nothing", "~", "- a", "word", "a: b\n---\nc: d", "a: \x07", "*a", "[" * 9999]
)
def test_what_is_no_rules_file_is_told(text: str) -> None:
    found = reading(text)
    assert found.rules is None
    assert found.mistakes


@pytest.mark.parametrize("text", ["[" * 9999, "a: \x07", "a: [b", "a: b\n---\nc: d", "*a"])
def test_what_is_no_yaml_is_told_by_a_python_without_libyaml(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)
    [told] = reading(text).mistakes
    assert told.line >= 1
    assert told.wrong


def test_rules_are_the_same_by_a_python_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    here = rules(GOOD)
    monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)
    assert rules(GOOD) == here


def test_a_file_of_any_size_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_of_files, "MAX_BYTES", len(GOOD) - 1)
    [told] = reading(GOOD).mistakes
    assert "name accounts by their OUs" in told.meant


_KEYS = st.sampled_from([*FILE_KEYS, *RULE_KEYS, *MATCH_KEYS, *ENTITY_KEYS, "bot", "allow", "odd"])
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), _KEYS,
    st.sampled_from(["1", "run", "refuse", "s3_*", "sg_delete", "s3_enable_versioning", "[", "us-west-2"]),
)  # fmt: skip
_ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_KEYS, inner, max_size=5),
        st.dictionaries(st.one_of(_LEAVES, st.just(())), inner, max_size=2),
    ),
    max_leaves=25,
)


@given(
    st.one_of(
        _ANYTHING, st.fixed_dictionaries({"version": st.just(1), "rules": st.lists(_ANYTHING, max_size=3)})
    )
)
def test_whatever_yaml_holds_it_is_rules_or_mistakes(value: Any) -> None:
    told_whole(yaml.safe_dump(value, allow_unicode=True))


@example("\r0", 710, 26)
@given(st.text(max_size=60), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_whatever_is_typed_into_a_good_file_it_is_rules_or_mistakes(typed: str, at: int, gone: int) -> None:
    told_whole(GOOD[:at] + typed + GOOD[at + gone :])
