"""``hub apply``: carry out a saved plan."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.console import err, out, print_json, runs_table
from hub.cli.starting import command_settings

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.flow.saved_plan import Plan
    from hub.model import Report, Run

EXAMPLES = """
[bold]Examples[/]

  hub plan findings.jsonl --save   make a plan and keep it
  hub apply 4be1c0ffee01           carry it out; what has changed since is left alone

A plan is carried out once. What was cut off goes on when it is asked for again.
Exit status: 0 all well, 1 something failed, 2 no such plan, or it cannot be carried out (any more).
"""
TRIES_WHEN_BUSY = 20


def add_to(app: typer.Typer) -> None:
    app.command("apply", epilog=EXAMPLES)(apply)


def apply(
    plan: Annotated[str, typer.Argument(metavar="ID", help="The plan's id, from `hub plan --save`.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print each report as one line of JSON.")] = False,
) -> None:
    """Carry out a saved plan where nothing has changed since, prove it and report it."""
    raise typer.Exit(asyncio.run(_apply(plan, as_json=as_json)))


async def _apply(plan_id: str, *, as_json: bool) -> int:
    from hub import __version__  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.app import open_hub  # noqa: PLC0415
    from hub.flow import saved  # noqa: PLC0415
    from hub.flow.saved_plan import read  # noqa: PLC0415

    settings = command_settings()
    async with open_hub(settings) as hub:
        plan = await saved.begin(hub.kit, await read(hub.kit.journal, plan_id))
        if plan.hub != __version__:
            _remark(f"hub {plan.hub} made this plan, and this is hub {__version__}: what it calls may differ")
        reports = await _carried_out(hub, plan, concurrency=settings.concurrency)
        plan = await saved.finish(hub.kit, plan)
    runs = [run for report in reports for run in report.runs]
    if as_json:
        from hub.flow.report import document  # noqa: PLC0415

        for report in reports:
            print_json(document(report))
        print_json(_summary(plan, runs))
    else:
        _print(plan, runs)
    return 0 if all(run.outcome is not None and run.outcome.well for run in runs) else 1


async def _carried_out(hub: Hub, plan: Plan, *, concurrency: int) -> list[Report]:
    """Reports of all findings of the plan, in its order; of some that were settled before there is none."""
    from hub.abreast import abreast  # noqa: PLC0415

    reports: dict[int, Report] = {}

    async def work(numbered: tuple[int, tuple[Run, ...]]) -> None:
        number, runs = numbered
        report = await _patiently(hub, plan, runs)
        if report is not None:
            reports[number] = report

    await abreast(enumerate(plan.groups), work, hands=concurrency)
    return [reports[number] for number in sorted(reports)]


async def _patiently(hub: Hub, plan: Plan, runs: tuple[Run, ...]) -> Report | None:
    """Ask again while a bot waits for AWS, or somebody else is at it for a while."""
    from hub.errors import NotNow, PutOff  # noqa: PLC0415
    from hub.flow import saved  # noqa: PLC0415

    tries_when_busy = TRIES_WHEN_BUSY
    while True:
        try:
            return (await saved.carry_out(hub.kit, plan, runs)).report
        except PutOff as later:
            # The flow's own patience ends this.
            _remark(f"waiting {later.seconds:.0f} s: {later}")
            await asyncio.sleep(later.seconds)
        except NotNow as busy:
            tries_when_busy -= 1
            if not tries_when_busy:
                raise
            await asyncio.sleep(min(busy.seconds, 1.0))


def _summary(plan: Plan, runs: list[Run]) -> dict[str, Any]:
    from hub.cli.plan import document  # noqa: PLC0415
    from hub.flow.redaction import plain, redactor  # noqa: PLC0415

    left: dict[str, Any] = plain(
        {
            "outcomes": Counter(str(run.outcome) for run in runs),
            "left_alone": [
                {
                    "run": run.run_id,
                    "account": run.account_id,
                    "region": run.region,
                    "target": run.target_id or run.entity_id,
                    "bot": run.bot,
                    "outcome": run.outcome,
                    "message": run.message,
                }
                for run in plan.left_alone
            ],
        },
        redactor(None),
    )
    return document.head(plan) | left


def _print(plan: Plan, runs: list[Run]) -> None:
    if runs:
        out().print(runs_table(runs))
    if plan.left_alone:
        out().print(runs_table(plan.left_alone, title="Not carried out, as planned:", with_run=False))
    counts = Counter(str(run.outcome) for run in runs)
    told = (
        ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "nothing to carry out"
    )
    out().print(f"plan {plan.plan_id}: {told}", markup=False)


def _remark(text: str) -> None:
    err().print(text, style="dim", markup=False)
