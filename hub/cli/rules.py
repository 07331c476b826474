"""``hub rules``: is a file of remediation rules right, and what does an editor need to know about it?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.bots import known_bots
from hub.cli.console import out, print_error, print_json

if TYPE_CHECKING:
    from hub.rules.reading import Reading

EXAMPLES = """
[bold]Examples[/]

  hub rules check rules.yaml             every mistake with its line
  hub rules check rules.yaml --json      one document, for CI
  hub rules check s3://BUCKET/rules.yaml as it lies there, read with your credentials
  hub rules schema > rules.schema.json   for editors, with the names of all bots

Exit status: 0 the file is right, 2 it is not.
"""


def add_to(app: typer.Typer) -> None:
    rules = typer.Typer(no_args_is_help=True, help="Check a file of remediation rules, see docs/rules.md.")
    rules.command("check", epilog=EXAMPLES)(check)
    rules.command("schema", epilog=EXAMPLES)(schema)
    app.add_typer(rules, name="rules", epilog=EXAMPLES)


def check(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A path, s3://BUCKET/KEY or ssm:/NAME.", show_default=False),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell every mistake of a rules file, with its line and what was probably meant."""
    reading = asyncio.run(_reading(file))
    if as_json:
        print_json(_document(reading))
    elif reading.rules is None:
        for line in reading.text.splitlines():
            print_error(line)
    else:
        out().print(
            f"{file}: {len(reading.rules.rules)} rules, {reading.rules.guards.summary}, "
            f"{reading.rules.trust_place}",
            markup=False,
            soft_wrap=True,
        )
        for remark in reading.rules.remarks:
            out().print(f"note: {remark}", markup=False, soft_wrap=True)
    raise typer.Exit(0 if reading.rules is not None else 2)


async def _reading(address: str) -> Reading:
    from hub.rules.live import RulesFile, reading_of  # noqa: PLC0415 - what only this command needs

    if ":" not in address:
        return await reading_of(RulesFile(address), known_bots())
    from hub.aws.accounts import HubIdentity  # noqa: PLC0415
    from hub.aws.rules_sources import remote  # noqa: PLC0415
    from hub.settings import Settings  # noqa: PLC0415

    identity = HubIdentity(Settings.load())
    try:
        return await reading_of(remote(address, identity) or RulesFile(address), known_bots())
    finally:
        await identity.close()


def schema() -> None:
    """Print the JSON Schema of a rules file, with the names of the bots there are."""
    import json  # noqa: PLC0415

    from hub.rules.schema import schema as made  # noqa: PLC0415

    typer.echo(json.dumps(made(known_bots()), indent=2))


def _document(reading: Reading) -> dict[str, object]:
    return {
        "file": reading.file,
        "ok": reading.rules is not None,
        "rules": [
            {"name": rule.name, "line": rule.line, "action": rule.effect}
            for rule in (reading.rules.rules if reading.rules else ())
        ],
        "guards": {
            word: [entry.line for entry in section]
            for word, section in (reading.rules.guards.sections.items() if reading.rules else ())
            if section
        },
        "remarks": reading.rules.remarks if reading.rules else (),
        "mistakes": [
            {"line": each.line, "wrong": each.wrong, "meant": each.meant} for each in reading.mistakes
        ],
    }
