"""``hub bots``: the catalogue, read from the bots' own headers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hub.cli.console import out, print_json
from hub.errors import RemediationUnknown

if TYPE_CHECKING:
    from bots._bot import AnyBot

EXAMPLES = """
[bold]Examples[/]

  hub bots                          all bots
  hub bots sg_single_rule_delete    parameters, permissions, risk, undo, an example
"""


def add_to(app: typer.Typer) -> None:
    app.command("bots", epilog=EXAMPLES)(bots)


def bots(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Everything about this bot.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line a bot.")] = False,
) -> None:
    """List the bots, or tell everything about one."""
    from bots._catalogue import UnknownBot, bot_named, names  # noqa: PLC0415

    try:
        found = [bot_named(name)] if name else [bot_named(each) for each in names()]
    except UnknownBot as error:
        raise RemediationUnknown(str(error)) from error
    if as_json:
        for bot in found:
            print_json(facts(bot))
    elif name:
        _show(found[0])
    else:
        table = Table(header_style="bold")
        for column in ("Bot", "Acts on", "Risk", "Undo", "What it does"):
            table.add_column(column, overflow="fold")
        for bot in found:
            table.add_row(bot.name, bot.acts_on, bot.risk, bot.undo.degree, purpose(bot))
        out().print(table)


def _pages(bot: AnyBot) -> list[str]:
    return (sys.modules[f"bots.{bot.name}"].__doc__ or "").strip().split("\n\n")


def purpose(bot: AnyBot) -> str:
    """The first sentence of the bot's docstring."""
    return " ".join(_pages(bot)[0].split())


def facts(bot: AnyBot) -> dict[str, Any]:
    """A bot's header as JSON."""
    from bots._words import describe, usage  # noqa: PLC0415

    return {
        "name": bot.name,
        "purpose": purpose(bot),
        "details": " ".join(" ".join(_pages(bot)[1:]).split()),
        "acts_on": bot.acts_on,
        "risk": str(bot.risk),
        "undo": {"degree": bot.undo.degree, "why": bot.undo.why},
        "example": bot.example,
        "usage": usage(bot.params),
        "parameters": [parameter._asdict() for parameter in describe(bot.params)],
        "reads": list(bot.reads),
        "writes": list(bot.writes),
        "resources": {action: list(patterns) for action, patterns in bot.resources.items()},
        "global": bot.is_global,
        "aliases": list(bot.aliases),
    }


def _show(bot: AnyBot) -> None:
    told = facts(bot)
    console = out()
    console.print(Text(bot.name, style="bold"), Text(f"- {told['purpose']}"))
    if told["details"]:
        console.print(Text(told["details"]))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    undo = bot.undo.degree + (f": {bot.undo.why}" if bot.undo.why else "")
    rows = {
        "Acts on": bot.acts_on,
        "Risk": str(bot.risk),
        "Undo": undo,
        "Reads": "\n".join(bot.reads),
        "Writes": "\n".join(bot.writes),
        "In a finding": bot.example,
        "Also called": ", ".join(bot.aliases),
    }
    for label, value in rows.items():
        if value:
            table.add_row(Text(label, style="bold"), Text(value))
    console.print(table)
    if told["parameters"]:
        parameters = Table(title="Parameters", title_justify="left", header_style="bold")
        for column in told["parameters"][0]:
            parameters.add_column(column.replace("_", " ").capitalize(), overflow="fold")
        for parameter in told["parameters"]:
            cells = (", ".join(v) if isinstance(v, (list, tuple)) else str(v) for v in parameter.values())
            parameters.add_row(*map(Text, cells))
        console.print(parameters)
