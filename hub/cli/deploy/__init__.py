"""``hub deploy``: bring the hub and the spoke roles up, see where they are, take them away."""

from __future__ import annotations

import typer

EXAMPLES = """
[bold]Examples[/]

  hub deploy hub -P DeploymentMode=multi -P Compute=none   the hub's stack, in the security account
  hub deploy spokes --ou /Workloads                        the spoke role, in every account of an OU
  hub deploy archive                                       every report kept for years, for Athena
  hub deploy status                                        where it is, and where it is not
  hub deploy remove                                        take it all away; the journal stays

Credentials and region come from where every AWS tool looks for them (profile, environment).
Exit status: 0 done, or nothing to do, 1 AWS did not do it or you said no, 2 it cannot be done as asked.
"""


def add_to(app: typer.Typer) -> None:
    from hub.cli.deploy import archive, hub, remove, spokes, status  # noqa: PLC0415 - what they share is in this package

    deploy = typer.Typer(
        name="deploy",
        no_args_is_help=True,
        rich_markup_mode="rich",
        help="Bring the hub and the spoke roles up, see where they are, take them away.",
        epilog=EXAMPLES,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for module in (hub, spokes, archive, status, remove):
        module.add_to(deploy)
    app.add_typer(deploy)
