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
from moto.core.base_backend import BackendDict
from moto.core.constants import MISSING
from moto.core.responses import BaseResponse
from moto.core.routing import RestRouter
from moto.core.serialize import AttributePickerContext, ResponseSerializer, XFormedAttributePicker
from moto.moto_api._internal.moto_random import HEX_CHARS, MotoRandom
from moto.sqs import models as sqs
from moto.utilities.utils import get_partition

from tests.fake_aws.quick_xml import unparse

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - moto's own times know no zone, either


def remove() -> None:
    """In this process, from now on. Doing it again changes nothing."""
    for original, cheaper in _CHEAPER:
        _everywhere(original, cheaper)
    MotoRandom.get_random_hex = random_hex
    MotoRandom.get_random_string = random_string
    BackendDict.__getitem__ = _of_account
    RestRouter._match = matched
    BaseResponse._enrich_response = staticmethod(_with_request_id)
    BaseResponse.parse_parameters = read_parameters
    ResponseSerializer.get_value = picked
    serialize.xmltodict = SimpleNamespace(unparse=unparse)
    sqs.Message.__deepcopy__ = _message_for_reading
    sqs.Queue.messages = property(_visible)
    sqs.SQSBackend.is_message_valid_based_on_retention_period = _is_retained


def _everywhere(original: Any, cheaper: Callable[..., Any]) -> None:
    """Modules hold functions of others by name; whoever is loaded later takes the new one from its home."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("moto", __package__)) and name != __name__:
            for held, value in list(vars(module).items()):
                if value is original:
                    setattr(module, held, cheaper)


# --- clocks and chance


def unix_time(moment: datetime | None = None) -> float:
    return time.time() if moment is None else (moment - _EPOCH).total_seconds()


def unix_time_millis(moment: datetime | None = None) -> float:
    return unix_time(moment) * 1000.0


def _alphabet(letters: str) -> bytes:
    """For `bytes.translate`: a letter for each byte."""
    return (letters * 256)[:256].encode()


_HEX = _alphabet("".join(map(str, HEX_CHARS)))
_LETTERS = {
    digits: _alphabet(string.ascii_letters + (string.digits if digits else "")) for digits in (True, False)
}
_LOWER = _alphabet(string.ascii_lowercase)


def random_hex(self: Any, length: int = 8) -> str:
    return str(self.randbytes(length).translate(_HEX).decode())


def random_string(self: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
    found = str(self.randbytes(length).translate(_LETTERS[include_digits]).decode())
    return found.lower() if lower_case else found


def receipt_handle() -> str:
    return str(sqs.random.randbytes(185).translate(_LOWER).decode())


# --- requests


def matched(self: Any, request: Any) -> tuple[Any, dict[str, Any]]:
    """Which operation a REST request is, follows from its line and the headers it has."""
    at = (
        request.host,
        request.method,
        request.raw_path,
        request.query_string,
        frozenset(request.headers.keys()),
    )
    known = self.__dict__.setdefault("_matches", {})
    if at not in known:
        if len(known) > _MOST_MATCHES:
            known.clear()
        known[at] = matched_by_moto(self, request)
    operation, labels = known[at]
    return operation, dict(labels)


matched_by_moto = RestRouter._match
_MOST_MATCHES = 10_000


def read_parameters(self: Any, request: Any) -> None:
    """The gate has read them before moto does."""
    operation, params = getattr(request, "parsed", None) or (None, {})
    if (
        operation is None
        or self.PROTOCOL_PARSER_MAP_TYPE is not dict
        or operation.service_model.service_name != self.boto3_service_name
        or operation.name != self._get_action()
    ):
        parameters_read_by_moto(self, request)
    else:
        self.params = _own(params)


def _own(value: Any) -> Any:
    """A copy: moto may write into what it reads."""
    kind = type(value)
    if kind is dict:
        return {key: _own(inner) for key, inner in value.items()}
    return [_own(inner) for inner in value] if kind is list else value


parameters_read_by_moto = BaseResponse.parse_parameters


def _of_account(self: Any, account_id: str) -> Any:
    """moto looks an account up in a list of all accounts, made for each look."""
    found = dict.get(self, account_id)
    return _of_account_by_moto(self, account_id) if found is None else found


_of_account_by_moto = BackendDict.__getitem__


# --- answers


def _with_request_id(headers: Any, body: Any) -> Any:
    """moto searches a text for the place of the id, even where there is none."""
    if isinstance(body, str) and "<RequestId>" not in body:
        return with_request_id_by_moto(headers, b"")[0], body
    return with_request_id_by_moto(headers, body)


with_request_id_by_moto = BaseResponse._enrich_response


def picked(self: Any, value: Any, key: str, shape: Any) -> Any:
    """The value of a member of an answer. What it may be called follows from the model and the value's type."""
    picker, kind = self._value_picker, type(value)
    keys = None if hasattr(kind, "Meta") else _keys(self, kind, value, key, shape)
    if keys is None or type(picker) is not XFormedAttributePicker:
        return picked_by_moto(self, value, key, shape)
    found: Any = MISSING
    if kind is dict:
        for possible in keys:
            if (found := value.get(possible, MISSING)) is not MISSING:
                break
    elif not hasattr(kind, "__getitem__"):
        for possible in keys:
            if (found := getattr(value, possible, MISSING)) is not MISSING:
                break
    else:
        for possible in keys:
            if (found := utils.get_value(value, possible, MISSING)) is not MISSING:
                break
    if found is MISSING:
        found = None
    if transformers := picker.response_transformers:
        path = f"{'.'.join(self.path)}.{key}"
        if path.endswith(tuple(transformers)):
            return next(transform for tail, transform in transformers.items() if path.endswith(tail))(found)
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
    (get_partition, functools.cache(get_partition)),
    (utils.camelcase_to_underscores, functools.lru_cache(maxsize=8192)(utils.camelcase_to_underscores)),
    (utils.method_names_from_class, functools.cache(utils.method_names_from_class)),
    (utils.unix_time, unix_time),
    (utils.unix_time_millis, unix_time_millis),
    (sqs.generate_receipt_handle, receipt_handle),
)
