"""``hub deploy spokes``: the spoke role, in the accounts to protect."""

from __future__ import annotations

from typing import Annotated

import typer

from bots._bot import Risk
from deploy.names import HUB_STACK, STACK_SET
from hub.cli.deploy import options

EXAMPLES = """
[bold]Examples[/]

  hub deploy spokes --ou /Workloads                      an OU and those below it, new accounts too
  hub deploy spokes --ou / --exclude 222233334444        the whole organization but one account
  hub deploy spokes --account 222233334444 --max-risk config-change
  hub deploy spokes --again 222233334444                 its role was changed or deleted by hand
  hub deploy spokes --here                               this account alone, as a plain stack
  hub deploy spokes --self-managed --account 222233334444 --execution-role OurExecutionRole

Cut off or failed in some accounts? Run the same again: it goes on where it ended.
Exit status: 0 every account has the role, 1 some have not or you said no, 2 it cannot be done as asked.
"""


def add_to(app: typer.Typer) -> None:
    app.command("spokes", epilog=EXAMPLES)(spokes)


def spokes(
    *,
    ou: Annotated[
        list[str] | None, typer.Option("--ou", help="OU by id, path or name; / is the root. May be repeated.")
    ] = None,
    account: Annotated[list[str] | None, typer.Option(help="Account id; may be repeated.")] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Account id to leave out of the OUs; may be repeated.")
    ] = None,
    again: Annotated[
        list[str] | None,
        typer.Option(help="Account whose role was changed or deleted by hand: take it away, bring it back."),
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="This account too, as a plain stack: StackSets leave some out.")
    ] = False,
    bots: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Allow what these bots need, and no more.")
    ] = None,
    max_risk: Annotated[Risk | None, typer.Option(help="Leave out what bots of a higher risk need.")] = None,
    self_managed: Annotated[
        bool,
        typer.Option("--self-managed", help="Enter accounts by roles that are there, not by trusted access."),
    ] = False,
    admin_role: Annotated[
        str,
        typer.Option(
            metavar="ARN", help="With --self-managed: the administration role, if not AWS's usual one."
        ),
    ] = "",
    execution_role: Annotated[
        str,
        typer.Option(metavar="NAME", help="With --self-managed: the accounts' role, if not AWS's usual one."),
    ] = "",
    parameter: options.Parameters = None,
    parameters_file: options.ParametersFile = None,
    stack: options.HubStack = HUB_STACK,
    stack_set: options.StackSetName = STACK_SET,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
    profile: options.Profile = None,
    region: options.Region = None,
) -> None:
    """Bring the spoke role into accounts, or bring it up to date there. Shows what would change, and asks.

    In the hub's account everything about the hub is known from its stack; elsewhere -P tells it.
    """
    from deploy.spokes import self_managed as by_roles  # noqa: PLC0415 - needed by this command only
    from hub.cli.deploy.conduct import conduct  # noqa: PLC0415
    from hub.cli.deploy.rollout import Chosen, run  # noqa: PLC0415

    conduct(
        run(
            Chosen(
                units=tuple(ou or ()),
                accounts=tuple(account or ()),
                excluded=tuple(exclude or ()),
                again=tuple(again or ()),
                here=here,
                bots=None if bots is None else tuple(filter(None, bots.split(","))),
                max_risk=max_risk,
                roles=by_roles(admin_role=admin_role, execution_role=execution_role)
                if self_managed
                else None,
            ),
            options.Given(parameter, parameters_file),
            options.Account(profile, region),
            options.Manner(yes=yes, as_json=as_json),
            hub_stack=stack,
            stack_set=stack_set,
        )
    )
