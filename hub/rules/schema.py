"""The rules file as a JSON Schema, for editors: completion, and red lines while one types. Made from what is read."""

from __future__ import annotations

from typing import Any

from bots._catalogue import Catalogue
from hub.rules.model import Effect, Trust

ABOUT = {
    "version": "The form of this file.",
    "trust_finding_actions": "Whether bots that a finding itself names may run. all: up to risk access-removal; "
    "listed: those that a matching rule lists; none: never.",
    "rules": "In any order: a rule that refuses wins over all others.",
    "name": "Decisions are told by it. Every rule has another one.",
    "comment": "Why there is this rule, and who wants it.",
    "match": "What a finding must be like. Everything that is given must be met, of a list one item.",
    "action": "run: run the bots on every finding that matches; allow: let findings name them; refuse: never.",
    "bots": "Names with parameters, as findings write them. To allow or refuse, * stands for any letters.",
    "ruleset": "Name of the ruleset.",
    "rule": "Name or id of the rule.",
    "accounts": "Account ids of 12 digits, in quotes.",
    "ous": "Ids of OUs or their paths from the top, as Workloads/Prod; what is below is meant, too.",
    "account_tags": "Tags of the account.",
    "regions": "Region codes; global for what has no region.",
    "entity": "The resource.",
    "severity": "The finding's severity.",
    "id": "The resource's id, as the finding has it.",
    "type": "The resource's type, as the finding has it.",
    "tags": "Tags of the resource, as the finding has them.",
    "bot": "A bot with its parameters, as findings write it.",
    "allow": "Needed to run a bot that is disruptive or destructive.",
}


def schema(catalogue: Catalogue) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a rules file with these bots."""
    entity = {"id": _PATTERNS, "name": _PATTERNS, "type": _PATTERNS, "tags": _TAGS}
    match = {
        "ruleset": _PATTERNS,
        "rule": _PATTERNS,
        "accounts": _one_or_more({"type": "string", "pattern": "^[0-9]{12}$"}),
        "ous": _PATTERNS,
        "account_tags": _TAGS,
        "regions": _PATTERNS,
        "entity": _object(entity),
        "severity": _PATTERNS,
    }
    # Editors complete the names and take parameters behind them.
    named = {"anyOf": [{"enum": list(catalogue.names())}, {"type": "string", "minLength": 1}]}
    bot = {"anyOf": [named, _object({"bot": named, "allow": {"type": "boolean"}}, "bot")]}
    rule = _object(
        {
            "name": {"type": "string", "minLength": 1},
            "comment": {"type": "string", "minLength": 1},
            "match": {**_object(match), "minProperties": 1},
            "action": {"enum": list(Effect), "default": Effect.RUN},
            "bots": {"type": "array", "items": bot, "minItems": 1},
        },
        "name",
        "comment",
        "match",
    )
    refusing = {"properties": {"action": {"const": Effect.REFUSE}}, "required": ["action"]}
    rule["anyOf"] = [{"required": ["bots"]}, refusing]
    whole = _object(
        {
            "version": {"const": 1},
            "trust_finding_actions": {"enum": list(Trust), "default": Trust.ALL},
            "rules": {"type": "array", "items": rule},
        },
        "version",
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Remediation rules of the hub",
        **whole,
    }


def _one_or_more(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


_PATTERNS = _one_or_more({"type": "string", "minLength": 1})
_TAGS = {"type": "object", "minProperties": 1, "additionalProperties": _PATTERNS}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    told = {
        key: {"description": ABOUT[key], **value} if key in ABOUT else value
        for key, value in properties.items()
    }
    made = {"type": "object", "properties": told, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made
