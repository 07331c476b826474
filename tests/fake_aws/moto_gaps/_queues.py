"""Queues under many callers. AWS gives, deletes and hides messages one by one; moto's threads lose each other's
changes of its lists, and crash when a set grows while another reads it. Called by `sqs`."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

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


def take_turns() -> None:
    """From now on, in this process. Harmless when asked for again."""
    if SQSBackend.receive_message is _receive:
        return
    SQSBackend.receive_message = _receive
    # Asked of every message at every call; moto goes through three kinds of time for it.
    Message.visible = property(lambda self: time.time() * 1000 > self.visible_at)
    Message.delayed = property(lambda self: time.time() * 1000 < self.delayed_until)
    for owner, name in (
        (SQSBackend, "change_message_visibility"),
        (SQSBackend, "get_queue_attributes"),
        (Queue, "add_message"),
        (Queue, "delete_message"),
    ):
        setattr(owner, name, _alone(getattr(owner, name)))
