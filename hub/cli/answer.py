"""``hub approve`` and ``hub reject``: a person's word about runs that wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.console import at_a_terminal, err, out, print_error, print_json, runs_table
from hub.cli.sheets import facts
from hub.cli.starting import command_settings

if TYPE_CHECKING:
    from hub.flow.answering import Question
    from hub.flow.kit import Kit
    from hub.flow.waiting import Waiting
    from hub.model import Report, Run

EXAMPLES = """
[bold]Examples[/]

  hub waiting                                                what waits
  hub approve 4be1c0ffee0123456789 --because "see OPS-17"    it goes on, if nothing has changed since
  hub reject 4be1c0ffee0123456789 --because "still used"     it ends as refused

Who says it is asked of AWS (STS) and recorded; docs/approval.md tells what rights that takes.
Exit status: 0 all answered, 1 some not (the text says why) or not carried out well, 2 unusable input or settings.
"""

TOLD = "a worker goes on with it"
LATER = "the next sweep of a worker or `hub resume` goes on with it"

Runs = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Runs that wait, from a report or `hub waiting`.")
]
Because = Annotated[str, typer.Option("--because", help="The reason, for whoever reads it later.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again, on a terminal.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print each answer as one line of JSON.")]


def add_to(app: typer.Typer) -> None:
    app.command("approve", epilog=EXAMPLES)(approve)
    app.command("reject", epilog=EXAMPLES)(reject)


def approve(runs: Runs, *, because: Because, yes: Yes = False, as_json: AsJson = False) -> None:
    """Say yes to runs that wait for a person. What would be done is shown first."""
    raise typer.Exit(asyncio.run(_answer(runs, approved=True, because=because, yes=yes, as_json=as_json)))


def reject(runs: Runs, *, because: Because, yes: Yes = False, as_json: AsJson = False) -> None:
    """Say no to runs that wait: they end as refused, and nothing is changed."""
    raise typer.Exit(asyncio.run(_answer(runs, approved=False, because=because, yes=yes, as_json=as_json)))


async def _answer(runs: list[str], *, approved: bool, because: str, yes: bool, as_json: bool) -> int:
    from hub.app import open_hub  # noqa: PLC0415
    from hub.errors import HubError  # noqa: PLC0415
    from hub.flow.answering import NotAnswered, answer, question, reason  # noqa: PLC0415

    try:
        words = reason(because)
    except NotAnswered as error:
        raise typer.BadParameter(str(error), param_hint="--because") from None
    settings = command_settings()
    well = True
    async with open_hub(settings) as hub:
        for run_id in dict.fromkeys(runs):
            told: dict[str, Any] = {"run": run_id, "answered": False}
            try:
                asked = await question(hub.kit, run_id)
                if not as_json:
                    _show(asked, then=_then(approved=approved, queue=settings.queue_url))
                    if not yes and at_a_terminal() and not _agreed(approved=approved):
                        well = False
                        continue
                waits = await answer(hub.kit, asked, approved=approved, because=words)
                told |= _said(waits)
                well = await _go_on(hub.kit, waits, told, as_json=as_json) and well
            except HubError as error:
                well = False
                told["error"] = str(error)
                print_error(str(error))
            if as_json:
                print_json(told)
    return 0 if well else 1


def _agreed(*, approved: bool) -> bool:
    return typer.confirm("Approve it?" if approved else "Reject it?", err=True)


async def _go_on(kit: Kit, waits: Waiting, told: dict[str, Any], *, as_json: bool) -> bool:
    """Tell the queue; where there is none, carry it out here and now. Whether all went well."""
    from hub.errors import HubError  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.flow.report import document  # noqa: PLC0415
    from hub.flow.resume import resume  # noqa: PLC0415

    if kit.settings.queue_url:
        await _tell(kit, waits, told)
        if not as_json:
            out().print(f"{_word(waits)}; {TOLD if told['sent'] else LATER}", markup=False)
        return True
    try:
        settled = await resume(kit, waits.run_id)
    except HubError as error:
        told["error"] = str(error)
        print_error(f"{_word(waits)}, but it could not go on yet: {error}; {LATER}")
        return False
    if settled.report is None:
        # Somebody else took it up between the answer and now.
        told["why"] = settled.why
        if not as_json:
            out().print(f"{_word(waits)}; {settled.why}", markup=False)
        return True
    told["report"] = document(settled.report)
    if not as_json:
        out().print(f"{_word(waits)}, and carried out here", markup=False)
        out().print(runs_table(settled.report.runs))
    return _well(settled.report)


def _well(report: Report) -> bool:
    return all(outcome.well for outcome in report.outcomes)


async def _tell(kit: Kit, waits: Waiting, told: dict[str, Any]) -> None:
    from hub.errors import HubError  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.flow.going_on import tell  # noqa: PLC0415

    try:
        told["sent"] = await tell(kit, waits)
    except HubError as error:
        # Approvers need not be able to write to the queue. The answer stands, and somebody looks every minute.
        told |= {"sent": False, "error": str(error)}
        err().print(f"the queue was not told: {error}", style="yellow", markup=False, soft_wrap=True)


def _word(waits: Waiting) -> str:
    return f"{'approved' if waits.answer and waits.answer.approved else 'rejected'} run {waits.run_id}"


def _said(waits: Waiting) -> dict[str, Any]:
    from hub.cli.waiting import said  # noqa: PLC0415 - what only this command needs is loaded when it runs

    return {"answered": True, "answer": said(waits.answer)}


def _show(asked: Question, *, then: str) -> None:
    from hub.flow.redaction import plain, redactor  # noqa: PLC0415 - what only this command needs

    rows = ((name, plain(text, redactor(None))) for name, text in _facts(asked.run, asked.waits))
    out().print(facts((*rows, ("Then", then))))


def _then(*, approved: bool, queue: str) -> str:
    if not approved:
        return "it ends as refused, and nothing is changed"
    if queue:
        return "a worker of the queue goes on with it, if nothing has changed by then"
    return "it is carried out here, with the rights of whoever calls this, as HUB_QUEUE_URL is not set"


def _facts(run: Run, waits: Waiting) -> Iterator[tuple[str, str]]:
    """What would be done and why it waits, as names and values."""
    yield "Run", run.run_id
    yield "Finding", f"{run.finding_key} ({run.rule})"
    yield "Bot", " ".join((run.bot, *run.args))
    yield "Account", f"{run.account_id} {run.account_name}, {run.region}".replace(" ,", ",")
    yield "Resource", f"{run.target_type} {run.target_id}"
    yield "Waits", waits.why
    yield "Asked for by", waits.requested_by
    for word in run.verdicts or ():
        if word.why and word.why != waits.why:
            yield f"Guard {word.guard}", f"{word.decision}: {word.why}"
    for note in run.notes:
        yield "Note", note
    yield "There now", json.dumps(run.before, ensure_ascii=False)
    for call in run.planned or ():
        yield (
            "Would call",
            f"{call.service} {call.operation} in {call.region}: {json.dumps(call.params, ensure_ascii=False)}",
        )
    yield "Undo", run.undo
