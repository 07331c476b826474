"""``hub deploy remove``: spoke roles first, then the hub; the journal stays unless told."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.names import HUB_STACK, STACK_SET
from hub.cli.deploy import options

EXAMPLES = """
[bold]Examples[/]

  hub deploy remove                      spoke roles, then the hub; keeps the journal
  hub deploy remove --spokes-only        the hub stays
  hub deploy remove --account 222233334444    one account is no longer protected
  hub deploy remove --retain 222233334444     an account StackSets cannot get into any more
  hub deploy remove --journal-too        also what could still be undone; asks for the table's name

Failed or cut off half-way? Run the same again.
Exit status: 0 removed, or nothing was there, 1 something is left or you said no, 2 it cannot be done as asked.
"""


def add_to(app: typer.Typer) -> None:
    app.command("remove", epilog=EXAMPLES)(remove)


def remove(
    *,
    spokes_only: Annotated[bool, typer.Option("--spokes-only", help="Leave the hub as it is.")] = False,
    account: Annotated[
        list[str] | None,
        typer.Option(metavar="ACCOUNT", help="Only the spoke role of this account; may be repeated."),
    ] = None,
    retain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACCOUNT", help="Let go of this account with its role in place; may be repeated."
        ),
    ] = None,
    journal_too: Annotated[
        bool, typer.Option("--journal-too", help="Delete the journal and the dead-letter queue, too.")
    ] = False,
    yes_delete_journal: Annotated[
        bool, typer.Option("--yes-delete-journal", help="With --journal-too: without asking for its name.")
    ] = False,
    stack: options.HubStack = HUB_STACK,
    stack_set: options.StackSetName = STACK_SET,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
    profile: options.Profile = None,
    region: options.Region = None,
) -> None:
    """Take the spoke roles away from every account, then the hub. What was done stays written down."""
    from hub.cli.deploy.conduct import conduct  # noqa: PLC0415 - what only this command needs is loaded then
    from hub.cli.deploy.removing import Chosen, run  # noqa: PLC0415

    chosen = Chosen(
        hub_stack=stack,
        stack_set=stack_set,
        spokes_only=spokes_only,
        accounts=tuple(account or ()),
        retained=tuple(retain or ()),
        journal_too=journal_too,
        journal_agreed=yes_delete_journal,
    )
    conduct(run(chosen, options.Account(profile, region), options.Manner(yes=yes, as_json=as_json)))
