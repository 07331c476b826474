"""What the pages for people name is there: files, commands, make targets, settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from hub.cli import app
from hub.settings import Settings, variables

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMANDS = set(getattr(get_command(app), "commands", {}))
SETTINGS = {name for field in Settings.model_fields for name in variables(field)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_linked_file_exists(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_target_exists(page: Path) -> None:
    text = page.read_text()
    shown = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    for word in re.findall(r"(?:^|HUB_\S+ )hub ([a-z]+)", shown, re.MULTILINE):
        assert word in COMMANDS, f"{page.name} shows `hub {word}`"
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in re.findall(r"^make ([a-z ]+?)(?:\s{2,}|$|\s*#)", shown, re.MULTILINE):
        for word in words.split():
            assert word in targets, f"{page.name} shows `make {word}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_exists(page: Path) -> None:
    for name in re.findall(r"\bHUB_[A-Z_]+\b", page.read_text()):
        assert name in SETTINGS, f"{page.name} names {name}"
