"""What moto works out anew for every call although it never changes, worked out once instead.

Nothing here changes an answer: each function gives what moto's own gives, and `test_moto_costs` compares the
two. Most of a call's time went here, and every test and every bench waits for it.
"""

from __future__ import annotations

import functools
import string
import sys
import time
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from moto import backends
from moto.core import serialize, utils
from moto.core.constants import MISSING
from moto.core.serialize import AttributePickerContext, ResponseSerializer, XFormedAttributePicker
from moto.moto_api._internal.moto_random import HEX_CHARS, MotoRandom
from moto.sqs import models as sqs

from tests.fake_aws.quick_xml import unparse

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - moto's own times know no zone, either


def remove() -> None:
    """In this process, from now on. Doing it again changes nothing."""
    for original, cheaper in _CHEAPER:
        _everywhere(original, cheaper)
    MotoRandom.get_random_hex = random_hex
    MotoRandom.get_random_string = random_string
    ResponseSerializer.get_value = picked
    serialize.xmltodict = SimpleNamespace(unparse=unparse)
    sqs.Message.__deepcopy__ = _message_for_reading
    sqs.Queue.messages = property(_visible)
    sqs.SQSBackend.is_message_valid_based_on_retention_period = _is_retained


def _everywhere(original: Any, cheaper: Callable[..., Any]) -> None:
    """Modules hold functions of others by name; whoever is loaded later takes the new one from its home."""
    for name, module in list(sys.modules.items()):
        if name.startswith("moto"):
            for held, value in list(vars(module).items()):
                if value is original:
                    setattr(module, held, cheaper)


# --- clocks and chance


def unix_time(moment: datetime | None = None) -> float:
    return time.time() if moment is None else (moment - _EPOCH).total_seconds()


def unix_time_millis(moment: datetime | None = None) -> float:
    return unix_time(moment) * 1000.0


_HEX = tuple(map(str, HEX_CHARS))
_LETTERS = string.ascii_letters


def random_hex(self: MotoRandom, length: int = 8) -> str:
    return "".join(self.choices(_HEX, k=length))


def random_string(
    self: MotoRandom, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    pool = _LETTERS + string.digits if include_digits else _LETTERS
    found = "".join(self.choices(pool, k=length))
    return found.lower() if lower_case else found


def receipt_handle() -> str:
    return "".join(sqs.random.choices(string.ascii_lowercase, k=185))


# --- answers


def picked(self: Any, value: Any, key: str, shape: Any) -> Any:
    """The value of a member of an answer. What it may be called follows from the model and the value's type."""
    picker = self._value_picker
    keys = None if hasattr(value, "Meta") else _keys(self, type(value), value, key, shape)
    if keys is None or type(picker) is not XFormedAttributePicker:
        return picked_by_moto(self, value, key, shape)
    found: Any = MISSING
    if type(value) is dict:
        for possible in keys:
            if (found := value.get(possible, MISSING)) is not MISSING:
                break
    else:
        for possible in keys:
            if (found := utils.get_value(value, possible, MISSING)) is not MISSING:
                break
    if found is MISSING:
        found = None
    if picker.response_transformers:
        path = f"{'.'.join(self.path)}.{key}"
        for tail, transform in picker.response_transformers.items():
            if path.endswith(tail):
                return transform(found)
    return found


def _keys(self: Any, kind: type, value: Any, key: str, shape: Any) -> tuple[str, ...] | None:
    """Kept with the shape; None for those that are paths."""
    known: dict[tuple[str, type, bool], tuple[str, ...] | None]
    known = shape.__dict__.setdefault("_keys_by_kind", {})
    at = (key, kind, hasattr(shape, "parent"))
    if at not in known:
        operation = self.operation_model
        context = AttributePickerContext(value, key, shape, operation, operation.service_model)
        found = tuple(dict.fromkeys(XFormedAttributePicker().get_possible_keys(context)))
        known[at] = None if any("." in possible for possible in found) else found
    return known[at]


picked_by_moto = ResponseSerializer.get_value


# --- SQS


def _message_for_reading(self: sqs.Message, _memo: dict[int, Any]) -> sqs.Message:
    """moto gives readers a copy to take attributes away from; what the attributes are in nobody changes."""
    mine: sqs.Message = object.__new__(sqs.Message)
    mine.__dict__.update(self.__dict__)
    return mine


def _visible(self: sqs.Queue) -> list[sqs.Message]:
    """moto asks for the time twice for each message of the queue."""
    now = unix_time_millis()
    return [each for each in self._messages if now > each.visible_at and now >= each.delayed_until]


def _is_retained(self: sqs.SQSBackend, queue_name: str, message: sqs.Message) -> bool:
    """moto works out all attributes of the queue, its length among them, for each message read."""
    queue = self.get_queue(queue_name)
    return bool(queue.message_retention_period + message.sent_timestamp / 1000 > time.time())


visible_by_moto = sqs.Queue.messages.fget
_MODULES = backends.list_of_moto_modules
_CHEAPER: tuple[tuple[Any, Callable[..., Any]], ...] = (
    # moto lists its own folder from disk for every request.
    (_MODULES, functools.cache(lambda: tuple(_MODULES()))),
    (utils.camelcase_to_underscores, functools.lru_cache(maxsize=8192)(utils.camelcase_to_underscores)),
    (utils.method_names_from_class, functools.cache(utils.method_names_from_class)),
    (utils.unix_time, unix_time),
    (utils.unix_time_millis, unix_time_millis),
    (sqs.generate_receipt_handle, receipt_handle),
)
