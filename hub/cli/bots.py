"""``hub bots``: the catalogue, read from the bots' own headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hub.cli.console import out, print_error, print_json
from hub.errors import RemediationUnknown

if TYPE_CHECKING:
    from bots._bot import AnyBot
    from bots._catalogue import Catalogue

EXAMPLES = """
[bold]Examples[/]

  hub bots                          all bots
  hub bots sg_single_rule_delete    parameters, permissions, risk, undo, an example
  HUB_BOTS_FOLDER=my-bots hub bots  bots of your own among them, and what is wrong with the broken ones
"""


def add_to(app: typer.Typer) -> None:
    app.command("bots", epilog=EXAMPLES)(bots)


def bots(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Everything about this bot.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line a bot.")] = False,
) -> None:
    """List the bots, or tell everything about one."""
    from bots._catalogue import BrokenBot, UnknownBot  # noqa: PLC0415

    known = known_bots()
    found, broken = [], []
    for each in (name,) if name else known.names():
        try:
            found.append(known.bot_named(each))
        except UnknownBot as error:
            raise RemediationUnknown(str(error)) from error
        except BrokenBot as error:
            broken.append(str(error))
    for text in broken:
        print_error(text)
    if as_json:
        for bot in found:
            print_json(facts(bot))
    elif name and found:
        _show(found[0])
    else:
        table = Table(header_style="bold")
        for column in ("Bot", "Acts on", "Risk", "Undo", "What it does"):
            table.add_column(column, overflow="fold")
        for bot in found:
            table.add_row(bot.name, bot.acts_on, bot.risk, bot.undo.degree, purpose(bot))
        out().print(table)
    if broken:
        raise typer.Exit(1)


def known_bots() -> Catalogue:
    """This project's bots and, where the settings name a folder, the user's own.

    Raises:
        SettingsWrong: there is no such folder.
    """
    from bots._own import catalogue  # noqa: PLC0415
    from hub.errors import SettingsWrong  # noqa: PLC0415
    from hub.settings import Settings  # noqa: PLC0415

    try:
        return catalogue(Settings.load().bots_folder)
    except NotADirectoryError as error:
        raise SettingsWrong(f"HUB_BOTS_FOLDER: {error}") from error


def purpose(bot: AnyBot) -> str:
    """The first sentence of the bot's docstring."""
    return " ".join(bot.paragraphs[0].split())


def facts(bot: AnyBot) -> dict[str, Any]:
    """A bot's header as JSON."""
    from bots._words import describe, usage  # noqa: PLC0415

    return {
        "name": bot.name,
        "purpose": purpose(bot),
        "details": " ".join(" ".join(bot.paragraphs[1:]).split()),
        "acts_on": bot.acts_on,
        "risk": str(bot.risk),
        "undo": {"degree": bot.undo.degree, "why": bot.undo.why},
        "examples": list(bot.examples),
        "usage": usage(bot.params),
        "parameters": [parameter._asdict() for parameter in describe(bot.params)],
        "reads": list(bot.reads),
        "writes": list(bot.writes),
        "resources": {action: list(patterns) for action, patterns in bot.resources.items()},
        "passes": {service: list(roles) for service, roles in bot.passes.items()},
        "creates": list(bot.creates),
        "entity_keys": list(bot.entity_keys),
        "optional": bot.optional,
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
        "Optional": "off unless HUB_OPTIONAL_BOTS names it" if bot.optional else "",
        "Reads": "\n".join(bot.reads),
        "Writes": "\n".join(bot.writes),
        "Hands on": "\n".join(f"{', '.join(roles)} to {service}" for service, roles in bot.passes.items()),
        "May create": "\n".join(bot.creates),
        "In a finding": "\n".join(bot.examples),
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
