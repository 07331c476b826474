"""``hub deploy hub``: the hub's stack, by a change set that is looked at first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.names import HUB_STACK
from hub.cli.console import out, print_json
from hub.cli.deploy import options

if TYPE_CHECKING:
    from deploy.next_steps import Step

EXAMPLES = """
[bold]Examples[/]

  hub deploy hub -P DeploymentMode=multi -P Compute=none
  hub deploy hub --package dist/remediation-hub-0.1.0-arm64.zip --bucket our-code
  hub deploy hub --parameters-file hub.yaml --change-set-only     for somebody else to review
  hub deploy hub -P DryRun=false --yes                            all other values stay

Exit status: 0 done, or nothing to change, 1 AWS did not do it or you said no, 2 it cannot be done as asked.
"""


def add_to(app: typer.Typer) -> None:
    app.command("hub", epilog=EXAMPLES)(hub)


def hub(
    *,
    parameter: options.Parameters = None,
    parameters_file: options.ParametersFile = None,
    package: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The function's zip, from `hub package`. Needs --bucket."),
    ] = None,
    bucket: Annotated[
        str, typer.Option(help="Bucket of the same region for the zip, and for a template that is too long.")
    ] = "",
    change_set_only: options.ChangeSetOnly = False,
    stack: options.HubStack = HUB_STACK,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
    profile: options.Profile = None,
    region: options.Region = None,
) -> None:
    """Bring up the hub's stack, or bring it up to date. Shows what would change, and asks.

    Values that are not given stay as the stack has them; a new stack gets the template's defaults and an
    ExternalId of its own.
    """
    from hub.cli.deploy.conduct import conduct  # noqa: PLC0415 - what only this command needs is loaded then

    conduct(
        _hub(
            options.Given(parameter, parameters_file),
            options.Account(profile, region),
            options.Manner(yes=yes, as_json=as_json),
            package=package,
            bucket=bucket,
            only=change_set_only,
            name=stack,
        )
    )


async def _hub(
    given: options.Given,
    account: options.Account,
    manner: options.Manner,
    *,
    package: Path | None,
    bucket: str,
    only: bool,
    name: str,
) -> int:
    from deploy.errors import InputWrong  # noqa: PLC0415
    from deploy.hub import prepare  # noqa: PLC0415
    from deploy.next_steps import after_hub  # noqa: PLC0415
    from deploy.package_upload import read, upload  # noqa: PLC0415
    from hub.cli.deploy.change import StackChange  # noqa: PLC0415
    from hub.cli.deploy.conduct import must_be_able_to_ask  # noqa: PLC0415

    must_be_able_to_ask(yes=manner.yes or only)
    values = given.read()
    if package is not None and not bucket:
        raise InputWrong("--package needs --bucket, a bucket of the stack's region to lay it in")
    zipped = None if package is None else read(package)
    async with account.open() as aws:
        change = StackChange(aws, name, yes=manner.yes, quiet=manner.as_json)
        before = await change.start()
        made: set[str] = set()

        async def upload_package() -> None:
            if zipped is not None:
                await upload(await aws.client("s3"), bucket, zipped.key, zipped.content)

        while True:
            proposal = await prepare(
                aws, name=name, before=before, given=values, package=zipped, bucket=bucket
            )
            made |= set(proposal.made)
            settled = await change.settle(proposal, first=upload_package, only=only)
            if settled.stack is None or not proposal.imports:
                break
            before = settled.stack
        steps = after_hub(settled.stack, await aws.account_id(), aws.region) if settled.stack else []
    if manner.as_json:
        print_json({**settled.facts, "made": sorted(made), "next": [step.command for step in steps]})
    elif settled.changed:
        assert settled.stack is not None
        _say_next(steps, settled.stack.parameters["ExternalId"] if "ExternalId" in made else "")
    return 0


def _say_next(steps: list[Step], external_id: str) -> None:
    console = out()
    if external_id:
        console.print(f"ExternalId made for this hub: {external_id}", markup=False)
    console.print("\nNext:", style="bold")
    for step in steps:
        console.print(f"  {step.why}", markup=False)
        console.print(f"    {step.command}", markup=False, soft_wrap=True)
