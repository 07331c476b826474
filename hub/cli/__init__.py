"""The command line ``hub``. Each command lives in a file of its own and is imported when it is called.

Exit statuses: 0 all well · 1 something failed or needs a person · 2 the input, the settings or the
command itself cannot be used · 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hub import __version__
from hub.cli.console import print_error
from hub.errors import HubError

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fix cloud misconfigurations across an AWS organization, prove every fix, and take it back if need be.",
    epilog="Exit status: 0 all well, 1 something failed, 2 unusable input or settings. "
    "Settings are environment variables, see docs/settings.md.",
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's form of a callback
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and log everything.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options that go before any command."""


def _add_commands() -> None:
    from hub.cli import (  # noqa: PLC0415 - after app exists
        answer,
        apply,
        bots,
        demo,
        deploy,
        doctor,
        history,
        lift,
        package,
        plan,
        resume,
        rules,
        run,
        undo,
        waiting,
        why,
        work,
    )

    for module in (
        run,
        plan,
        apply,
        work,
        waiting,
        answer,
        resume,
        undo,
        lift,
        history,
        why,
        doctor,
        bots,
        rules,
        package,
        deploy,
        demo,
    ):
        module.add_to(app)


_add_commands()


def main() -> None:
    """Run the command line; errors meant for the user are one line, without a traceback."""
    debug = "--debug" in sys.argv
    if debug:
        # Accepted anywhere on the line: that is where people add it when something went wrong.
        sys.argv = [sys.argv[0], "--debug", *(word for word in sys.argv[1:] if word != "--debug")]
    try:
        app()
    except HubError as error:
        if debug:
            raise
        print_error(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        print_error(f"{type(error).__name__}: {error} (--debug shows where)")
        sys.exit(1)
