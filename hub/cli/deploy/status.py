"""``hub deploy status``: where hub and spoke roles are, and where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from bots._bot import Risk
from deploy.names import HUB_STACK, PLAIN_STACK, STACK_SET
from hub.cli.console import out, print_json
from hub.cli.deploy import options

if TYPE_CHECKING:
    from deploy.status import SpokesState, StackState, Status

EXAMPLES = """
[bold]Examples[/]

  hub deploy status                   stacks, permissions, accounts by OU, and what is behind
  hub deploy status --all             every account
  hub deploy status --max-risk additive --json    for machines; the roles are meant for such bots only

Whether each account can really be entered is what `hub doctor` finds out.
Exit status: 0 all is as this version has it, 1 something is not, 2 it cannot be looked at.
"""


def add_to(app: typer.Typer) -> None:
    app.command("status", epilog=EXAMPLES)(status)


def status(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="List the accounts that are as they should be, too.")
    ] = False,
    bots: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="The bots the roles are meant to be enough for.")
    ] = None,
    max_risk: Annotated[Risk | None, typer.Option(help="The highest risk the roles are meant for.")] = None,
    stack: options.HubStack = HUB_STACK,
    stack_set: options.StackSetName = STACK_SET,
    as_json: options.AsJson = False,
    profile: options.Profile = None,
    region: options.Region = None,
) -> None:
    """Show the hub's stack, the spoke roles' permissions and how the role is in every account."""
    from hub.cli.deploy.conduct import conduct  # noqa: PLC0415 - what only this command needs is loaded then

    async def run() -> int:
        from deploy.status import document, look, meant_for  # noqa: PLC0415
        from hub.cli.bots import known_bots  # noqa: PLC0415

        meant = meant_for(None if bots is None else bots.split(","), max_risk, known_bots())
        async with options.Account(profile, region).open() as aws:
            found = await look(
                aws,
                hub_stack=stack,
                plain_stack=PLAIN_STACK,
                stack_set=stack_set,
                meant=meant,
            )
        if as_json:
            print_json(document(found))
        else:
            _show(found, every=every)
        return 1 if found.problems else 0

    conduct(run())


def _show(found: Status, *, every: bool) -> None:
    console = out()
    for title, state in (("Hub", found.hub), ("Spoke role of this account", found.plain)):
        if state is not None:
            console.print(_stack_table(title, state))
    if found.spokes is not None:
        _show_spokes(found.spokes, every=every)
    elif found.unseen:
        console.print(f"StackSet: not seen from here: {found.unseen}", style="dim", markup=False)
    for problem in found.problems:
        console.print(f"- {problem}", style="yellow", markup=False)
    if not found.problems:
        console.print("all is as this version has it", style="green")


def _stack_table(title: str, state: StackState) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    stack = state.stack
    table.add_row("Stack", Text(stack.name))
    table.add_row("State", Text(stack.status, style="green" if stack.well else "bold red"))
    if stack.reason:
        table.add_row("Reason", Text(stack.reason))
    same = "as this version has it" if not state.differs else f"differs in {', '.join(state.differs)}"
    table.add_row("Template", Text(same, style="yellow" if state.differs else ""))
    for name in ("ExternalId", "DeploymentMode", "DryRun"):
        if name in stack.parameters:
            table.add_row(name, Text(stack.parameters[name]))
    # What has several lines is for machines.
    for name, value in ((name, value) for name, value in stack.outputs.items() if "\n" not in value):
        table.add_row(Text(name), Text(value))
    return table


def _show_spokes(spokes: SpokesState, *, every: bool) -> None:
    from deploy.status import CURRENT  # noqa: PLC0415

    console = out()
    console.print(f"StackSet {spokes.name} ({spokes.model})", style="bold", markup=False)
    console.print(f"  permissions {spokes.permissions}, this version has {spokes.wanted}", markup=False)
    if spokes.lacking:
        console.print(f"  not enough for: {', '.join(spokes.lacking)}", markup=False)
    if spokes.under_way:
        console.print("  an operation is under way", style="yellow")
    states = sorted({each.state for each in spokes.accounts})
    summary = Table(title="Accounts by OU", title_justify="left", header_style="bold")
    for column in ("OU", *states):
        summary.add_column(column)
    for unit, counts in spokes.counts.items():
        summary.add_row(Text(unit or "-"), *(str(counts.get(state, 0)) for state in states))
    console.print(summary)
    listed = [each for each in spokes.accounts if every or each.state != CURRENT]
    if not listed:
        return
    table = Table(title="Accounts", title_justify="left", header_style="bold")
    for column in ("Account", "Name", "OU", "State", "Reason"):
        table.add_column(column, overflow="fold")
    for each in listed:
        style = "green" if each.state == CURRENT else "yellow"
        cells = (each.account_id, each.name, each.unit, Text(each.state, style=style), each.reason)
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))
    console.print(table)
