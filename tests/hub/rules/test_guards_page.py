"""The page about guards shows a file that works, and tells of every key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hub.flow.guards_in_order import guards_of
from hub.rules.guard_keys import ENTRY_KEYS, SECTIONS
from hub.rules.guard_model import DEFAULT_FLAP, ApprovalEntry
from hub.rules.reading import read
from hub.rules.schema import schema
from hub.settings import Settings
from spoke_role.tags import EXEMPT_TAG, OPT_OUT_TAG
from tests.hub.rules.files import CATALOGUE, as_editors_see
from tests.hub.rules.guard_files import TODAY

PAGE = (Path(__file__).parents[3] / "docs" / "guards.md").read_text(encoding="utf-8")
[EXAMPLE] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_has_no_mistake_and_all_of_it_counts() -> None:
    found = read(EXAMPLE, file="rules.yaml", catalogue=CATALOGUE, today=TODAY)
    assert found.rules is not None, found.text
    assert all(found.rules.guards.sections.values())
    assert found.rules.guards.remarks == ()


def test_editors_take_the_example() -> None:
    errors = jsonschema.Draft202012Validator(schema(CATALOGUE)).iter_errors(as_editors_see(EXAMPLE))
    assert list(errors) == []


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_told(section: str) -> None:
    assert f"\n**{section}**. " in PAGE
    for key in (*SECTIONS[section].keys, *ENTRY_KEYS):
        # What a section is called after needs no other words.
        assert f"`{key}`" in PAGE or f"`{key}: " in PAGE or key == section, key


def test_guards_are_told_in_the_order_they_are_asked_in() -> None:
    nobody: Any = None
    asked = guards_of(Settings.model_construct(), nobody, nobody, nobody, nobody)
    told = re.findall(r"^[0-9]+\. `([a-z ]+)`", PAGE, re.MULTILINE)
    assert told == [
        *(guard.name for guard in asked.before_look),
        *(guard.name for guard in asked.before_change),
    ]
    undo = re.search(r"An undo asks (.*?) only", PAGE)
    assert undo is not None
    assert re.findall(r"`([a-z ]+)`", undo[1]) == [guard.name for guard in asked.before_undo]


def test_what_is_left_out_is_told_as_it_is() -> None:
    assert f"the default, {DEFAULT_FLAP.times} in 24 hours" in PAGE
    assert f"(left out: `{ApprovalEntry(line=1, comment='').expires.days}d`)" in PAGE
    assert f"`{OPT_OUT_TAG}`" in PAGE
    assert f"`{EXEMPT_TAG}`" in PAGE
