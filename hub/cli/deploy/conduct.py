"""How every ``hub deploy`` command runs: asks before it acts, ends in words, leaves with a status."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

from deploy.calls import said
from deploy.errors import DeploymentFailed, InputWrong
from hub.cli.console import at_a_terminal, err, print_error

INTERRUPTED = 130


class Declined(Exception):
    """The person was asked and said no."""


def conduct(command: Coroutine[Any, Any, int]) -> None:
    """Run a command to its exit status.

    Raises:
        typer.Exit: always.
    """
    try:
        status = asyncio.run(command)
    except InputWrong as error:
        status = _ended(2, str(error))
    except Declined:
        err().print("nothing was changed")
        status = 1
    except DeploymentFailed as error:
        status = _ended(1, str(error))
    except ClientError as error:
        status = _ended(1, said(error))
    except (NoCredentialsError, ProfileNotFound) as error:
        status = _ended(2, f"{error}: give --profile, or set the AWS_ variables")
    except BotoCoreError as error:
        status = _ended(1, str(error))
    except KeyboardInterrupt:
        status = INTERRUPTED
    raise typer.Exit(status)


def _ended(status: int, text: str) -> int:
    for line in text.splitlines():
        print_error(line)
    return status


def must_be_able_to_ask(*, yes: bool) -> None:
    """Refuse early what would end in a question nobody hears.

    Raises:
        InputWrong: there is no terminal, and no ``--yes``.
    """
    if not yes and not at_a_terminal():
        raise InputWrong(
            "nothing was done: there is no terminal to ask on; give --yes to do it without asking"
        )


def insist(question: str, *, yes: bool) -> None:
    """Go on only when the person says yes, or has said so beforehand.

    Raises:
        InputWrong: there is nobody to ask.
        Declined: they say no.
        KeyboardInterrupt: they press Ctrl-C.
    """
    must_be_able_to_ask(yes=yes)
    if not yes and answer(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise Declined


def answer(question: str) -> str:
    """What the person types.

    Raises:
        KeyboardInterrupt: they pressed Ctrl-C or closed the input.
    """
    # asyncio's own handler would only note the Ctrl-C and let the question wait on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        err().print(question, end="", markup=False)
        line = sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)
    if not line:
        raise KeyboardInterrupt
    return line
