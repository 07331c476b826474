"""The demo from beginning to end: build, break, publish, work, read the reports, approve what waits, undo one run."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from hub.cli.console import console as new_console
from hub.cli.console import outcome_text, print_error, print_json
from hub.dashboard.page import render
from hub.demo import estate as estates
from hub.demo import violations
from hub.demo.embedded import CLEAN, EmbeddedAws, embedded_aws
from hub.demo.violations import Planted
from hub.errors import HubError
from hub.model import Outcome

SETTLE_SECONDS = 120.0
STOP_SECONDS = 20.0
WALKTHROUGH_BOT = "sg_single_rule_delete"
Document = dict[str, Any]


async def tell(*, accounts: int, folder: Path, as_json: bool) -> int:
    """Run the demo; 0 when every outcome is the expected one, else 1."""
    began = time.monotonic()
    console = new_console(to_stderr=as_json)
    columns = (
        SpinnerColumn(), TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    async with embedded_aws() as aws:
        with Progress(*columns, console=console) as progress:

            def bar(title: str, total: int) -> Any:
                task = progress.add_task(title, total=total)
                return lambda _text="": progress.advance(task)

            estate = await estates.build(
                aws, accounts=accounts, advance=bar("organization, hub stack, spoke roles", accounts + 2)
            )
            planted = await violations.plant(aws, estate, advance=bar("planting violations", accounts))
            due = {each.key: each for each in planted if each.expected}
            environment = await _environment(aws, estate)
            await violations.publish(aws, estate, planted)
            async with _worker(environment):
                reports = await _collect(
                    aws, estate, len(due), advance=bar("findings settled by `hub work`", len(due))
                )
                waiting = _waiting_runs(reports)
                if waiting:
                    person = {**environment, **await aws.person(estate.hub_account)}
                    await _hub(
                        person, "approve", *waiting, "--because", "nobody owns them", "--yes", "--json"
                    )
                approved = await _collect(
                    aws,
                    estate,
                    len(waiting),
                    advance=bar("dangerous ones a person said yes to", len(waiting)),
                )
                run = _walkthrough_run(reports, planted[1])
                undone = await _undo(
                    environment, run, advance=bar("undoing the first security group's fix", 1)
                )
            unsettled = await _left_over(aws, estate)
    _write(folder, [*reports, *approved, undone], console)
    if as_json:
        for report in (*reports, *approved, undone):
            print_json(report)
    else:
        _show(console, estate.accounts, [*reports, *approved], undone)
    wrong = _wrong(due, reports, approved, undone, unsettled)
    reports += approved
    for text in wrong:
        print_error(text)
    entries = sum(len(report["Rules violations found"]) for report in reports)
    console.print(
        f"{entries} entries in {len(reports)} reports about {len(estate.accounts)} accounts, "
        f"{time.monotonic() - began:.1f} s; {'every outcome as expected' if not wrong else f'{len(wrong)} wrong'}"
    )
    return 1 if wrong else 0


async def _environment(aws: EmbeddedAws, estate: estates.Estate) -> dict[str, str]:
    """What a real deployment gives the worker: the hub role's keys and the hub stack's outputs."""
    outputs = estate.outputs
    role = await aws.assume(outputs["HubRoleArn"], estate.hub_account)
    return {
        **CLEAN,
        **role,
        "AWS_ENDPOINT_URL": aws.url,
        "HUB_DEPLOYMENT_MODE": "multi",
        "HUB_EXTERNAL_ID": estate.external_id,
        "HUB_QUEUE_URL": outputs["QueueUrl"],
        "HUB_REPORT_TOPIC_ARN": outputs["OutputTopicARN"],
        "HUB_JOURNAL": f"dynamodb:{outputs['TableName']}",
        "HUB_LOG_LEVEL": "WARNING",
    }


@asynccontextmanager
async def _worker(environment: Mapping[str, str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "work", env=dict(environment), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    log = asyncio.create_task(process.stderr.read())
    try:
        yield
    except TimeoutError:
        process.kill()
        said = (await log).decode(errors="replace").strip()
        raise HubError(
            f"the worker did not settle everything in time; it said: {said[-2000:] or 'nothing'}"
        ) from None
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
        await log


async def _collect(aws: EmbeddedAws, estate: estates.Estate, due: int, *, advance: Any) -> list[Document]:
    """Read published reports until there are as many as are due."""
    sqs = await aws.client("sqs", estate.hub_account)
    reports: list[Document] = []
    async with asyncio.timeout(SETTLE_SECONDS):
        while len({report["Report id"] for report in reports}) < due:
            answer = await sqs.receive_message(
                QueueUrl=estate.reports_queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                reports.append(json.loads(message["Body"]))
                advance()
                await sqs.delete_message(
                    QueueUrl=estate.reports_queue, ReceiptHandle=message["ReceiptHandle"]
                )
    return reports


def _walkthrough_run(reports: list[Document], group: Planted) -> str:
    entries = (entry for report in reports if report["findingKey"] == group.key for entry in _entries(report))
    return str(next(entry["Run"] for entry in entries if entry["Remediation"] == WALKTHROUGH_BOT))


def _waiting_runs(reports: list[Document]) -> list[str]:
    entries = (entry for report in reports for entry in _entries(report))
    return [str(entry["Run"]) for entry in entries if entry["Outcome"] == str(Outcome.WAITING)]


async def _undo(environment: Mapping[str, str], run: str, *, advance: Any) -> Document:
    document: Document = json.loads(await _hub(environment, "undo", run, "--json"))
    advance()
    return document


async def _hub(environment: Mapping[str, str], *words: str) -> bytes:
    """What the command line says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", *words,
        env=dict(environment), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, complained = await process.communicate()
    if not told.strip():
        raise HubError(
            f"`hub {' '.join(words)}` said nothing but: {complained.decode(errors='replace').strip()}"
        )
    return told


async def _left_over(aws: EmbeddedAws, estate: estates.Estate) -> int:
    """Messages still in the findings queue, seen or not: none may be left."""
    sqs = await aws.client("sqs", estate.hub_account)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = await sqs.get_queue_attributes(QueueUrl=estate.outputs["QueueUrl"], AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def _entries(report: Document) -> list[Document]:
    entries: list[Document] = report["Rules violations found"]
    return entries


def _wrong(
    due: Mapping[str, Planted],
    reports: list[Document],
    approved: list[Document],
    undone: Document,
    unsettled: int,
) -> list[str]:
    wrong = [
        f"{report['Account id']}: approved, and not fixed: {_entries(report)}"
        for report in approved
        if [entry["Outcome"] for entry in _entries(report)] != [str(Outcome.FIXED)]
    ]
    for report in reports:
        expected = tuple(str(outcome) for outcome in due[report["findingKey"]].expected)
        got = tuple(str(entry["Outcome"]) for entry in _entries(report))
        if got != expected:
            wrong.append(f"{report['Account id']}: expected {expected}, got {got}: {_entries(report)}")
    if len(reports) != len(due):
        wrong.append(f"{len(reports)} reports for {len(due)} findings")
    if [entry["Outcome"] for entry in _entries(undone)] != [str(Outcome.RESTORED)]:
        wrong.append(f"the undo did not restore: {_entries(undone)}")
    if unsettled:
        wrong.append(f"{unsettled} messages are left in the findings queue")
    return wrong


def _show(console: Console, accounts: Mapping[str, str], reports: list[Document], undone: Document) -> None:
    table = Table(title="What the reports say", title_justify="left", header_style="bold")
    for column in ("Account", "Resource", "Bot", "Outcome"):
        table.add_column(column, overflow="fold")
    table.add_column("Seconds", justify="right")
    ordered = sorted(reports, key=lambda report: (report["Account id"], report["findingKey"]))
    for report in (*ordered, undone):
        account = str(report["Account id"])
        for entry in _entries(report):
            resource = entry["Name"] or entry["ID"] or "account"
            table.add_row(
                Text(f"{account} {accounts.get(account, '')}".strip()),
                Text(str(resource)),
                Text(("undo of " if report is undone else "") + str(entry["Remediation"])),
                outcome_text(Outcome(entry["Outcome"])),
                Text(f"{entry['Duration']:.2f}"),
            )
    console.print(table)


def _write(folder: Path, reports: list[Document], console: Console) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data, page = folder / "reports.json", folder / "report.html"
    data.write_text(json.dumps(reports, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page.write_text(
        render(reports, title="Remediation hub: demo", made_at=datetime.now(UTC)), encoding="utf-8"
    )
    console.print(f"reports: {data}    page: {page}")
