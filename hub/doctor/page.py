"""What doctor saw, for people: the summary first, then what needs doing, equal problems together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hub.doctor.document import summary
from hub.doctor.words import AccountHealth, Health, Line, Standing, State

STYLES = {State.OK: "green", State.UNKNOWN: "cyan", State.WARNING: "yellow", State.FAILED: "bold red"}
NAMED = 3


def page(health: Health, *, everything: bool) -> Iterator[RenderableType]:
    """Everything to be printed, in order.

    Args:
        everything: a row for every line of every account; otherwise equal lines are one row, and what is
            well is left out.
    """
    yield _summary(health)
    hub = [(line, "the hub") for line in health.hub if everything or line.state is not State.OK]
    accounts = list(_every(health) if everything else _grouped(health))
    rows = [*hub, *accounts]
    if rows:
        yield _table(rows, with_answers=everything)
    elif health.well:
        yield Text("Nothing needs doing.", style="green")


def _summary(health: Health) -> Text:
    told = summary(health)
    standing = told["standing"]
    parts = [f"{standing[Standing.PROTECTED]:,} protected", f"{standing[Standing.NOT_PROTECTED]:,} not"]
    parts += [
        f"{standing[each]:,} {each}"
        for each in (Standing.NOT_KNOWN, Standing.EXCLUDED, Standing.NOT_ACTIVE)
        if standing[each]
    ]
    hub = ", ".join(f"{count} {state}" for state, count in told["hub"].items() if count)
    style = "bold green" if health.well else "bold yellow"
    if standing[Standing.NOT_PROTECTED] or told["hub"][State.FAILED]:
        style = "bold red"
    total = told["accounts"]
    return Text(
        f"{total:,} account{'s' if total != 1 else ''}: {', '.join(parts)}. The hub: {hub}.", style=style
    )


def _every(health: Health) -> Iterator[tuple[Line, str]]:
    for account in health.accounts:
        yield from ((line, _called(account)) for line in account.lines)


def _grouped(health: Health) -> Iterator[tuple[Line, str]]:
    """Lines that are not well, the worst first, each with the accounts it is true of."""
    groups: dict[Line, list[AccountHealth]] = {}
    for account in health.accounts:
        for line in account.lines:
            if line.state is not State.OK:
                # What differs from account to account is in the answer alone.
                groups.setdefault(replace(line, answer=""), []).append(account)
    order = sorted(groups, key=lambda line: (-line.state.rank, -len(groups[line]), line.subject, line.seen))
    yield from ((line, _all_called(groups[line])) for line in order)


def _all_called(accounts: list[AccountHealth]) -> str:
    if len(accounts) <= NAMED:
        return "\n".join(_called(account) for account in accounts)
    ids = "\n".join(account.account_id for account in accounts[:NAMED])
    return f"{len(accounts):,} accounts:\n{ids}\n..."


def _called(account: AccountHealth) -> str:
    return f"{account.account_id} {account.name}".rstrip()


def _table(rows: Iterable[tuple[Line, str]], *, with_answers: bool) -> Table:
    table = Table(header_style="bold", expand=False)
    table.add_column("State", no_wrap=True)
    table.add_column("Whose", overflow="fold", min_width=12)
    table.add_column("Subject", overflow="fold")
    table.add_column("Seen", overflow="fold", ratio=3)
    table.add_column("What to do", overflow="fold", ratio=2)
    for line, whose in rows:
        seen = f"{line.seen}\n{line.answer}" if with_answers and line.answer else line.seen
        table.add_row(
            Text(line.state, style=STYLES[line.state]),
            Text(whose),
            Text(line.subject),
            Text(seen),
            Text(line.do),
        )
    return table
