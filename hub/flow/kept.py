"""A finding as the journal keeps it, to go on with it when its message is gone. Pure.

The credential of the feedback call is not kept, so that call is not made for what waited.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bots._bot import AnyBot
from hub.errors import JournalUnwritable
from hub.flow.redaction import plain, redactor
from hub.model import Action, Finding, Json

MOST_BYTES = 150_000  # beside it the record holds the state before, the planned calls and the guards' words
_SMALL = ("id", "name", "type", "region", "tags", "accountNumber", "arn")


def kept_finding(finding: Finding, bot: AnyBot) -> Json:
    """All of it; of a very large one what rules match and what the bot looks at.

    Raises:
        JournalUnwritable: even that is too large.
    """
    redact = redactor(finding.feedback.key.get_secret_value() if finding.feedback else None)
    told = {each.name: getattr(finding, each.name) for each in fields(Finding) if each.name != "feedback"}
    told["actions"] = [
        {each.name: getattr(action, each.name) for each in fields(Action)} for action in finding.actions
    ]
    told["notes"] = list(finding.notes)
    whole: dict[str, Any] = plain(told, redact)
    if _size(whole) <= MOST_BYTES:
        return whole
    entity = {name: finding.entity[name] for name in _SMALL if name in finding.entity}
    small: dict[str, Any] = plain(
        {**told, "rule_document": {}, "entity": {**entity, **bot.kept_of(finding.entity)}}, redact
    )
    if _size(small) > MOST_BYTES:
        raise JournalUnwritable(f"finding {finding.key[:80]} is too large to be kept while it waits")
    return small


def finding_of(kept: Json) -> Finding:
    """The finding that `kept_finding` kept.

    Raises:
        JournalUnwritable: it is damaged.
    """
    names = {each.name for each in fields(Finding)}
    values = {name: value for name, value in kept.items() if name in names}
    try:
        values["actions"] = tuple(_action(each) for each in values.get("actions", ()))
        values["notes"] = tuple(values.get("notes", ()))
        return Finding(**values)
    except TypeError as error:
        raise JournalUnwritable(f"a finding that the journal kept is damaged: {error}") from error


def _action(told: Mapping[str, Any]) -> Action:
    names = {each.name for each in fields(Action)}
    return Action(
        **{**{name: told[name] for name in told if name in names}, "args": tuple(told.get("args", ()))}
    )


def _size(told: Json) -> int:
    return len(json.dumps(told))
