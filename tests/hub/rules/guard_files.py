"""Guards of rules files: any that can be written, and how they are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from bots._bot import Risk
from hub.rules.guard_keys import BUDGET_HOURS, EACH, FIX, MOST_FIXES, THEN, TOOLS
from hub.rules.guard_model import (
    ApprovalEntry,
    Breaker,
    Budget,
    Entry,
    Exemption,
    Flap,
    Freeze,
    GuardRules,
    Hours,
    Managed,
    ModeEntry,
    ModeWord,
    ScopeEntry,
    TagPatterns,
    Where,
    Window,
)
from hub.rules.times import DAYS
from tests.hub.rules.files import FILE

TODAY = date(2026, 6, 1)


def _some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


_TAGS: st.SearchStrategy[TagPatterns] = st.dictionaries(
    st.sampled_from(["team", "stage"]),
    st.lists(st.sampled_from(["payments", "p*", "[a-d]*"]), min_size=1, max_size=2, unique=True).map(tuple),
    max_size=2,
).map(lambda tags: tuple(tags.items()))
WHERES = st.builds(
    Where,
    accounts=_some("111122223333", "222233334444"),
    ous=_some("Workloads", "Workloads/Prod", "ou-ab12-*"),
    account_tags=_TAGS,
    regions=_some("eu-west-1", "eu-*", "eu-[wc]*", "global"),
    bots=_some("s3_*", "sg_delete", "s3_enable_versioning", "[s]*"),
    risks=_some(*Risk),
)
_SOMEWHERE = WHERES.filter(lambda where: where != Where())
_COMMENTS = st.text(min_size=1, max_size=30).map(lambda text: f"why {text!r}")
_MINUTES = st.integers(1, 365 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
_TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 30)).map(  # noqa: DTZ001 - the zone is put on next
    lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC)
)
_CLOCK = st.times().map(lambda at: at.replace(second=0, microsecond=0))
_HOURS = st.builds(
    Hours,
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    starts=_CLOCK,
    ends=_CLOCK,
).filter(lambda hours: hours.starts != hours.ends or hours.starts == time())
_EACH = st.sets(st.sampled_from(EACH)).map(lambda each: tuple(word for word in EACH if word in each))
_COUNTS = st.integers(1, 1_000_000)
_NAMES = st.text("abc -_ÄÖ9", min_size=1, max_size=12).map(str.strip).filter(bool)


def _entries(kind: type[Entry], where: st.SearchStrategy[Where] = WHERES, **more: Any) -> Any:
    made = st.builds(kind, line=st.just(1), comment=_COMMENTS, where=where, **more)
    unique = (lambda entry: entry.name.casefold()) if "name" in more else None
    return st.lists(made, max_size=2, unique_by=unique).map(tuple)


_FREEZES = st.tuples(_TIMES, _TIMES).filter(lambda two: two[0] < two[1])
_SECTIONS: dict[str, st.SearchStrategy[Any]] = {
    "modes": _entries(ModeEntry, mode=st.sampled_from(ModeWord)),
    "scopes": _entries(ScopeEntry, _SOMEWHERE, effect=st.sampled_from(FIX)),
    "exemptions": _entries(
        Exemption,
        _SOMEWHERE,
        until=st.dates(date(2000, 1, 1), date(2199, 12, 31)),
        entity_ids=_some("data", "d*"),
        entity_names=_some("Data"),
        entity_types=_some("S3Bucket"),
        entity_tags=_TAGS,
    ),
    "windows": _entries(
        Window,
        hours=st.lists(_HOURS, min_size=1, max_size=3).map(tuple),
        zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    ),
    "freezes": st.lists(
        st.builds(
            lambda two, where, comment: Freeze(
                line=1, comment=comment, where=where, starts=two[0], ends=two[1]
            ),
            _FREEZES,
            WHERES,
            _COMMENTS,
        ),
        max_size=2,
    ).map(tuple),
    "approvals": _entries(
        ApprovalEntry,
        approvers=_some(
            "arn:aws:sts::111122223333:assumed-role/Security/*", "arn:aws:iam::111122223333:user/ada"
        ),
        four_eyes=st.booleans(),
        expires=_MINUTES,
    ),
    "budgets": _entries(
        Budget, name=_NAMES, each=_EACH, changes=_COUNTS, destructive=st.none(),
        hours=st.sampled_from(BUDGET_HOURS),
    ),
    "breakers": _entries(Breaker, name=_NAMES, each=_EACH, failures=_COUNTS, pause=_MINUTES),
    "flaps": _entries(Flap, times=st.integers(1, MOST_FIXES), period=_MINUTES),
    "managed": _entries(
        Managed, by=st.one_of(st.none(), st.sampled_from(TOOLS)), tags=_TAGS, then=st.sampled_from(THEN)
    ),
}  # fmt: skip

# One section at a time: they do not know of each other.
GUARDS: st.SearchStrategy[GuardRules] = st.sampled_from(sorted(_SECTIONS)).flatmap(
    lambda name: _SECTIONS[name].map(lambda entries: GuardRules(file=FILE, **{name: entries}))
)


def written(rules: GuardRules) -> dict[str, Any]:
    """The guards as a document, without what says nothing."""
    return {
        name: [_without_nothing(_written(entry)) for entry in entries]
        for name, entries in rules.sections.items()
        if entries
    }


def _written(entry: Entry) -> dict[str, Any]:
    where = entry.where
    own: dict[str, Any]
    match entry:
        case ModeEntry():
            own = {"mode": str(entry.mode)}
        case ScopeEntry():
            own = {"fix": entry.effect}
        case Exemption():
            entity = {
                "id": list(entry.entity_ids),
                "name": list(entry.entity_names),
                "type": list(entry.entity_types),
                "tags": _tags(entry.entity_tags),
            }
            own = {"until": str(entry.until), "entity": _without_nothing(entity)}
        case Window():
            own = {"open": [_hours(each) for each in entry.hours], "zone": entry.zone}
        case Freeze():
            own = {"from": f"{entry.starts:%Y-%m-%d %H:%M}", "until": f"{entry.ends:%Y-%m-%dT%H:%MZ}"}
        case ApprovalEntry():
            own = {"approvers": list(entry.approvers), "expires": _duration(entry.expires)}
            own["four_eyes"] = entry.four_eyes
        case Budget():
            own = {"name": entry.name, "each": list(entry.each) or "hub", "changes": entry.changes}
            own |= {"destructive": entry.destructive, "hours": entry.hours}
        case Breaker():
            own = {"name": entry.name, "each": list(entry.each) or "hub", "failures": entry.failures}
            own |= {"pause": _duration(entry.pause)}
        case Flap():
            own = {"times": entry.times, "period": _duration(entry.period)}
        case Managed():
            own = {"by": entry.by, "tags": _tags(entry.tags), "then": entry.then}
        case _:
            raise AssertionError(entry)
    return {
        "comment": entry.comment,
        "accounts": list(where.accounts),
        "ous": list(where.ous),
        "account_tags": _tags(where.account_tags),
        "regions": list(where.regions),
        "bots": list(where.bots),
        "risks": list(map(str, where.risks)),
        **own,
    }


def _without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value not in ([], {}, None)}


def _tags(tags: TagPatterns) -> dict[str, list[str]]:
    return {key: list(patterns) for key, patterns in tags}


def _hours(hours: Hours) -> str:
    ends = "24:00" if hours.ends == time() else f"{hours.ends:%H:%M}"
    return f"{','.join(DAYS[day] for day in hours.days)} {hours.starts:%H:%M}-{ends}"


def _duration(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    for unit, size in (("w", 7 * 24 * 60), ("d", 24 * 60), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"
