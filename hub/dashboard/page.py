"""One self-contained page about a set of reports: figures, charts, and every entry with its evidence.

Everything shown comes from reports, and what is in those came from findings: nothing of it is trusted.
The template escapes every value, and the page's own policy lets no script run but the one written in it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from statistics import median
from typing import Any

from jinja2 import Environment, StrictUndefined

from hub.dashboard.rows import STATUSES, Document, Row, rows
from hub.model import Outcome

PERSONS = frozenset(outcome.value for outcome in Outcome if outcome.needs_person)
MAX_ACCOUNTS = 24
MAX_BOTS = 12
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of a bar, in percent of the widest bar of its chart."""

    status: str
    count: int
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A labelled bar of one or more parts."""

    label: str
    detail: str
    total: int
    parts: tuple[Part, ...]

    @property
    def words(self) -> str:
        """The bar for people who do not see it."""
        return ", ".join(f"{part.count} {part.status}" for part in self.parts)


def render(reports: Sequence[Document], *, title: str, made_at: datetime) -> str:
    """The page as HTML.

    Args:
        reports: documents as `hub.flow.report.document` makes them; keys they lack are left blank.
        made_at: aware; shown in UTC.
    """
    source = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    found = sorted(rows(reports), key=lambda row: -row.rank)
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string(source).render(
        title=title,
        made_at=made_at.astimezone(UTC),
        script_hash=_script_hash(source),
        rows=found,
        statuses=[status for status in STATUSES if any(row.status == status for row in found)],
        figures=_figures(reports, found),
        whole=_bar("All entries", "", Counter(row.status for row in found), len(found)),
        by_outcome=_by_outcome(found),
        by_account=_by_account(found),
        by_bot=_by_bot(found),
        left_out=sum(_number(report.get("Entries left out")) for report in reports),
    )


def _script_hash(source: str) -> str:
    script = SCRIPT.search(source)
    assert script is not None, "the template has no script"
    return "sha256-" + base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()


def _figures(reports: Sequence[Document], found: Sequence[Row]) -> list[tuple[str, str, str]]:
    """The headline: figure, what it counts, and what to know about it."""
    fixed = [row for row in found if row.outcome == Outcome.FIXED]
    people = Counter(row.outcome for row in found if row.outcome in PERSONS)
    ways_back = sum(bool(row.undo_command) and not row.undone_by for row in found)
    seconds = [row.seconds for row in found if row.seconds is not None]
    undone = sum(bool(row.undone_by) for row in fixed)
    accounts = {row.account for row in found if row.account}
    return [
        (str(len(fixed)), "fixed and proven", f"{undone} of them undone since" if undone else "by a second read"),
        (str(sum(row.outcome == Outcome.COMPLIANT for row in found)), "right already", "nothing was changed"),
        (str(people.total()), "need a person", ", ".join(f"{n} {name}" for name, n in people.most_common(3))
         or "nothing to do"),
        (str(ways_back), "can be undone", "prior state is kept"),
        (str(len(accounts)), "accounts", f"{len(reports)} reports"),
        (f"{median(seconds):.1f} s" if seconds else "–", "median run",
         f"{max(seconds):.1f} s the longest" if seconds else "no run yet"),
    ]  # fmt: skip


def _by_outcome(found: Sequence[Row]) -> list[Bar]:
    counts = Counter((row.status, row.outcome) for row in found)
    widest = max(counts.values(), default=0)
    order = sorted(counts, key=lambda pair: (STATUSES.index(pair[0]), -counts[pair], pair[1]))
    return [
        _bar(outcome, status, Counter({status: counts[status, outcome]}), widest) for status, outcome in order
    ]


def _by_account(found: Sequence[Row]) -> list[Bar]:
    names = {row.account: row.account_name for row in found if row.account_name}
    return _grouped([(row.account or "no account", row.status) for row in found], MAX_ACCOUNTS, names)


def _by_bot(found: Sequence[Row]) -> list[Bar]:
    return _grouped([(row.bot, row.status) for row in found if row.bot], MAX_BOTS, {})


def _grouped(pairs: Sequence[tuple[str, str]], most: int, names: Mapping[str, str]) -> list[Bar]:
    """A bar a label, most failures first; those that have no room are put together in the last one."""
    counts: dict[str, Counter[str]] = {}
    for label, status in pairs:
        counts.setdefault(label, Counter())[status] += 1
    order = sorted(counts, key=lambda label: (-counts[label]["failed"], -counts[label].total(), label))
    shown, rest = order[:most], order[most:]
    others = sum((counts[label] for label in rest), Counter[str]())
    widest = max((counts[label].total() for label in shown), default=0)
    bars = [_bar(label, names.get(label, ""), counts[label], widest) for label in shown]
    if rest:
        bars.append(_bar(f"{len(rest)} more", "together", others, max(widest, others.total())))
    return bars


def _bar(label: str, detail: str, counts: Mapping[str, int], widest: int) -> Bar:
    parts: list[Part] = []
    start = 0.0
    for status in STATUSES:
        if count := counts.get(status, 0):
            width = 100 * count / widest
            parts.append(Part(status=status, count=count, start=start, width=width))
            start += width
    return Bar(label=label, detail=detail, total=sum(part.count for part in parts), parts=tuple(parts))


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
