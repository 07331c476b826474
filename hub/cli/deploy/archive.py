"""``hub deploy archive``: every report kept for years, where Athena finds it."""

from __future__ import annotations

import typer

from deploy.names import ARCHIVE_STACK, HUB_STACK
from hub.cli.console import print_json
from hub.cli.deploy import options

EXAMPLES = """
[bold]Examples[/]

  hub deploy archive                            after hub deploy hub; what it has to know the hub's stack tells
  hub deploy archive -P ArchiveDays=3650        keep reports for ten years
  hub deploy archive --change-set-only          for somebody else to review

What to ask Athena: docs/archive.md. The bucket stays when the stack is removed.
Exit status: 0 done, or nothing to change, 1 AWS did not do it or you said no, 2 it cannot be done as asked.
"""


def add_to(app: typer.Typer) -> None:
    app.command("archive", epilog=EXAMPLES)(archive)


def archive(
    *,
    parameter: options.Parameters = None,
    parameters_file: options.ParametersFile = None,
    change_set_only: options.ChangeSetOnly = False,
    stack: options.HubStack = HUB_STACK,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
    profile: options.Profile = None,
    region: options.Region = None,
) -> None:
    """Bring up the archive of all reports beside the hub, or bring it up to date. Shows what would change, and asks."""
    from hub.cli.deploy.conduct import conduct  # noqa: PLC0415 - what only this command needs is loaded then

    conduct(
        _archive(
            options.Given(parameter, parameters_file),
            options.Account(profile, region),
            options.Manner(yes=yes, as_json=as_json),
            only=change_set_only,
            hub_stack=stack,
        )
    )


async def _archive(
    given: options.Given, account: options.Account, manner: options.Manner, *, only: bool, hub_stack: str
) -> int:
    from deploy.errors import InputWrong  # noqa: PLC0415
    from deploy.proposal import present  # noqa: PLC0415
    from deploy.report_archive import prepare  # noqa: PLC0415
    from hub.cli.deploy.change import StackChange  # noqa: PLC0415
    from hub.cli.deploy.conduct import must_be_able_to_ask  # noqa: PLC0415

    must_be_able_to_ask(yes=manner.yes or only)
    values = given.read()
    async with account.open() as aws:
        hub = await present(aws, hub_stack)
        if hub is None:
            raise InputWrong(f"there is no stack {hub_stack} here: hub deploy hub comes first")
        change = StackChange(aws, ARCHIVE_STACK, yes=manner.yes, quiet=manner.as_json)
        before = await change.start()
        proposal = await prepare(aws, name=ARCHIVE_STACK, hub=hub, before=before, given=values)
        settled = await change.settle(proposal, only=only)
    if manner.as_json:
        print_json(settled.facts)
    return 0
