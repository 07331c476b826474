"""Which bots a CloudGuard finding asks for: first its compliance tags, then its remediation actions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from hub.dialects.words import split
from hub.model import Action

LONGEST_ECHO = 80
_AUTO = re.compile(r"auto:", re.IGNORECASE)
_POLICY = "SuggestedRole"


@dataclass(frozen=True, slots=True)
class Actions:
    """The bots in the order of the finding, and what had to be bent or left out."""

    actions: tuple[Action, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Note:
    text: str


def actions(compliance_tags: Any, remediation_actions: Any) -> Actions:
    """Both sources read. Either may be null, and remediation actions may be one text instead of a list."""
    kept: list[Action] = []
    places: dict[tuple[str, tuple[str, ...]], int] = {}
    notes: list[str] = []
    for found in (*_from_tags(compliance_tags), *_from_list(remediation_actions)):
        if isinstance(found, _Note):
            notes.append(found.text)
            continue
        same = (found.bot, found.args)
        place = places.setdefault(same, len(kept))
        if place == len(kept):
            kept.append(found)
        elif found.suggested_policy in (None, kept[place].suggested_policy):
            notes.append(f"{_shown(found.text)} is asked for more than once and runs once")
        elif kept[place].suggested_policy is None:
            kept[place] = replace(kept[place], suggested_policy=found.suggested_policy)
            notes.append(f"{_shown(found.text)} is asked for more than once and runs once, with its policy")
        else:
            places[same] = len(kept)
            kept.append(found)
    return Actions(tuple(kept), tuple(notes))


def _from_tags(tags: Any) -> Iterator[Action | _Note]:
    if tags is None:
        return
    if not isinstance(tags, str):
        yield _Note("rule.complianceTags is no text and was left out")
        return
    for tag in tags.split("|"):
        wanted = _AUTO.match(tag.strip())
        if wanted:
            yield from _action(tag.strip()[wanted.end() :], "compliance tag")


def _from_list(texts: Any) -> Iterator[Action | _Note]:
    if texts is None:
        return
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, list):
        yield _Note("remediationActions is neither a list nor a text and was left out")
        return
    policy: str | None = None
    for number, item in enumerate(texts, start=1):
        text = item if isinstance(item, str) else None
        try:
            value = item if text is None else json.loads(text)
        except ValueError:
            assert text is not None
            yield from _action(text, "remediation action", policy)
        except RecursionError:
            yield _Note(f"remediation action {number} is JSON that is nested too deep, and was left out")
        else:
            suggested = _policy_of(value)
            policy = suggested or policy
            if suggested is None:
                yield _Note(f"remediation action {number} names no bot and was left out: {_about(value)}")


def _action(
    text: str, source: Literal["compliance tag", "remediation action"], policy: str | None = None
) -> Iterable[Action | _Note]:
    found = split(text)
    if not found.words:
        yield _Note(f"a {source} names no bot and was left out: there is nothing in it")
        return
    for note in found.notes:
        yield _Note(f"{_shown(text)}: {note}")
    bot, *args = found.words
    yield Action(bot=bot, args=tuple(args), source=source, suggested_policy=policy)


def _policy_of(value: Any) -> str | None:
    """The IAM policy that CloudGuard suggests for the actions that follow; normally JSON in a text."""
    policy = value.get(_POLICY) if isinstance(value, dict) else None
    if isinstance(policy, str):
        return policy if policy.strip() else None
    return json.dumps(policy) if isinstance(policy, dict) else None


def _about(value: Any) -> str:
    match value:
        case dict():
            return _shown("JSON about " + ", ".join(map(str, value))) if value else "an empty JSON object"
        case list():
            return "a JSON list"
        case _:
            return "a single JSON value"


def _shown(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= LONGEST_ECHO else text[: LONGEST_ECHO - 1] + "…")
