"""Several workers on one queue, some of them killed without a word and replaced: what became of every finding.

The journal is on a DynamoDB that is not the fake AWS's. Nothing is asserted here: a test and the bench
judge what they are told.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.journals.dynamodb_item import from_item
from hub.model import Outcome, Run
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import allow, policy, trust
from tests.hub.estate import Estate, Worker, make_estate, until, worker
from tests.hub.messages import finding

BOT = "s3_enable_versioning"
RIGHTS = policy(allow("s3:ListBucket", "s3:GetBucketVersioning", "s3:PutBucketVersioning"))
PAUSE_SECONDS = 0.25  # to ask costs the emulator more than many an answer to a worker
RECEIVES = 20  # as deploy/hub.yaml has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How many of what.

    Attributes:
        kills: workers killed, one after the other while there is work, each replaced at once.
        hands: findings a worker settles at the same time.
        patience: seconds after which the whole is given up.
    """

    findings: int
    accounts: int = 10
    workers: int = 4
    kills: int = 2
    hands: int = 16
    lease_seconds: float = 10.0
    patience: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of it.

    Attributes:
        seconds: from the first worker's start to the empty queue.
        wrong: resources that are not as the findings want them.
        not_once: findings without exactly one closed run, "fixed" and changed, and one settlement.
        writes: changing calls by resource.
        taken_over: runs that another worker finished than the one that leased the finding first.
        reports: ids of all reports received, by finding key.
        by_worker: runs closed by each worker, in the order of their start; the killed ones come first.
        exits: what the workers that were not killed ended with.
        waiting: messages left in the findings queue.
        dead_letters: messages in the dead-letter queue.
    """

    seconds: float
    wrong: tuple[str, ...]
    not_once: tuple[str, ...]
    writes: Mapping[str, int]
    taken_over: int
    reports: Mapping[str, tuple[str, ...]]
    by_worker: tuple[int, ...]
    exits: tuple[int, ...]
    waiting: int
    dead_letters: int

    @property
    def with_several_ids(self) -> tuple[str, ...]:
        """Findings that were reported under more than one id."""
        return tuple(key for key, ids in self.reports.items() if len(set(ids)) > 1)


def settle(emulator: Emulator, tables: str, scenario: Scenario, folder: Path) -> Told:
    """Plant, send, let the workers settle it all, and look.

    Args:
        tables: address of the journal's DynamoDB.
        folder: for the workers' logs.
    """
    estate = make_estate(emulator, tables=tables, receives=RECEIVES)
    buckets = _plant(estate, scenario)
    for name, admin in buckets.items():
        estate.send(json.dumps(finding(admin.account_id, BOT, key=f"key-{name}", id=name)))
    emulator.weather(Weather(record=True))
    environment = estate.environment(
        *sorted({admin.account_id for admin in buckets.values()}),
        HUB_CONCURRENCY=str(scenario.hands),
        HUB_LEASE_SECONDS=str(scenario.lease_seconds),
        HUB_LOG_LEVEL="DEBUG",  # which says what a worker has at hand
    )
    with ExitStack() as stack:
        began = time.monotonic()
        logs = (folder / f"worker-{number}" for number in range(scenario.workers + scenario.kills))
        running = [stack.enter_context(worker(environment, next(logs))) for _ in range(scenario.workers)]
        killed: list[Worker] = []
        for number in range(scenario.kills):
            reports = scenario.findings * (number + 1) // (scenario.kills + 2)
            until(
                lambda least=reports: estate.waiting(estate.reports_queue) >= least,  # type: ignore[misc]
                f"{reports} reports",
                patience=scenario.patience,
                pause=PAUSE_SECONDS,
            )
            killed.append(_caught_at_work(running, scenario.patience))
            running.remove(killed[-1])
            killed[-1].kill()
            running.append(stack.enter_context(worker(environment, next(logs))))
        until(
            lambda: estate.waiting() == 0,
            "the queue is empty",
            patience=scenario.patience,
            pause=PAUSE_SECONDS,
        )
        seconds = time.monotonic() - began
        exits = tuple(each.stop() for each in running)
    return _look(estate, buckets, seconds, exits, (*killed, *running))


def _plant(estate: Estate[Emulator], scenario: Scenario) -> dict[str, Admin]:
    """Buckets without versioning, of the accounts in turn."""
    estate.credentials()
    trusts = trust(estate.role_arn)
    admins = [estate.aws.spoke({"remediation": RIGHTS}, trusts=trusts) for _ in range(scenario.accounts)]
    buckets = {
        f"data-{number:05}-{(admin := admins[number % len(admins)]).account_id}": admin
        for number in range(scenario.findings)
    }
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: buckets[name].client("s3").create_bucket(Bucket=name), buckets))
    return buckets


def _look(
    estate: Estate[Emulator],
    buckets: Mapping[str, Admin],
    seconds: float,
    exits: tuple[int, ...],
    workers: Iterable[Worker],
) -> Told:
    with ThreadPoolExecutor(4) as pool:
        states = pool.map(
            lambda name: buckets[name].client("s3").get_bucket_versioning(Bucket=name).get("Status"), buckets
        )
        wrong = tuple(name for name, state in zip(buckets, states, strict=True) if state != "Enabled")
    items = _items(estate)
    runs = [from_item(item) for key, item in items.items() if key.startswith("run#")]
    settled = {key.removeprefix("settled#") for key in items if key.startswith("settled#")}
    reports: dict[str, list[str]] = {f"key-{name}": [] for name in buckets}
    for report in estate.read_reports():
        reports[report["findingKey"]].append(report["Report id"])
    recorded = estate.aws.counts()["recorded"]
    return Told(
        seconds=seconds,
        wrong=wrong,
        not_once=_not_once(buckets, runs, settled),
        writes=Counter(
            call["params"]["Bucket"] for call in recorded if call["operation"] == "PutBucketVersioning"
        ),
        taken_over=sum(run.fence > 1 for run in runs),
        reports={key: tuple(ids) for key, ids in reports.items()},
        by_worker=tuple(_closed_by(each) for each in workers),
        exits=exits,
        waiting=estate.waiting(),
        dead_letters=estate.waiting(estate.dead_letters),
    )


def _not_once(names: Iterable[str], runs: Iterable[Run], settled: set[str]) -> tuple[str, ...]:
    of: dict[str, list[Run]] = {name: [] for name in names}
    for run in runs:
        of[run.target_id].append(run)
    return tuple(
        name
        for name, found in of.items()
        if [(run.outcome, run.changed, run.occurrence in settled) for run in found]
        != [(Outcome.FIXED, True, True)]
    )


def _items(estate: Estate[Emulator]) -> dict[str, dict[str, Any]]:
    """Everything in the journal's table, by its key."""
    pages = estate.dynamodb.get_paginator("scan").paginate(TableName=estate.table, ConsistentRead=True)
    return {item["pk"]["S"]: item for page in pages for item in page["Items"]}


def _caught_at_work(running: Sequence[Worker], patience: float) -> Worker:
    """One that stands still and has something at hand; of several, who did most."""
    found: list[Worker] = []

    def caught() -> bool:
        for each in sorted(running, key=_closed_by, reverse=True):
            each.stand_still()
            said = each.log.read_text(encoding="utf-8")
            if said.count('"message": "lease taken"') > said.count('"message": "lease left"'):
                found.append(each)
                return True
            each.go_on()
        return False

    until(caught, "a worker has something at hand", patience=patience)
    return found[0]


def _closed_by(process: Worker) -> int:
    # A killed worker's last line may be cut off.
    return process.log.read_text(encoding="utf-8").count('"message": "run closed"')
