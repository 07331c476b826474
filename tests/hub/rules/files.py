"""Rules files and findings as tests write them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from bots._catalogue import Catalogue
from hub.model import Action, Finding
from hub.rules.decide import Decider
from hub.rules.model import RuleSet
from hub.rules.reading import Reading, read

CATALOGUE = Catalogue()
ACCOUNT = "222233334444"
FILE = "rules.yaml"


def reading(text: str) -> Reading:
    return read(dedent(text), file=FILE, catalogue=CATALOGUE)


def rules(text: str) -> RuleSet:
    """The rules of a text that has no mistakes."""
    found = reading(text)
    assert found.rules is not None, found.text
    return found.rules


def decider(text: str) -> Decider:
    return Decider(rules(text), CATALOGUE)


def everything_allowed(folder: Path) -> str:
    """The path of a file that lets findings name every bot, as for tests of what bots do."""
    file = folder / "everything-allowed.yaml"
    file.write_text(
        'version: 1\nrules:\n- {name: all, comment: a test, action: allow, match: {rule: "*"}, bots: ["*"]}\n'
    )
    return str(file)


def a_finding(*actions: str, **more: Any) -> Finding:
    """A finding about a bucket, naming these bots."""
    asked = tuple(Action(bot=words[0], args=tuple(words[1:])) for words in map(str.split, actions))
    given: dict[str, Any] = {
        "dialect": "cloudguard",
        "occurrence": "o",
        "key": "k",
        "passed": False,
        "account_id": ACCOUNT,
        "vendor": "AWS",
        "rule": "Versioned buckets",
        "rule_id": "D9.AWS.1",
        "ruleset": "CIS AWS",
        "severity": "High",
        "region": "us_west_2",
        "entity": {"id": "data", "name": "Data", "type": "S3Bucket", "tags": {"Env": "prod"}},
        "actions": asked,
    }
    return Finding(**(given | more))
