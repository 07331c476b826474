"""The rules file as a JSON Schema, for editors: completion, and red lines while one types. Made from what is read."""

from __future__ import annotations

from typing import Any

from bots._catalogue import Catalogue
from hub.rules.guard_schema import BOT, guards
from hub.rules.model import Effect, Trust
from hub.rules.schema_shapes import ACCOUNTS, ENTITY, PATTERNS, TAGS, TEXT, mapping

ABOUT = {
    "version": "The form of this file.",
    "trust_finding_actions": "Whether bots that a finding itself names may run. all: up to risk access-removal; "
    "listed: those that a matching rule lists; none: never.",
    "rules": "In any order: a rule that refuses wins over all others.",
    "guards": "What may not be fixed, or not now, or not without a person.",
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
    "bot": "A bot with its parameters, as findings write it.",
    "allow": "Needed to run a bot that is disruptive or destructive.",
}


def schema(catalogue: Catalogue) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a rules file with these bots."""
    match = {
        "ruleset": PATTERNS,
        "rule": PATTERNS,
        "accounts": ACCOUNTS,
        "ous": PATTERNS,
        "account_tags": TAGS,
        "regions": PATTERNS,
        "entity": ENTITY,
        "severity": PATTERNS,
    }
    # Editors complete the names and take parameters behind them.
    named = {"anyOf": [{"enum": list(catalogue.names())}, TEXT]}
    bot = {"anyOf": [named, mapping(ABOUT, {"bot": named, "allow": {"type": "boolean"}}, "bot")]}
    rule = mapping(
        ABOUT,
        {
            "name": TEXT,
            "comment": TEXT,
            "match": {**mapping(ABOUT, match), "minProperties": 1},
            "action": {"enum": list(Effect), "default": Effect.RUN},
            "bots": {"type": "array", "items": bot, "minItems": 1},
        },
        "name",
        "comment",
        "match",
    )
    refusing = {"properties": {"action": {"const": Effect.REFUSE}}, "required": ["action"]}
    rule["anyOf"] = [{"required": ["bots"]}, refusing]
    whole = mapping(
        ABOUT,
        {
            "version": {"const": 1},
            "trust_finding_actions": {"enum": list(Trust), "default": Trust.ALL},
            "rules": {"type": "array", "items": rule},
            "guards": guards(),
        },
        "version",
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Remediation rules of the hub",
        **whole,
        "$defs": {BOT: named},
    }
