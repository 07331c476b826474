"""The JSON Schema says of guards what the hub says."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given

from hub.rules.guard_keys import ENTRY_KEYS, SECTIONS
from hub.rules.guard_model import GuardRules
from hub.rules.guard_schema import ABOUT, KEYS_ABOUT
from hub.rules.schema import schema
from tests.hub.rules.files import CATALOGUE, as_editors_see, reading
from tests.hub.rules.guard_files import GUARDS, written
from tests.hub.rules.test_guard_reading import GOOD

SCHEMA = schema(CATALOGUE)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
GUARDS_SCHEMA = SCHEMA["properties"]["guards"]


def accepts(value: Any) -> bool:
    return bool(VALIDATOR.is_valid(value))


def good() -> Any:
    return as_editors_see(GOOD)


def test_it_takes_good_guards() -> None:
    assert list(VALIDATOR.iter_errors(good())) == []


def test_it_knows_every_key_that_is_read_and_says_what_it_means() -> None:
    assert set(GUARDS_SCHEMA["properties"]) == set(SECTIONS) == set(ABOUT)
    told: set[str] = set()
    for name, section in SECTIONS.items():
        entry = GUARDS_SCHEMA["properties"][name]["items"]
        assert set(entry["properties"]) == {*ENTRY_KEYS, *section.keys}
        assert set(entry["required"]) == {"comment", *section.needed}
        assert entry["additionalProperties"] is False
        assert all(each.get("description") or key == "mode" for key, each in entry["properties"].items()), (
            name
        )
        told |= set(entry["properties"])
    assert set(KEYS_ABOUT) <= told


@given(GUARDS)
def test_what_the_hub_reads_it_takes(rules: GuardRules) -> None:
    assert list(VALIDATOR.iter_errors({"version": 1, "guards": written(rules)})) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("odd",), []),
        (("mode",), {"mode": "off"}),
        (("mode", 0, "mode"), "maybe"),
        (("mode", 0, "comment"), None),
        (("mode", 0, "ous"), []),
        (("mode", 0, "accounts"), "2222"),
        (("mode", 0, "risks"), ["high"]),
        (("mode", 0, "bots"), ""),
        (("mode", 0, "account_tags"), {}),
        (("mode", 0, "until"), "2026-12-31"),
        (("scope", 0, "fix"), "often"),
        (("scope", 0), {"fix": "only", "comment": "a"}),
        (("exemptions", 0, "until"), "31.12.2026"),
        (("exemptions", 0, "entity"), {}),
        (("exemptions", 0, "entity", "odd"), "a"),
        (("exemptions", 0), {"comment": "a", "until": "2026-12-31"}),
        (("windows", 0, "open"), []),
        (("windows", 1), {"comment": "a"}),
        (("freezes", 0, "from"), "soon"),
        (("freezes", 0), {"comment": "a", "from": "2026-12-31"}),
        (("approval", 0, "approvers"), "ada"),
        (("approval", 0, "four_eyes"), "maybe"),
        (("approval", 0, "expires"), "3 days"),
        (("budgets", 0, "each"), "acount"),
        (("budgets", 0, "changes"), 0),
        (("budgets", 0, "hours"), 5),
        (("budgets", 0, "name"), "a" * 101),
        (("budgets", 0), {"comment": "a", "name": "b"}),
        (("breakers", 0, "failures"), "five"),
        (("breakers", 0), {"comment": "a", "name": "b", "failures": 5}),
        (("flapping", 0, "times"), "never"),
        (("managed", 0, "by"), "pulumi"),
        (("managed", 0, "then"), "ask"),
        (("managed", 1, "tags"), ["iac"]),
    ],
)
def test_what_it_refuses_the_hub_refuses(path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(good())
    inner = document["guards"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not accepts(document)
    assert reading(yaml.safe_dump(document)).mistakes
