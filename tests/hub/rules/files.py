"""Rules files and findings as tests write them."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

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


# YAML ends lines at other signs, too, and mistakes are told by its lines.
_LINE_ENDS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def told_whole(text: str) -> None:
    """Whatever the text is, it is rules or mistakes, each with a line of it and in their order."""
    found = reading(text)
    assert (found.rules is None) == bool(found.mistakes)
    # A file that ends too early is told at its end, which is the line after the last.
    lines = len(_LINE_ENDS.findall(text)) + 2
    assert all(1 <= each.line <= lines for each in found.mistakes)
    assert list(found.mistakes) == sorted(found.mistakes)
    assert all(each.wrong for each in found.mistakes)


def rules(text: str) -> RuleSet:
    """The rules of a text that has no mistakes."""
    found = reading(text)
    assert found.rules is not None, found.text
    return found.rules


class _Yaml12(yaml.SafeLoader):
    """YAML as editors and their schemas read it: dates, ``on`` and ``off`` are texts."""


_Yaml12.yaml_implicit_resolvers = {
    sign: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp"
        and not (tag == "tag:yaml.org,2002:bool" and sign.lower() in "yno")
    ]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def as_editors_see(text: str) -> Any:
    """A file that has account ids in quotes or in want of them."""
    return yaml.load(re.sub(r"(?<=[ \[])([0-9]{12})(?=[],}\n])", r'"\1"', text), Loader=_Yaml12)


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
