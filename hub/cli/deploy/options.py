"""Options that all of ``hub deploy`` have, said once."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.session import Aws

Profile = Annotated[
    str | None, typer.Option("--profile", envvar="AWS_PROFILE", help="Profile with the credentials.")
]
Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
        help="Region of the stacks; else the profile's.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was done as one line of JSON.")]
ChangeSetOnly = Annotated[
    bool, typer.Option("--change-set-only", help="Leave the change set for others to review and execute.")
]
HubStack = Annotated[str, typer.Option("--stack", help="Name of the hub's stack.")]
StackSetName = Annotated[str, typer.Option("--stack-set", help="Name of the spoke roles' StackSet.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter", "-P", metavar="KEY=VALUE", help="A parameter of the template; may be repeated."
    ),
]
ParametersFile = Annotated[
    Path | None,
    typer.Option("--parameters-file", metavar="FILE", help="Parameters, as YAML or JSON; -P goes before it."),
]


@dataclass(frozen=True, slots=True)
class Given:
    """The parameters of both options."""

    words: list[str] | None
    path: Path | None

    def read(self) -> dict[str, str]:
        """Values by name.

        Raises:
            InputWrong: one of the options cannot be read.
        """
        from deploy.parameters import from_file, from_words  # noqa: PLC0415 - needed by some commands only

        return {**(from_file(self.path) if self.path else {}), **from_words(self.words or ())}


@dataclass(frozen=True, slots=True)
class Account:
    """Whose credentials, and where."""

    profile: str | None
    region: str | None

    def open(self) -> AbstractAsyncContextManager[Aws]:
        """Clients."""
        from deploy.session import open_aws  # noqa: PLC0415

        return open_aws(profile=self.profile, region=self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """Whether to ask, and who reads what is printed."""

    yes: bool
    as_json: bool
