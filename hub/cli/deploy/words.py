"""What a change looks like to the person who is asked about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from deploy.advice import advice
from hub.cli.console import err

if TYPE_CHECKING:
    from deploy.change_set import Change, Detail
    from deploy.events import Event
    from deploy.proposal import Proposal
    from deploy.spokes_plan import Plan
    from deploy.stack_sets import Missed

ACTIONS = {"Add": "green", "Modify": "yellow", "Remove": "bold red", "Import": "cyan"}
REPLACED = {
    "True": Text("yes", style="bold red"),
    "Conditional": Text("perhaps", style="bold red"),
    "False": Text("no"),
}
SHOWN_CHARACTERS = 60
SHOWN_ACCOUNTS = 10


def changes_table(changes: Sequence[Change]) -> Table:
    """Action, resource, type and, where something is there already, replacement and what of it changes."""
    modified = any(change.action == "Modify" for change in changes)
    columns = ("Action", "Resource", "Type", *(("Replaced", "What changes") if modified else ()))
    table = _table(*columns, title="Resources")
    for change in changes:
        kept = f" ({change.policy})" if change.policy else ""
        cells = [
            Text(change.action + kept, style=ACTIONS.get(change.action, "")),
            Text(change.resource),
            Text(change.type),
        ]
        if modified:
            cells.append(REPLACED.get(change.replacement, Text("")))
            cells.append(Text("\n".join(map(_detail, change.details))))
        table.add_row(*cells)
    return table


def _detail(detail: Detail) -> str:
    text = detail.what
    # Documents begin alike; where they differ would be cut off.
    if (detail.before or detail.after) and not (detail.before + detail.after).startswith(("{", "[")):
        text += f": {shown(detail.before)} → {shown(detail.after)}"
    return text + (f" (by {detail.because})" if detail.because else "")


def values_table(proposal: Proposal) -> Table | None:
    """Parameters that change; of a new stack those that are not the template's defaults. None for none."""
    new = proposal.before is None
    table = _table(*(("Parameter", "Value") if new else ("Parameter", "Now", "Will be")), title="Parameters")
    for name, now, wanted in proposal.changed_values:
        if new and name not in proposal.values.given:
            continue
        value = shown(wanted) + (" (made for you)" if name in proposal.made else "")
        cells = (name, value) if new else (name, shown(now), value)
        table.add_row(*map(Text, cells))
    return table if table.row_count else None


def outputs_table(outputs: Iterable[tuple[str, str]]) -> Table:
    """Names and values."""
    table = _table("Output", "Value", title="Outputs")
    for name, value in outputs:
        table.add_row(Text(name), Text(value))
    return table


def shown(value: str) -> str:
    """A value, cut where it gets long."""
    flat = " ".join(value.split())
    return flat if len(flat) <= SHOWN_CHARACTERS else flat[: SHOWN_CHARACTERS - 1] + "…"


def say_event(event: Event) -> None:
    """A line for something that happened to a resource; what AWS says twice is said once."""
    if event.reason == "Resource creation Initiated":
        return
    style = "bold red" if event.failed else "green" if event.status.endswith("_COMPLETE") else "dim"
    line = Text(f"{event.status:<28}", style=style)
    line.append(f" {event.resource}  {event.type}", style="default")
    if event.reason and event.reason != "User Initiated":
        line.append(f"  {event.reason}", style=style)
    err().print(line, soft_wrap=True)


def say(text: str) -> None:
    """A line about what goes on; not part of the result."""
    err().print(text, style="dim", markup=False, soft_wrap=True)


def _table(*columns: str, title: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def plan_lines(what: Plan, name: str) -> Iterator[Text]:
    """What a rollout will do, a line for each thing."""
    verbs = {"create": "will be made", "update": "will be changed", "keep": "stays as it is"}
    yield Text(f"StackSet {name} {verbs[what.definition]}", style="bold")
    rights = what.permissions
    if not rights.before:
        yield Text(f"  permissions {rights.after}")
    elif rights.before != rights.after:
        yield Text(f"  permissions {rights.before} → {rights.after}", style="yellow")
    else:
        yield Text(f"  permissions {rights.after}, as now")
    if rights.gained:
        yield Text(f"  bots gained: {listed(rights.gained)}", style="green")
    if rights.lost:
        # All of them: whoever agrees has to know.
        yield Text(f"  bots lost: {', '.join(rights.lost)}", style="bold red")
    if what.changed:
        yield Text(f"  parameters changed: {', '.join(what.changed)}", style="yellow")
    for verb, accounts in (("new", what.new), ("updated", what.updated), ("current", what.current)):
        if accounts:
            yield Text(f"  {counted_accounts(len(accounts))} {verb}: {listed(accounts)}")
    for each in what.left_out:
        yield Text(f"  left out: {each.account_id} {each.name}: {each.reason}", style="dim")
    if what.does_nothing:
        yield Text("nothing to do: every account has the role as it should be", style="green")


def counted_accounts(number: int) -> str:
    """So many accounts."""
    return f"{number} account{'' if number == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """The first of them, and how many more."""
    more = f" and {len(words) - SHOWN_ACCOUNTS} more" if len(words) > SHOWN_ACCOUNTS else ""
    return ", ".join(words[:SHOWN_ACCOUNTS]) + more


def missed_table(missed: Sequence[Missed], names: Mapping[str, str]) -> Table:
    """Accounts that do not have the role as they should, why, and what to do."""
    table = _table(
        "Account", "Name", "Reason", "What to do", title=f"Missed: {counted_accounts(len(missed))}"
    )
    for each in missed:
        cells = (each.account_id, names.get(each.account_id, ""), each.reason, advice(each.reason))
        table.add_row(*map(Text, cells))
    return table
