"""Which rules a finding meets: what the index says is what trying rule by rule says."""

from __future__ import annotations

import fnmatch
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model import AccountFacts, Finding
from hub.rules import matching, properties
from hub.rules.guard_model import Patterns
from hub.rules.matching import Matcher
from hub.rules.model import Effect, Match, Rule
from tests.hub.rules.files import a_finding, rules

NOTHING_KNOWN = AccountFacts()


def matches(match: str, finding: Finding | None = None, facts: AccountFacts = NOTHING_KNOWN) -> bool:
    text = (
        f"version: 1\nrules:\n- {{name: a, comment: b, bots: [s3_enable_versioning], match: {{{match}}}}}\n"
    )
    return bool(Matcher(rules(text).rules).matching(finding or a_finding(), facts).rules)


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ("rule: Versioned buckets", True), ("rule: versioned BUCKETS", True), ("rule: d9.aws.1", True),
        ("rule: Versioned", False), ("rule: 'Versioned*'", True), ("rule: 'D9.AWS.[0-4]'", True),
        ("rule: 'D9.AWS.[!1]'", False), ("rule: [x, 'D9.AWS.?']", True), ("rule: '[[]*'", False),
        ("ruleset: cis aws", True), ("ruleset: PCI", False),
        ("accounts: 222233334444", True), ("accounts: [111122223333]", False),
        ("regions: us-west-2", True), ("regions: Oregon", True), ("regions: 'US-*'", True),
        ("regions: eu-west-1", False), ("regions: global", False),
        ("severity: high", True), ("severity: [Low, Medium]", False),
        ("entity: {id: data}", True), ("entity: {id: Data}", False), ("entity: {name: Data}", True),
        ("entity: {name: data}", False), ("entity: {type: s3bucket}", True), ("entity: {type: S3}", False),
        ("entity: {tags: {env: prod}}", True), ("entity: {tags: {Env: 'p*'}}", True),
        ("entity: {tags: {env: PROD}}", False), ("entity: {tags: {env: prod, team: a}}", False),
        ("rule: Versioned buckets, severity: High, accounts: 222233334444, entity: {id: 'd*'}", True),
        ("rule: Versioned buckets, severity: Low, accounts: 222233334444, entity: {id: 'd*'}", False),
        ("ous: Workloads", False), ("account_tags: {stage: prod}", False),
    ],
)  # fmt: skip
def test_everything_that_is_given_must_be_met(match: str, met: bool) -> None:
    assert matches(match) is met


@pytest.mark.parametrize("region", ["", "global", "Global"])
def test_a_finding_without_a_region_is_global(region: str) -> None:
    assert matches("regions: global", a_finding(region=region))


def test_a_region_nobody_knows_is_met_by_patterns_only() -> None:
    finding = a_finding(region="atlantis-1")
    assert matches("regions: 'atlantis-*'", finding)
    assert not matches("regions: global", finding)


def test_ever_other_values_do_not_fill_the_memory_and_match_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matching, "REMEMBERED", 2)
    monkeypatch.setattr(properties, "REMEMBERED", 2)
    text = "version: 1\nrules:\n- {name: a, comment: b, action: refuse, match: {rule: '*1', regions: 'x*'}}\n"
    matcher = Matcher(rules(text).rules)
    for number in range(12):
        for region in ("x", f"x{number}", "y"):
            finding = a_finding(rule=f"rule {number}", rule_id="", region=region)
            met = matcher.matching(finding, NOTHING_KNOWN).rules
            assert bool(met) is (number in (1, 11) and region != "y")


def test_a_value_too_long_to_be_remembered_matches_all_the_same() -> None:
    assert matches("rule: 'a*z'", a_finding(rule=f"a{'b' * 1000}z"))


def test_tags_are_known_however_the_scanner_writes_them() -> None:
    entity = {"id": "data", "tags": [{"key": "a", "value": "b"}, {"Key": "env", "Value": "prod"}]}
    assert matches("entity: {tags: {env: prod}}", a_finding(entity=entity))


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ("ous: Workloads", True), ("ous: Workloads/Prod", True), ("ous: '*/Prod'", True), ("ous: ou-ab12-cd", True),
        ("ous: Prod", False), ("ous: workloads", False), ("account_tags: {stage: 'p*'}", True),
        ("account_tags: {STAGE: prod}", True), ("account_tags: {stage: dev}", False),
        ("account_tags: {stage: prod}, ous: Sandbox", False),
    ],
)  # fmt: skip
def test_what_is_known_of_the_account_counts(match: str, met: bool) -> None:
    facts = AccountFacts(ous=("Workloads", "Workloads/Prod", "ou-ab12-cd"), tags={"stage": "prod"})
    assert matches(match, facts=facts) is met


def test_a_rule_that_asks_for_what_is_not_known_is_unsure_where_all_else_fits() -> None:
    text = """
    version: 1
    rules:
    - {name: fits, comment: b, bots: [s3_enable_versioning], match: {ous: A, rule: "*"}}
    - {name: other rule, comment: b, bots: [s3_enable_versioning], match: {ous: A, rule: other}}
    - {name: tags, comment: b, bots: [s3_enable_versioning], match: {account_tags: {a: b}}}
    - {name: sure, comment: b, bots: [s3_enable_versioning], match: {rule: "*"}}
    """
    matched = Matcher(rules(text).rules).matching(a_finding(), NOTHING_KNOWN)
    assert [rule.name for rule in matched.rules] == ["sure"]
    assert [rule.name for rule in matched.unsure] == ["fits", "tags"]


_WORD = st.text("abAB", max_size=3)
_PATTERN = st.one_of(
    st.text("abAB", min_size=1, max_size=3), st.text("abA*?", min_size=1, max_size=4), st.just("[ab]*")
)
_PATTERNS = st.lists(_PATTERN, max_size=2).map(tuple)
_SOME_PATTERNS = st.lists(_PATTERN, min_size=1, max_size=2).map(tuple)
_TAGS = st.lists(st.tuples(st.sampled_from("kKl"), _SOME_PATTERNS), max_size=2).map(tuple)
_MATCH = st.builds(
    Match,
    rulesets=_PATTERNS, rules=_PATTERNS, accounts=_PATTERNS, ous=_PATTERNS, account_tags=_TAGS,
    regions=_PATTERNS, entity_ids=_PATTERNS, entity_names=_PATTERNS, entity_types=_PATTERNS,
    entity_tags=_TAGS, severities=_PATTERNS,
)  # fmt: skip
_TAG_VALUES = st.dictionaries(st.sampled_from("kKl"), _WORD, max_size=2)
_FACTS = st.builds(
    AccountFacts,
    ous=st.one_of(st.none(), st.lists(_WORD, max_size=2).map(tuple)),
    tags=st.one_of(st.none(), _TAG_VALUES),
)
_ENTITY = st.fixed_dictionaries({}, optional={"id": _WORD, "name": _WORD, "type": _WORD, "tags": _TAG_VALUES})
_FINDING = st.builds(
    lambda account_id, rule, rule_id, ruleset, severity, region, entity: a_finding(
        account_id=account_id,
        rule=rule,
        rule_id=rule_id,
        ruleset=ruleset,
        severity=severity,
        region=region,
        entity=entity,
    ),
    _WORD, _WORD, _WORD, _WORD, _WORD, st.sampled_from(["a", "ab", "b"]), _ENTITY,
)  # fmt: skip


def _one(patterns: Patterns, *values: str, folded: bool = False) -> bool:
    if folded:
        patterns, values = tuple(map(str.casefold, patterns)), tuple(map(str.casefold, values))
    return not patterns or any(fnmatch.fnmatchcase(value, each) for value in values for each in patterns)


def _tagged(asked: tuple[tuple[str, Patterns], ...], found: dict[str, str]) -> bool:
    return all(
        any(key.casefold() == name.casefold() and _one(patterns, value) for name, value in found.items())
        for key, patterns in asked
    )


def _meets(match: Match, finding: Finding, facts: AccountFacts) -> bool:
    entity = finding.entity
    return (
        _one(match.accounts, finding.account_id)
        and _one(match.rules, finding.rule, finding.rule_id, folded=True)
        and _one(match.rulesets, finding.ruleset, folded=True)
        and _one(match.regions, finding.region, folded=True)
        and _one(match.severities, finding.severity, folded=True)
        and _one(match.entity_ids, entity.get("id", ""))
        and _one(match.entity_names, entity.get("name", ""))
        and _one(match.entity_types, entity.get("type", ""), folded=True)
        and _tagged(match.entity_tags, entity.get("tags", {}))
        and (facts.ous is None or _one(match.ous, *facts.ous))
        and (facts.tags is None or _tagged(match.account_tags, dict(facts.tags)))
    )


@given(st.lists(_MATCH, max_size=6), st.lists(st.tuples(_FINDING, _FACTS), min_size=1, max_size=4))
def test_the_index_says_what_trying_rule_by_rule_says(
    asked: list[Match], told: list[tuple[Finding, AccountFacts]]
) -> None:
    every = [
        Rule(name=str(number), line=number, comment="c", effect=Effect.REFUSE, match=match, bots=None)
        for number, match in enumerate(asked)
    ]
    matcher = Matcher(every)
    # Twice, because the second time it is remembered.
    for finding, facts in told * 2:
        met = [rule for rule in every if _meets(rule.match, finding, facts)]
        unsure = [
            rule
            for rule in met
            if (rule.match.ous and facts.ous is None) or (rule.match.account_tags and facts.tags is None)
        ]
        matched = matcher.matching(replace(finding), facts)
        assert list(matched.unsure) == unsure
        assert list(matched.rules) == [rule for rule in met if rule not in unsure]
