"""Which bots run, which may not, and by whose word."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._catalogue import Catalogue
from hub.model import AccountFacts
from hub.rules import decide
from hub.rules.decide import Decider, Due
from hub.rules.model import Effect, Match, Rule, RuleBot, RuleSet, Trust
from tests.hub.rules.files import ACCOUNT, a_finding, decider

NOTHING_KNOWN = AccountFacts()


def decided(text: str, *actions: str, facts: AccountFacts = NOTHING_KNOWN) -> tuple[Due, ...]:
    return decider(text).decide(a_finding(*actions), facts)


def only(due: tuple[Due, ...]) -> Due:
    assert len(due) == 1
    return due[0]


def runs_at_once(due: Due) -> bool:
    return due.refusal is None and not due.needs_approval


def one_rule(trust: str, action: str, bots: str, match: str = 'rule: "*"') -> str:
    return (
        f"version: 1\ntrust_finding_actions: {trust}\nrules:\n"
        f"- {{name: the rule, comment: because, action: {action}, match: {{{match}}}, bots: {bots}}}\n"
    )


def test_without_a_file_what_is_dangerous_needs_a_person_and_all_else_runs() -> None:
    finding = a_finding("sg_delete", "s3_enable_versioning")
    delete, version = Decider(RuleSet(file=""), Catalogue()).decide(finding, NOTHING_KNOWN)
    assert (delete.action, version.action) == finding.actions
    assert (delete.refusal, version.refusal) == (None, None)
    assert delete.needs_approval == (
        "sg_delete is destructive, and no rule that matches allows it: "
        "trust_finding_actions: all (nobody wrote rules)"
    )
    assert version.needs_approval == ""


@pytest.mark.parametrize(
    ("trust", "bot", "runs", "why"),
    [
        ("all", "s3_enable_versioning", True, ""),
        ("all", "s3_block_all_public_access", True, ""),
        ("all", "ec2_stop_instance", False, "is disruptive, and no rule that matches allows it"),
        ("all", "sg_delete", False, "is destructive, and no rule that matches allows it"),
        ("listed", "s3_enable_versioning", False, "no rule that matches lists it"),
        ("none", "s3_enable_versioning", False, "only rules may"),
        ("all", "no_such_bot", True, ""),
    ],
)
def test_a_findings_own_bot_runs_as_far_as_it_is_trusted(trust: str, bot: str, runs: bool, why: str) -> None:
    due = only(decided(f"version: 1\ntrust_finding_actions: {trust}\n", bot))
    assert runs_at_once(due) is runs
    assert due.decided_by == f"trust_finding_actions: {trust} (rules.yaml line 2)"
    assert why in (due.refusal or due.needs_approval)
    assert bool(due.needs_approval) is (trust == "all" and not runs), "a person may say yes"


def test_the_stance_is_all_where_the_file_says_nothing() -> None:
    due = only(decided("version: 1\n", "s3_enable_versioning"))
    assert due.refusal is None
    assert due.decided_by == "trust_finding_actions: all (rules.yaml)"


@pytest.mark.parametrize("trust", ["all", "listed"])
@pytest.mark.parametrize(
    ("bots", "asked", "runs"),
    [
        ("[sg_delete]", "sg_delete", True),
        ("['sg_*']", "sg_delete", True),
        ("[sg_delete]", "ec2_stop_instance", False),
        ("[ec2_stop_instance]", "ec2_stop_instance", True),
        ("[s3_enable_encryption s3]", "s3_enable_encryption s3", True),
    ],
)
def test_a_bot_that_is_allowed_may_be_named_by_findings(
    trust: str, bots: str, asked: str, runs: bool
) -> None:
    due = only(decided(one_rule(trust, "allow", bots), asked))
    assert runs_at_once(due) is runs
    if runs:
        assert due.decided_by == "rule 'the rule' (rules.yaml line 4)"


def test_a_bot_that_is_allowed_with_its_parameters_is_allowed_with_no_others() -> None:
    text = one_rule("listed", "allow", "[s3_enable_encryption s3]")
    first, second = decided(text, "s3_enable_encryption s3", "s3_enable_encryption kms")
    assert runs_at_once(first)
    assert not runs_at_once(second)


def test_a_rule_adds_its_bots_behind_the_findings_own() -> None:
    text = one_rule("all", "run", "[s3_enable_encryption s3, s3_enable_versioning]")
    due = decided(text, "s3_enable_versioning")
    assert [each.action.text for each in due] == ["s3_enable_versioning", "s3_enable_encryption s3"]
    assert {each.decided_by for each in due} == {"rule 'the rule' (rules.yaml line 4)"}
    assert due[1].action.source == "remediation rule"
    [without] = decided(one_rule("none", "run", "[s3_enable_versioning]"))
    assert without.refusal is None


def test_a_rule_about_something_else_adds_nothing() -> None:
    text = one_rule("all", "run", "[s3_enable_versioning]", "accounts: 111122223333")
    assert decided(text) == ()


def test_two_rules_that_run_one_bot_run_it_once_and_the_first_is_named() -> None:
    text = """
    version: 1
    rules:
    - {name: one, comment: c, match: {rule: "*"}, bots: [s3_enable_versioning]}
    - {name: two, comment: c, match: {severity: High}, bots: [s3_enable_versioning]}
    """
    assert only(decided(text)).decided_by == "rule 'one' (rules.yaml line 4)"


def test_a_refusing_rule_names_itself_its_line_and_its_comment() -> None:
    due = only(decided(one_rule("all", "refuse", "['s3_*']"), "s3_enable_versioning"))
    assert due.refusal == "rule 'the rule' (rules.yaml line 4) refuses s3_enable_versioning: because"


def test_a_refusing_rule_that_names_no_bots_refuses_all_of_them() -> None:
    text = """
    version: 1
    rules:
    - {name: run, comment: c, match: {rule: "*"}, bots: [s3_enable_versioning]}
    - {name: hands off, comment: c, action: refuse, match: {entity: {id: data}}}
    """
    due = decided(text, "s3_enable_encryption s3", "no_such_bot")
    assert [each.action.bot for each in due] == [
        "s3_enable_encryption",
        "no_such_bot",
        "s3_enable_versioning",
    ]
    assert all("rule 'hands off' (rules.yaml line 5)" in (each.refusal or "") for each in due)


def test_findings_that_name_ever_other_bots_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "REMEMBERED", 2)
    asked = decider("version: 1\n")
    for number in range(5):
        assert only(asked.decide(a_finding(f"odd_{number}"), NOTHING_KNOWN)).refusal is None
        assert not runs_at_once(only(asked.decide(a_finding("sg_delete"), NOTHING_KNOWN)))


def test_a_bot_under_a_former_name_is_the_same_bot() -> None:
    known = Catalogue()
    alias, name = next(
        (bot.aliases[0], bot.name) for bot in map(known.bot_named, known.names()) if bot.aliases
    )
    due = only(decided(one_rule("listed", "refuse", f"[{name}]"), alias))
    assert due.refusal is not None
    assert f"refuses {name}" in due.refusal


def test_what_may_be_forbidden_in_an_ou_nobody_knows_is_refused() -> None:
    text = one_rule("all", "refuse", "[s3_enable_versioning]", "ous: Prod")
    due = only(decided(text, "s3_enable_versioning"))
    assert due.refusal is not None
    assert "could not be looked up, so it is refused" in due.refusal
    elsewhere = only(decided(text, "s3_enable_versioning", facts=AccountFacts(ous=("Dev",), tags={})))
    assert elsewhere.refusal is None


def test_what_may_be_allowed_in_an_ou_nobody_knows_is_refused_and_the_rule_is_named() -> None:
    text = one_rule("listed", "allow", "[s3_enable_versioning]", "ous: Prod")
    due = only(decided(text, "s3_enable_versioning"))
    assert due.refusal is not None
    assert "rule 'the rule' (rules.yaml line 4) asks for OUs or tags" in due.refusal
    there = only(decided(text, "s3_enable_versioning", facts=AccountFacts(ous=("Prod",), tags={})))
    assert there.refusal is None


def test_what_rules_would_run_in_an_ou_nobody_knows_is_not_run() -> None:
    text = one_rule("all", "run", "[s3_enable_versioning]", "ous: Prod")
    assert decided(text) == ()


_NAMES = ("s3_enable_versioning", "sg_delete", "ec2_stop_instance")
_MATCHES = (Match(rules=("*",)), Match(accounts=(ACCOUNT,)), Match(severities=("Low",)), Match(ous=("A",)))
_RULE = st.builds(
    lambda effect, match, names: (effect, match, tuple(dict.fromkeys(names))),
    st.sampled_from(Effect),
    st.sampled_from(_MATCHES),
    st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3),
)


def _rule_set(trust: Trust, drawn: list[tuple[Effect, Match, tuple[str, ...]]]) -> RuleSet:
    rules = (
        Rule(
            name=str(number),
            line=number,
            comment="c",
            effect=effect,
            match=match,
            bots=tuple(RuleBot(name=name, words=() if effect is Effect.RUN else None) for name in names),
        )
        for number, (effect, match, names) in enumerate(drawn)
    )
    return RuleSet(file="rules.yaml", trust=trust, rules=tuple(rules))


@given(
    st.sampled_from(Trust), st.lists(_RULE, max_size=5), st.lists(st.sampled_from(_NAMES), max_size=3),
    st.sampled_from([None, ("A",), ()]), st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_order_of_rules_changes_nothing_and_a_refusal_wins(
    trust: Trust,
    drawn: list[tuple[Effect, Match, tuple[str, ...]]],
    actions: list[str],
    ous: tuple[str, ...] | None,
    dice: random.Random,
) -> None:
    written = _rule_set(trust, drawn)
    shuffled = list(written.rules)
    dice.shuffle(shuffled)
    finding, facts = a_finding(*dict.fromkeys(actions)), AccountFacts(ous=ous, tags={})

    def runs(rules: RuleSet) -> dict[str, bool]:
        due = Decider(rules, Catalogue()).decide(finding, facts)
        assert len({each.action for each in due}) == len(due)
        assert all(each.decided_by for each in due)
        return {each.action.bot: runs_at_once(each) for each in due}

    found = runs(written)
    assert found == runs(replace(written, rules=tuple(shuffled)))
    assert set(actions) <= set(found)
    met = [_MATCHES[0], _MATCHES[1], *([_MATCHES[3]] if ous is None or "A" in ous else [])]
    for effect, match, names in drawn:
        if effect is Effect.REFUSE and match in met:
            assert not any(found.get(name) for name in names)
