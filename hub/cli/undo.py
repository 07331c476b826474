"""``hub undo``: put back what a run changed, or many runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ages import length, moment
from hub.cli.console import at_a_terminal, console, err, out, print_error, print_json, runs_table
from hub.cli.counting import counted
from hub.cli.starting import command_settings

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.flow.undo import Wish
    from hub.flow.undo_batch import Chosen
    from hub.journals import Query

MOST = 1_000_000
SHOWN = 500

EXAMPLES = """
[bold]Examples[/]

  hub undo 4be1c0ffee0123456789 --because JIRA-12       put back what this run changed; on a terminal asks first
  hub undo 4be1c0ffee0123456789 --dry-run               show what would be put back, or lost
  hub undo --bot s3_only_allow_ssl --since 2h           all of this bot in the last two hours; asks first
  hub undo --account 222233334444 --since 1d --yes      a whole account, without asking
  hub undo --finding lpPo4SuLQaMbGYnZ67ybuA --hold 30d  and not again for 30 days

A bot does not do again what was taken back until the time of --hold is over; `hub lift` ends it sooner. A batch that
was cut off goes on when the same is asked for again. Exit status: 0 all restored and proven, 1 some not restored (the
reports say why), 2 nothing to undo.
"""


def add_to(app: typer.Typer) -> None:
    app.command("undo", epilog=EXAMPLES)(undo)


def undo(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="The run's id, from a report or `hub history`.")
    ] = None,
    *,
    finding: Annotated[str | None, typer.Option(help="All runs of this findingKey.")] = None,
    account: Annotated[str | None, typer.Option(help="All runs in this account.")] = None,
    bot: Annotated[str | None, typer.Option(help="All runs of this bot.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only runs not older than this: 2h, 7d, 2026-11-24T08:00.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where the resource was changed since; that change is lost.")
    ] = False,
    hold: Annotated[
        str,
        typer.Option(metavar="TIME", help="So long the bot does not do it again: 12h, 7d, 0 for not at all."),
    ] = "7d",
    because: Annotated[str, typer.Option(metavar="WHY", help="The reason, for the journal.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be put back; change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before anything is taken back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each report as one line of JSON.")] = False,
) -> None:
    """Put back what a run changed, or many runs; prove it and report it."""
    from hub.flow.undo import BECAUSE, Wish  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.journals import Query  # noqa: PLC0415

    wish = Wish(force=force, hold=length(hold), because=" ".join(because.split())[:500] or BECAUSE)
    filters = (finding, account, bot, since)
    if any(each is not None and not each.strip() for each in filters):
        # A script's variable that is not set: left out, the filter would match far more than was meant.
        raise typer.BadParameter("--finding, --account, --bot and --since must not be empty")
    if (run is None) == all(each is None for each in filters):
        raise typer.BadParameter("give the id of a run, or some of --finding, --account, --bot and --since")
    query = Query(
        finding_key=finding,
        account_id=account,
        bot=bot,
        since=moment(since, now=datetime.now(UTC)) if since is not None else None,
        limit=MOST,
    )
    raise typer.Exit(asyncio.run(_undo(run, query, wish, dry_run=dry_run, sure=yes, as_json=as_json)))


async def _undo(
    run_id: str | None, query: Query, wish: Wish, *, dry_run: bool, sure: bool, as_json: bool
) -> int:
    from hub.app import open_hub  # noqa: PLC0415

    settings = command_settings(**({"dry_run": True} if dry_run else {}))
    async with open_hub(settings) as hub:
        if run_id is None:
            return await _many(hub, query, wish, dry_run=dry_run, sure=sure, as_json=as_json)
        if dry_run:
            return await _shown(hub, [run_id], wish, as_json=as_json)
        if not sure and at_a_terminal() and not await _agreed(hub, [run_id], 1, wish, as_json=as_json):
            return 2
        return await _one(hub, run_id, wish, as_json=as_json)


async def _one(hub: Hub, run_id: str, wish: Wish, *, as_json: bool) -> int:
    from hub.flow.report import document  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.model import Outcome  # noqa: PLC0415

    report = await hub.undo(run_id, wish)
    if as_json:
        print_json(document(report))
    else:
        out().print(runs_table(report.runs))
    return 0 if report.outcomes == (Outcome.RESTORED,) else 1


async def _many(hub: Hub, query: Query, wish: Wish, *, dry_run: bool, sure: bool, as_json: bool) -> int:
    from hub.flow.report import document  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.flow.undo_batch import Undone, choose, undo_all  # noqa: PLC0415
    from hub.model import Outcome  # noqa: PLC0415

    chosen = await choose(hub.kit, query)
    _say_left(chosen)
    if not chosen.runs:
        print_error(
            "none of the runs that match can be taken back"
            if chosen.left
            else "no run matches that changed something and is not taken back yet"
        )
        return 2
    if dry_run:
        return await _shown(hub, [run.run_id for run in chosen.runs], wish, as_json=as_json)
    if not sure:
        if not at_a_terminal():
            print_error(f"{len(chosen.runs)} runs would be taken back; look with --dry-run, then say --yes")
            return 2
        first = [run.run_id for run in chosen.runs[:SHOWN]]
        if not await _agreed(hub, first, len(chosen.runs), wish, as_json=as_json):
            return 2
    done: list[Undone] = []
    with counted("taking back", shown=not as_json) as count:

        async def on_undone(one: Undone) -> None:
            done.append(one)
            if count is not None:
                count(len(done), len(chosen.runs))
            if as_json and one.report is not None:
                print_json(document(one.report))
            elif one.report is None:
                print_error(f"run {one.run.run_id}: {one.why}")

        await undo_all(hub.kit, chosen.runs, wish, on_undone)
    runs = [run for one in done if one.report for run in one.report.runs]
    restored = sum(run.outcome is Outcome.RESTORED for run in runs)
    if not as_json:
        out().print(runs_table(runs[:SHOWN]))
        out().print(f"{restored} of {len(chosen.runs)} runs taken back")
    return 0 if restored == len(chosen.runs) else 1


async def _agreed(hub: Hub, run_ids: list[str], count: int, wish: Wish, *, as_json: bool) -> bool:
    """Whether somebody who has seen what would be put back wants it so."""
    await _shown(hub, run_ids, wish, to_stderr=as_json)
    return typer.confirm(f"Take back {count} {'run' if count == 1 else 'runs'}?", err=True)


async def _shown(
    hub: Hub, run_ids: list[str], wish: Wish, *, as_json: bool = False, to_stderr: bool = False
) -> int:
    """What would be put back; nothing is changed.

    Raises:
        NothingToUndo: of one run; of several, those are told as errors.
    """
    from hub.abreast import abreast  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.flow.way_back import NothingToUndo  # noqa: PLC0415
    from hub.journals.wire import to_json  # noqa: PLC0415
    from hub.model import Outcome, Run  # noqa: PLC0415

    found: dict[str, Run] = {}

    async def look(run_id: str) -> None:
        try:
            found[run_id] = await hub.preview_undo(run_id, wish)
        except NothingToUndo as error:
            if len(run_ids) == 1:
                raise
            print_error(str(error))

    await abreast(run_ids, look, hands=hub.kit.settings.concurrency)
    runs = [found[run_id] for run_id in run_ids if run_id in found]
    for run in runs if as_json else ():
        print_json(to_json(run))
    if not as_json:
        table = runs_table(runs, title="What would be put back", with_run=False)
        console(to_stderr=to_stderr).print(table)
    well = all(run.outcome in (Outcome.WOULD_FIX, Outcome.RESTORED) for run in runs)
    return 0 if well and len(runs) == len(run_ids) else 1


def _say_left(chosen: Chosen) -> None:
    for run, why in chosen.left[:SHOWN]:
        err().print(f"left: {run.bot} on {run.target_id or run.entity_id}: {why}", style="dim", markup=False)
