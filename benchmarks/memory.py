"""Memory: 10 accounts against 1,000, three services, two regions; and no growth over a second pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks import sides
from benchmarks.estate import TAG, VERSIONING, Estate, message, plant
from benchmarks.figure import Figure
from tests.emulator.running import Emulator
from tests.fake_aws.admin import Admin

FEW, MANY = 10, 1000
ELSEWHERE = "eu-west-1"


def figures(emulator: Emulator) -> Iterator[Figure]:
    estate = plant(emulator, accounts=MANY, buckets=1, groups=1)
    queues = {spoke.account_id: _queue(emulator.admin(spoke.account_id)) for spoke in estate.spokes}
    few = sides.hub(estate, _work(estate, queues, FEW, "0"))
    first = sides.hub(estate, _work(estate, queues, MANY, "1"))
    both = sides.hub(estate, _work(estate, queues, MANY, "2") + _work(estate, queues, MANY, "3"))
    grown, again = first["peak"] - few["peak"], both["peak"] - first["peak"]
    yield Figure(
        name="memory: growth",
        value=f"{few['peak']:.0f} MB at the peak with {FEW} accounts, {first['peak']:.0f} MB with {MANY:,}",
        floor="60 MB more",
        ratio=grown / 60,
        target=1.0,
        note="3 findings an account: S3 and EC2 in one region, SQS in another",
    )
    yield Figure(
        name="memory: peak",
        value=f"{first['peak']:.0f} MB",
        floor="300 MB",
        ratio=first["peak"] / 300,
        target=1.0,
    )
    yield Figure(
        name="memory: second pass",
        value=f"{again:+.0f} MB",
        floor="10 MB more",
        ratio=max(0.0, again) / 10,
        target=1.0,
        note="journal in memory: it keeps every run, which a table would keep elsewhere",
    )


def _queue(admin: Admin) -> str:
    return str(admin.client("sqs", ELSEWHERE).create_queue(QueueName="bench")["QueueUrl"])


def _work(estate: Estate, queues: dict[str, str], accounts: int, occurrence: str) -> list[dict[str, Any]]:
    work = []
    for spoke in estate.spokes[:accounts]:
        work.append(message(spoke.account_id, spoke.buckets[0], VERSIONING, occurrence=occurrence))
        work.append(message(spoke.account_id, spoke.groups[0], TAG, occurrence=occurrence))
        found = message(spoke.account_id, queues[spoke.account_id], "sqs_enforce_sse", occurrence=occurrence)
        found["region"] = found["entity"]["region"] = ELSEWHERE
        work.append(found)
    return work
