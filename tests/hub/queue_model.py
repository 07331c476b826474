"""A queue as SQS keeps one, in virtual time: what was received is invisible for a while, and comes again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hub import flow
from hub.aws.account import utc_now
from hub.journals.memory import MemoryJournal
from hub.model import Message
from hub.work import Worker
from tests.hub.messages import finding
from tests.virtual_time import VirtualLoop, run

Work = Callable[[str], Awaitable[None]]
ACCOUNT, OTHER = "222233334444", "333344445555"


@dataclass(slots=True)
class Sent:
    """A message in the queue."""

    message_id: str
    body: str
    visible_at: float = 0.0
    receives: int = 0
    receipt: str = ""
    deleted: bool = False


class Queue:
    """An SQS client with its queue. Only a message's latest receipt counts.

    Args:
        accounts: of the messages, in turn.
        latency: seconds each call takes; 0: it answers without the loop ever turning, as no network does
            but a buffer may.
        refusals: errors that the next receives end with, by how many come before them.
    """

    def __init__(
        self,
        *accounts: str,
        messages: int = 30,
        latency: float = 0.0,
        refusals: dict[int, ClientError] | None = None,
    ) -> None:
        self.sent = [
            Sent(str(number), json.dumps(finding(accounts[number % len(accounts)], "bot", key=str(number))))
            for number in range(messages)
        ]
        self._latency = latency
        self._refusals = refusals or {}
        self.calls = 0
        self.deleting = latency
        self.beats: list[float] = []  # when messages were asked to stay invisible
        self.deletions: list[int] = []  # how many messages each request was to delete
        self.undeletable: dict[str, str] = {}  # message -> the code its next deletion ends with
        self.on_delete: Callable[[Sent], None] = lambda _sent: None

    @property
    def deleted(self) -> list[str]:
        return [each.message_id for each in self.sent if each.deleted]

    def visible(self) -> list[Sent]:
        now = asyncio.get_running_loop().time()
        return [each for each in self.sent if not each.deleted and each.visible_at <= now]

    async def receive_message(self, **asked: Any) -> dict[str, Any]:
        self.calls += 1
        refusal = self._refusals.get(self.calls)
        if refusal is not None:
            await self._pass()
            raise refusal
        loop = asyncio.get_running_loop()
        ends = loop.time() + asked["WaitTimeSeconds"]
        while not (found := self.visible()[: asked["MaxNumberOfMessages"]]):
            if loop.time() >= ends:
                break
            await asyncio.sleep(1)
        given = [_given(each, loop.time() + asked["VisibilityTimeout"]) for each in found]
        await self._pass()
        return {"Messages": given}

    async def delete_message_batch(self, **asked: Any) -> dict[str, Any]:
        entries = asked["Entries"]
        self.deletions.append(len(entries))
        found = [self._by(entry["ReceiptHandle"]) for entry in entries]
        for each in found:
            self.on_delete(each)
        await asyncio.sleep(self.deleting)
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry, each in zip(entries, found, strict=True):
            if (code := self.undeletable.pop(each.message_id, None)) is not None:
                answer["Failed"].append({"Id": entry["Id"], "Code": code, "SenderFault": False})
                continue
            assert not each.deleted, "deleted twice"
            each.deleted = each.receipt == entry["ReceiptHandle"]
            answer["Successful"].append({"Id": entry["Id"]})
        return answer

    async def change_message_visibility_batch(self, **asked: Any) -> dict[str, Any]:
        await self._pass()
        loop = asyncio.get_running_loop()
        self.beats.append(loop.time())
        failed = []
        for entry in asked["Entries"]:
            found = self._by(entry["ReceiptHandle"])
            if found.deleted or found.receipt != entry["ReceiptHandle"]:
                failed.append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid"})
            else:
                found.visible_at = loop.time() + entry["VisibilityTimeout"]
        return {"Failed": failed}

    async def _pass(self) -> None:
        if self._latency:
            await asyncio.sleep(self._latency)

    def _by(self, receipt: str) -> Sent:
        return self.sent[int(receipt.partition("/")[0])]


def _given(sent: Sent, visible_at: float) -> dict[str, Any]:
    sent.receives += 1
    sent.receipt = f"{sent.message_id}/{sent.receives}"
    sent.visible_at = visible_at
    attributes = {"ApproximateReceiveCount": str(sent.receives)}
    return {
        "MessageId": sent.message_id,
        "ReceiptHandle": sent.receipt,
        "Body": sent.body,
        "Attributes": attributes,
    }


def a_worker(queue: Queue, *, concurrency: int = 4, grace_seconds: float = 25.0) -> Worker:
    """A worker on that queue, which knows nothing else of AWS. Its lease is 60 seconds."""

    async def kept(_service: str) -> Queue:
        return queue

    settings = SimpleNamespace(
        queue_url="https://queue.example.invalid",
        region="us-east-1",
        concurrency=concurrency,
        lease_seconds=60.0,
        grace_seconds=grace_seconds,
    )
    kit: Any = SimpleNamespace(
        settings=settings,
        identity=SimpleNamespace(kept=kept),
        journal=MemoryJournal(),
        now=utc_now,
        accounts=SimpleNamespace(throttles=0, fresh_throttles=lambda: 0),
        metrics=SimpleNamespace(emit=lambda **_: None),
    )
    return Worker(kit)


def refusal(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "ReceiveMessage")


def takes(seconds: float) -> Work:
    """Work that is nothing but waiting."""

    async def work(_key: str) -> None:
        await asyncio.sleep(seconds)

    return work


def settle_by_work(monkeypatch: pytest.MonkeyPatch, work: Work) -> None:
    """From now on messages are settled by ``work``, called with the finding's key."""

    async def settle(_kit: object, message: Message) -> flow.Settlement:
        await work(json.loads(message.body)["findingKey"])
        return flow.Settlement(why="a test")

    monkeypatch.setattr(flow, "settle", settle)


def until(ended: Callable[[], bool], *workers: Worker) -> None:
    """Let the workers work until it is so, then stop them."""

    async def watch() -> None:
        running = [asyncio.create_task(worker.run()) for worker in workers]
        while not ended():
            assert not any(task.done() for task in running), "a worker ended by itself"
            await asyncio.sleep(1)
        for worker in workers:
            worker.stop()
        await asyncio.gather(*running)

    run(VirtualLoop(), asyncio.wait_for(watch(), timeout=100_000))
