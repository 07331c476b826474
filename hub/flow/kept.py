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
from hub.flow.redaction import REMOVED, plain
from hub.model import Action, Finding, Json

MOST_BYTES = 150_000  # beside it the record holds the state before, the planned calls and the guards' words
_OF_ENTITY = ("id", "name", "type", "region", "tags", "accountNumber", "arn")


def kept_finding(finding: Finding, bot: AnyBot) -> Json:
    """What rules match, what the bot looks at, and what a report tells. The rest of the entity (environments, user
    data) may hold secrets and is nobody's business here.

    Raises:
        JournalUnwritable: it is too large.
    """
    entity = {name: finding.entity[name] for name in _OF_ENTITY if name in finding.entity}
    told = {each.name: getattr(finding, each.name) for each in fields(Finding) if each.name != "feedback"}
    told["entity"] = {**entity, **bot.kept_of(finding.entity)}
    told["actions"] = [
        {each.name: getattr(action, each.name) for each in fields(Action)} for action in finding.actions
    ]
    told["notes"] = list(finding.notes)
    key = finding.feedback.key.get_secret_value() if finding.feedback else ""
    # Names and parameters must come back as they are, so nothing else is taken out that looks like a secret.
    kept: dict[str, Any] = plain(told, lambda text: text.replace(key, REMOVED) if key else text)
    if len(json.dumps(kept)) > MOST_BYTES:
        raise JournalUnwritable(f"finding {finding.key[:80]} is too large to be kept while it waits")
    return kept


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
