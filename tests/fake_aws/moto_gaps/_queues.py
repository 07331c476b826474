"""Queues under many callers. AWS gives, deletes and hides messages one by one; moto's threads lose each other's
changes of its lists, and crash when a set grows while another reads it. Called by `sqs`."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

from moto.sqs.models import Message, Queue, SQSBackend

_LOOK_AGAIN_SECONDS = 0.1
_lock = threading.RLock()


def _alone(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def alone(*arguments: Any, **named: Any) -> Any:
        with _lock:
            return method(*arguments, **named)

    return alone


_receive_now = _alone(SQSBackend.receive_message)


def _receive(
    self: Any,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> Any:
    """As moto's, but who waits for messages keeps nobody else waiting."""
    ends = time.monotonic() + wait_seconds_timeout
    while True:
        found = _receive_now(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
        if found or time.monotonic() >= ends:
            return found
        self.get_queue(queue_name).wait_for_messages(_LOOK_AGAIN_SECONDS)


# moto looks through all messages of a queue for a receipt, and at thousands that takes longer than all the rest.
_by_receipt: WeakValueDictionary[str, Any] = WeakValueDictionary()
_received_by_moto = Message.mark_received
_change_by_moto = SQSBackend.change_message_visibility
_delete_by_moto = Queue.delete_message


def _received(self: Any, visibility_timeout: int | None = None) -> None:
    _received_by_moto(self, visibility_timeout)
    _by_receipt[self.receipt_handle] = self


def _only(queue: Any, receipt: str) -> SimpleNamespace:
    """The queue as if it held nothing but the message that was received with this."""
    message = _by_receipt.get(receipt)
    return SimpleNamespace(
        _messages=[message] if message in queue._messages else [],
        pending_messages=queue.pending_messages,
        deleted_messages=queue.deleted_messages,
    )


@_alone
def _change(self: Any, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
    alone = _only(self.get_queue(queue_name), receipt_handle)
    there = SimpleNamespace(get_queue=lambda _name: alone)
    _change_by_moto(there, queue_name, receipt_handle, visibility_timeout)


@_alone
def _delete(self: Any, receipt_handle: str) -> None:
    alone = _only(self, receipt_handle)
    there = list(alone._messages)
    _delete_by_moto(alone, receipt_handle)
    for message in there:
        self._messages.remove(message)


def take_turns() -> None:
    """From now on, in this process. Harmless when asked for again."""
    if SQSBackend.receive_message is _receive:
        return
    SQSBackend.receive_message = _receive
    # Asked of every message at every call; moto goes through three kinds of time for it.
    Message.visible = property(lambda self: time.time() * 1000 > self.visible_at)
    Message.delayed = property(lambda self: time.time() * 1000 < self.delayed_until)
    Message.mark_received = _received
    SQSBackend.change_message_visibility = _change
    Queue.delete_message = _delete
    for owner, name in ((SQSBackend, "get_queue_attributes"), (Queue, "add_message")):
        setattr(owner, name, _alone(getattr(owner, name)))
