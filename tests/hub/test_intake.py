"""A worker's reading and working keep each other going, whichever of them is woken first."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from hub import flow
from hub.model import Message
from hub.work import Worker
from tests.hub.messages import finding
from tests.virtual_time import VirtualLoop, run

MESSAGES = 30


class Queue:
    """An SQS client that answers without the loop ever turning, as no network does but a buffer may."""

    def __init__(self, *accounts: str) -> None:
        self.waiting = [
            {
                "MessageId": str(number),
                "ReceiptHandle": f"receipt-{number}",
                "Body": json.dumps(finding(accounts[number % len(accounts)], "s3_enable_versioning")),
            }
            for number in range(MESSAGES)
        ]
        self.deleted: list[str] = []

    async def receive_message(self, **asked: Any) -> dict[str, Any]:
        most = asked["MaxNumberOfMessages"]
        given, self.waiting = self.waiting[:most], self.waiting[most:]
        if not given:
            await asyncio.sleep(asked["WaitTimeSeconds"])
        return {"Messages": given}

    async def delete_message(self, **asked: Any) -> None:
        self.deleted.append(asked["ReceiptHandle"])

    async def change_message_visibility_batch(self, **_asked: Any) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize("concurrency", [1, 4, 64])
@pytest.mark.parametrize(
    "accounts", [("222233334444",), ("222233334444", "333344445555")], ids=["one", "two"]
)
def test_everything_in_the_queue_is_worked_on_however_few_hands_there_are(
    concurrency: int, accounts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(*accounts)

    async def settle(_kit: object, _message: Message) -> flow.Settlement:
        await asyncio.sleep(0.1)
        if len(queue.deleted) >= MESSAGES - concurrency:
            worker.stop()
        return flow.Settlement(why="a test")

    async def kept(_service: str) -> Queue:
        return queue

    monkeypatch.setattr(flow, "settle", settle)
    settings = SimpleNamespace(
        queue_url="https://queue.example.invalid",
        concurrency=concurrency,
        lease_seconds=60.0,
        grace_seconds=25.0,
    )
    kit: Any = SimpleNamespace(
        settings=settings,
        identity=SimpleNamespace(kept=kept),
        accounts=SimpleNamespace(throttles=0),
        metrics=SimpleNamespace(emit=lambda **_: None),
    )
    worker = Worker(kit)
    run(VirtualLoop(), asyncio.wait_for(worker.run(), timeout=3600))
    assert len(queue.deleted) >= MESSAGES - concurrency
    assert len(set(queue.deleted)) == len(queue.deleted)
