"""What a set of rules says of itself: what has to be looked up of accounts before it can decide."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hub.rules.guard_model import (
    ApprovalEntry,
    Breaker,
    Budget,
    Entry,
    Exemption,
    Flap,
    Freeze,
    GuardRules,
    Managed,
    ModeEntry,
    ModeWord,
    ScopeEntry,
    Where,
    Window,
)  # fmt: skip
from hub.rules.model import RuleSet
from tests.hub.rules.files import rules

NIGHT = datetime(2026, 1, 1, tzinfo=UTC)
# One of each kind of entry, by the section it stands in.
ENTRIES: dict[str, Entry] = {
    "modes": ModeEntry(line=7, comment="c", mode=ModeWord.OFF),
    "scopes": ScopeEntry(line=7, comment="c", effect="never"),
    "exemptions": Exemption(line=7, comment="c", until=date(2026, 1, 1)),
    "windows": Window(line=7, comment="c", hours=()),
    "freezes": Freeze(line=7, comment="c", starts=NIGHT, ends=NIGHT),
    "approvals": ApprovalEntry(line=7, comment="c"),
    "budgets": Budget(line=7, comment="c", name="b"),
    "breakers": Breaker(line=7, comment="c", name="b", failures=3, pause=timedelta(hours=1)),
    "flaps": Flap(line=7, comment="c", times=5, period=timedelta(hours=1)),
    "managed": Managed(line=7, comment="c"),
}

RULE = """
version: 1
rules:
  - {name: a, comment: c, match: {rule: x}, bots: [s3_enable_versioning]}
  - {name: b, comment: c, match: {MATCH}, bots: [s3_enable_versioning]}
"""


def needs(asked: RuleSet) -> tuple[bool, bool]:
    return asked.needs_ous, asked.needs_account_tags


@pytest.mark.parametrize(
    ("match", "ous", "tags"),
    [
        ("ous: Workloads/Prod", True, False),
        ("account_tags: {stage: prod}", False, True),
        ("ous: [Dev], account_tags: {stage: prod}", True, True),
        ("accounts: '222233334444'", False, False),
    ],
)
def test_a_rule_that_asks_for_ous_or_tags_of_accounts_says_so(match: str, ous: bool, tags: bool) -> None:
    asked = rules(RULE.replace("MATCH", match))
    assert needs(asked) == (ous, tags)
    words = ["OUs"] * ous + ["tags"] * tags
    assert len(asked.remarks) == len(words)
    for word, remark in zip(words, asked.remarks, strict=True):
        assert f"rules.yaml asks for {word} of accounts, first in line 5" in remark


def test_every_section_of_guards_was_tried() -> None:
    assert set(ENTRIES) == {section.name for section in fields(GuardRules)} - {"file", "remarks"}


@pytest.mark.parametrize("section", list(ENTRIES))
def test_a_guard_that_asks_for_ous_or_tags_of_accounts_says_so(section: str) -> None:
    # An account can be exempt by a tag of its own, which is looked for where there are exemptions.
    always = section == "exemptions"
    for where, wanted in (
        (Where(), (False, always)),
        (Where(ous=("Prod",)), (True, always)),
        (Where(account_tags=(("stage", ("prod",)),)), (False, True)),
    ):
        entry = replace(ENTRIES[section], where=where)
        guards: dict[str, Any] = {section: (entry,)}
        asked = RuleSet(file="rules.yaml", guards=GuardRules(file="rules.yaml", **guards))
        assert needs(asked) == wanted
        asks = where != Where()
        assert [f"line {entry.line}" in remark for remark in asked.remarks] == [True] * asks


def test_what_guards_remark_of_themselves_is_remarked_of_the_file() -> None:
    guards = GuardRules(file="rules.yaml", remarks=("exemption (rules.yaml line 7) ended",))
    assert RuleSet(file="rules.yaml", guards=guards).remarks == guards.remarks
