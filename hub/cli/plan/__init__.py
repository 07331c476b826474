"""``hub plan``: what would be done and why, call by call. Nothing is written unless the plan is to be saved."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.ages import length
from hub.cli.console import out, print_error, print_json
from hub.cli.starting import command_journal, command_settings

if TYPE_CHECKING:
    from bots._catalogue import Catalogue
    from hub.app import Hub
    from hub.model import Finding, Run
    from hub.settings import Settings

EXAMPLES = """
[bold]Examples[/]

  hub plan finding.json                   the live state, the guards' words, and the calls that would be made
  hub plan findings.jsonl --json          the same for machines
  hub plan finding.json --markdown        for a change ticket
  hub plan finding.json --save --keep 3d  keep it, to be carried out by `hub apply ID` within three days
  hub plan --saved 4be1c0ffee01           show a saved plan

Exit status: 0 everything could be planned, 1 some steps cannot run, 2 something could not be read.
"""
KEEP = "7d"
LONGEST = timedelta(days=90)


def add_to(app: typer.Typer) -> None:
    app.command("plan", epilog=EXAMPLES)(plan)


def plan(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...|-", help="Files with findings, - for standard input."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print each step as one line of JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a change ticket.")
    ] = False,
    save: Annotated[
        bool, typer.Option("--save", help="Keep the plan in the journal, for `hub apply`.")
    ] = False,
    keep: Annotated[
        str, typer.Option(help="How long a saved plan can be carried out: 12h, 3d; 90d at most.")
    ] = KEEP,
    saved: Annotated[str | None, typer.Option(metavar="ID", help="Show a saved plan instead.")] = None,
) -> None:
    """Show what would be done about findings and why. Nothing is changed or published."""
    if as_json and as_markdown:
        raise typer.BadParameter("--json and --markdown exclude each other")
    if (saved is None) == (not files):
        raise typer.BadParameter("give files with findings, or the id of a plan with --saved")
    if saved is not None and save:
        raise typer.BadParameter("it is saved already", param_hint="--save")
    kept_for = length(keep)
    if not timedelta() < kept_for <= LONGEST:
        raise typer.BadParameter(f"{keep!r} is not between a minute and 90 days", param_hint="--keep")
    work = _show(saved) if saved is not None else _plan(files or [], keep=kept_for if save else None)
    told = asyncio.run(work)
    _print(told, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(told.status)


@dataclass(slots=True)
class _Told:
    """What is to be printed: steps as documents, and of a saved plan its head."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    head: dict[str, Any] | None = None
    status: int = 0


async def _plan(files: list[str], *, keep: timedelta | None) -> _Told:
    from hub.app import open_hub  # noqa: PLC0415

    settings = command_settings(report_topic_arn="", feedback_hosts=())
    if keep is None:
        settings = _leaving_nothing_behind(settings)
    async with open_hub(settings) as hub:
        return await _planned(hub, files, keep=keep)


def _leaving_nothing_behind(settings: Settings) -> Settings:
    """Guards look into the journal, but one that is not there yet must not be made for a plan."""
    kind, _, where = settings.journal.partition(":")
    if kind == "sqlite" and not Path(where).exists():
        return settings.model_copy(update={"journal": "memory"})
    return settings


async def _planned(hub: Hub, files: list[str], *, keep: timedelta | None) -> _Told:
    from hub.cli.plan import document  # noqa: PLC0415 - what only this command needs
    from hub.cli.run import messages  # noqa: PLC0415
    from hub.errors import FindingUnreadable  # noqa: PLC0415
    from hub.flow.normalise import normalise  # noqa: PLC0415
    from hub.flow.redaction import redactor  # noqa: PLC0415
    from hub.flow.saved_plan import save  # noqa: PLC0415

    told = _Told()
    found: dict[str, tuple[Finding, Run]] = {}
    for message in messages(files):
        try:
            finding = normalise(message)
            runs = await hub.preview(message)
        except FindingUnreadable as error:
            told.status = 2
            print_error(f"{message.origin}: {error}")
            continue
        redact = redactor(finding.feedback.key.get_secret_value() if finding.feedback else None)
        for run in runs:
            # A finding that is there twice is settled once.
            if run.run_id in found:
                continue
            found[run.run_id] = finding, run
            undo = _undo(hub.kit.catalogue, run)
            told.steps.append(document.step(run, undo=undo, redact=redact))
            if run.outcome is not None and not run.outcome.well:
                told.status = max(told.status, 1)
    if keep is not None and found:
        told.head = document.head(await save(hub.kit, tuple(found.values()), keep=keep))
    return told


async def _show(plan_id: str) -> _Told:
    from hub.cli.bots import known_bots  # noqa: PLC0415
    from hub.cli.plan import document  # noqa: PLC0415
    from hub.flow.redaction import redactor  # noqa: PLC0415
    from hub.flow.saved_plan import read  # noqa: PLC0415

    async with command_journal() as journal:
        kept = await read(journal, plan_id)
    bots, redact = known_bots(), redactor(None)
    steps = [document.step(run, undo=_undo(bots, run), redact=redact) for run in kept.runs]
    return _Told(steps, document.head(kept))


def _undo(bots: Catalogue, run: Run) -> str:
    """How far a change can be taken back, in the bot's words."""
    from bots._catalogue import BrokenBot, UnknownBot  # noqa: PLC0415 - what only this command needs

    try:
        return bots.bot_named(run.bot).undo.why
    except (UnknownBot, BrokenBot):
        return ""


def _print(told: _Told, *, as_json: bool, as_markdown: bool) -> None:
    if as_json:
        for step in told.steps:
            print_json(step)
        if told.head is not None:
            print_json(told.head)
    elif as_markdown:
        from hub.cli.plan.markdown import markdown  # noqa: PLC0415 - what only this command needs

        sys.stdout.write(markdown(told.steps, told.head))
    else:
        from hub.cli.plan.page import page  # noqa: PLC0415

        for part in page(told.steps, told.head):
            out().print(part)
        if told.head is not None and not told.head["applied"]:
            out().print(f"carry it out with: hub apply {told.head['plan']}", markup=False)
