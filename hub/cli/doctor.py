"""``hub doctor``: is every account protected, and does the hub stand?"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.names import STACK_SET
from hub.cli.console import out, print_json
from hub.cli.counting import counted
from hub.cli.starting import command_settings

if TYPE_CHECKING:
    from hub.doctor.words import Health

EXAMPLES = """
[bold]Examples[/]

  hub doctor                              every account and the hub; equal problems are one line
  hub doctor --all                        a line for every account
  hub doctor --account 222233334444 --deep
  hub doctor --json                       one document, for monitoring

Run it as the hub: with the hub's role and the hub's settings. It changes nothing.
Exit status: 0 all well, 1 something needs doing, 2 doctor could not look.
"""


def add_to(app: typer.Typer) -> None:
    app.command("doctor", epilog=EXAMPLES)(doctor)


def doctor(
    *,
    account: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this account. Can be given several times.")
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every role's policies; a role's tag may say what is not so.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Every account and every line, also where all is well.")
    ] = False,
    stack_set: Annotated[
        str, typer.Option(metavar="NAME", help="The StackSet of the spoke roles, asked where the hub may.")
    ] = STACK_SET,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Look at every account of the organization and at the hub, and say what to do."""
    for each in account or ():
        if not re.fullmatch(r"\d{12}", each, re.ASCII):
            raise typer.BadParameter(f"{each!r} is not a 12-digit account id", param_hint="--account")
    health = asyncio.run(_doctor(tuple(account or ()), deep=deep, stack_set=stack_set, shown=not as_json))
    if as_json:
        from hub.doctor.document import document  # noqa: PLC0415 - what only this command needs

        print_json(document(health))
    else:
        from hub.doctor.page import page  # noqa: PLC0415

        for part in page(health, everything=everything):
            out().print(part)
    raise typer.Exit(0 if health.well else 1)


async def _doctor(only: tuple[str, ...], *, deep: bool, stack_set: str, shown: bool) -> Health:
    from hub.doctor import Wish, look  # noqa: PLC0415

    settings = command_settings()
    with counted("looking at accounts", shown=shown) as count:
        return await look(settings, Wish(only=only, deep=deep, stack_set=stack_set), on_progress=count)
