"""The JSON Schema for editors says what the hub says."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
import yaml

from hub.rules.bots import BOT_KEYS
from hub.rules.reading import FILE_KEYS, MATCH_KEYS, RULE_KEYS
from hub.rules.schema import schema
from hub.rules.values import ENTITY_KEYS
from tests.hub.rules.files import CATALOGUE, reading
from tests.hub.rules.test_reading import GOOD

SCHEMA = schema(CATALOGUE)


def accepts(value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(value))


def good() -> Any:
    # As an editor sees it: account ids in quotes.
    return yaml.safe_load(GOOD.replace("accounts: 222233334444", 'accounts: "222233334444"'))


def test_it_is_a_schema_and_takes_a_good_file() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert accepts(good())
    assert accepts({"version": 1})


def test_it_knows_every_key_that_is_read() -> None:
    rule = SCHEMA["properties"]["rules"]["items"]
    match = rule["properties"]["match"]
    bot = rule["properties"]["bots"]["items"]["anyOf"][1]
    assert set(SCHEMA["properties"]) == set(FILE_KEYS)
    assert set(rule["properties"]) == set(RULE_KEYS)
    assert set(match["properties"]) == set(MATCH_KEYS)
    assert set(match["properties"]["entity"]["properties"]) == set(ENTITY_KEYS)
    assert set(bot["properties"]) == set(BOT_KEYS)
    assert CATALOGUE.names() == tuple(bot["properties"]["bot"]["anyOf"][0]["enum"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("odd",), 1),
        (("trust_finding_actions",), "some"),
        (("rules",), {}),
        (("rules", 0, "comment"), None),
        (("rules", 0, "action"), "stop"),
        (("rules", 0, "match"), {}),
        (("rules", 0, "match", "accounts"), "2222"),
        (("rules", 0, "match", "acounts"), "222233334444"),
        (("rules", 0, "match", "entity", "tags"), {}),
        (("rules", 0, "bots"), []),
        (("rules", 0, "bots", 0), {"bot": "sg_delete", "allow": "maybe"}),
    ],
)
def test_what_it_refuses_the_hub_refuses(path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(good())
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not accepts(document)
    assert reading(yaml.safe_dump(document)).mistakes


def test_only_a_refusing_rule_may_name_no_bots() -> None:
    for action, may in {"run": False, "allow": False, "refuse": True}.items():
        rule = {"name": "a", "comment": "b", "match": {"rule": "*"}, "action": action}
        document = {"version": 1, "rules": [rule]}
        assert accepts(document) is may
        assert (not reading(yaml.safe_dump(document)).mistakes) is may
