"""The ``guards`` of a rules file as JSON Schema. What calendars or other entries tell is left to the reader."""

from __future__ import annotations

from bots._bot import Risk
from hub.rules.approvers import EXAMPLE
from hub.rules.guard_keys import (
    BUDGET_HOURS,
    EACH,
    ENTRY_KEYS,
    FIX,
    LONGEST_NAME,
    MOST,
    MOST_FIXES,
    NEVER_FLAPS,
    SECTIONS,
    THEN,
    TOOLS,
    WHERE_KEYS,
    WHOLE_HUB,
)
from hub.rules.guard_model import DEFAULT_FLAP, ModeWord
from hub.rules.schema_shapes import ACCOUNTS, ENTITY, PATTERNS, TAGS, TEXT, Schema, mapping, one_or_more

ABOUT = {
    "mode": "off: the account is not entered; dry run: look and tell, change nothing; on. "
    "The first entry that fits decides.",
    "scope": "Where anything may be fixed at all.",
    "exemptions": "Resources that are left alone until a day.",
    "windows": "When changes may be made. Where several fit, one that is open is enough.",
    "freezes": "When no changes are made.",
    "approval": "What a person has to say yes to. The first entry that fits decides who.",
    "budgets": "How many changes there may be in some hours.",
    "breakers": "After how many failures in a row the hub stops for a while.",
    "flapping": "What is fixed so often that a person should look. The first entry that fits decides; "
    f"where none does, {DEFAULT_FLAP.times} times in 24 hours are too often.",
    "managed": "What to do about resources that CloudFormation or Terraform owns. The first entry that fits decides.",
}
KEYS_ABOUT = {
    "mode": "What happens to a finding there.",
    "comment": "Why it is there, and who wants it. People read it where something is held back.",
    "accounts": "Account ids of 12 digits, in quotes.",
    "ous": "Ids of OUs or their paths from the top, as Workloads/Prod; what is below is meant, too.",
    "account_tags": "Tags of the account.",
    "regions": "Region codes; global for what has no region.",
    "bots": "Names of bots; * stands for any letters.",
    "risks": "How much a bot can hurt.",
    "fix": "only: nothing is fixed elsewhere; never: nothing is fixed there.",
    "until": "The day it ends on, as 2026-12-31; that day still counts.",
    "from": "A day, as 2026-12-20, or a day and a time, as 2026-12-20 18:00.",
    "entity": "The resource.",
    "open": "Days and hours, as Mon-Fri 22:00-06:00; without days it is every day.",
    "zone": "An IANA name, as Europe/Berlin, or UTC.",
    "approvers": f"ARNs as STS tells them, as {EXAMPLE}. Left out: whoever may write to the journal.",
    "four_eyes": "Not the identity that asked for it.",
    "expires": "After so long nobody can say yes any more: 30m, 12h, 3d, 2w.",
    "name": "It is counted under its name; another name begins anew.",
    "each": f"What is counted apart; {WHOLE_HUB}: one count for everything.",
    "changes": "At most so many changes.",
    "destructive": "At most so many that are disruptive or destructive.",
    "hours": "So many hours, beginning at midnight UTC.",
    "failures": "After so many in a row nothing is changed for a while.",
    "pause": "For so long: 30m, 12h, 3d, 2w.",
    "times": f"So many fixes are too often; {NEVER_FLAPS}: never.",
    "period": "Within so long: 30m, 12h, 3d, 2w.",
    "by": "Which tool owns it.",
    "tags": "Tags that tell of a tool, besides those the hub knows.",
    "then": "fix; warn: fix, and say who owns it; report: do not fix.",
}
_COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": MOST}
_DURATION: Schema = {"type": "string", "pattern": "^[0-9]+[mhdw]$"}
_DAY: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_MOMENT: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"}
_EACH: Schema = one_or_more({"enum": [*EACH, WHOLE_HUB]})


BOT = "bot"
"""The definition in the whole schema that names a bot."""


def guards() -> Schema:
    """What stands under ``guards``; the whole schema defines `BOT`."""
    return mapping(ABOUT, {name: _entries(name) for name in SECTIONS})


def _entries(name: str) -> Schema:
    section, own = SECTIONS[name], {**_KEYS, **_OWN.get(name, {})}
    entry = mapping(
        KEYS_ABOUT,
        {key: own[key] for key in (*ENTRY_KEYS, *section.keys)},
        "comment",
        *section.needed,
    )
    if name in _ONE_OF:
        entry["anyOf"] = [{"required": [key]} for key in _ONE_OF[name]]
    return {"type": "array", "items": entry}


_KEYS: dict[str, Schema] = {
    "comment": TEXT,
    "accounts": ACCOUNTS,
    "ous": PATTERNS,
    "account_tags": TAGS,
    "regions": PATTERNS,
    "bots": one_or_more({"$ref": f"#/$defs/{BOT}"}),
    "risks": one_or_more({"enum": list(Risk)}),
    "mode": {"enum": list(ModeWord)},
    "fix": {"enum": list(FIX)},
    "until": _DAY,
    "from": _MOMENT,
    "entity": ENTITY,
    "open": one_or_more(TEXT),
    "zone": {**TEXT, "default": "UTC"},
    "approvers": one_or_more({"type": "string", "pattern": "^arn:"}),
    "four_eyes": {"type": "boolean", "default": True},
    "expires": {**_DURATION, "default": "7d"},
    "name": {**TEXT, "maxLength": LONGEST_NAME},
    "each": _EACH,
    "changes": _COUNT,
    "destructive": _COUNT,
    "hours": {"enum": list(BUDGET_HOURS), "default": 1},
    "failures": _COUNT,
    "pause": _DURATION,
    "times": {"anyOf": [{**_COUNT, "maximum": MOST_FIXES}, {"const": NEVER_FLAPS}]},
    "period": {**_DURATION, "default": "24h"},
    "by": {"enum": list(TOOLS)},
    "tags": TAGS,
    "then": {"enum": list(THEN)},
}
# Where a key means something else than in other sections.
_OWN: dict[str, dict[str, Schema]] = {
    "freezes": {"until": {**_MOMENT, "description": "A day, which still counts, or a day and a time."}},
}
# Of these keys an entry needs one.
_ONE_OF = {
    "scope": WHERE_KEYS,
    "exemptions": ("entity", *WHERE_KEYS),
    "budgets": ("changes", "destructive"),
}
