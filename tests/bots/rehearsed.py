"""Whether a fix sent what its rehearsal had told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub.flow.redaction import plain, redactor
from hub.flow.rehearse import Rehearsal
from hub.flow.stand_in import PLACEHOLDER, as_json
from tests.fake_aws.wire import Call

# What botocore adds to a request by itself.
ADDED = {"ChecksumAlgorithm", "ClientToken", "ClientRequestToken"}
PROBED = "DryRunOperation"
SECONDS = 120  # between a rehearsal and its fix; a time in a parameter is another then


def assert_sent_as_told(rehearsal: Rehearsal, writes: Sequence[Call]) -> None:
    """The writes are the rehearsed ones, in their order: all of them if it was whole, and AWS refused none."""
    meant: dict[str, str] = {}
    for told, sent in zip(rehearsal.calls, writes, strict=False):
        assert (told.service, told.operation, told.region) == (sent.service, sent.operation, sent.region)
        _compare(told.params, plain(as_json(sent.params), redactor(None)), meant, told.operation)
        if sent.error not in (None, PROBED):
            return  # a rehearsal supposes that AWS does what it is asked
    assert len(rehearsal.calls) <= len(writes)
    if rehearsal.whole:
        assert len(rehearsal.calls) == len(writes), [call.name for call in writes]


def _compare(told: Any, sent: Any, meant: dict[str, str], where: str) -> None:
    """Fails unless they are equal; each placeholder must stand for one text wherever it is."""
    if isinstance(told, Mapping):
        added = ADDED - set(told)
        assert set(told) == set(sent) - added, where
        for name, value in told.items():
            _compare(value, sent[name], meant, f"{where}.{name}")
    elif isinstance(told, list):
        assert len(told) == len(sent), where
        for value, other in zip(told, sent, strict=True):
            _compare(value, other, meant, f"{where}[]")
    elif isinstance(told, str):
        names = PLACEHOLDER.findall(told)
        form = "(.+)".join(map(re.escape, PLACEHOLDER.split(told)))
        found = re.fullmatch(form, sent, re.DOTALL)
        assert found is not None or _later(told, sent), f"{where}: {told} is not {sent}"
        for name, text in zip(names, found.groups() if found else (), strict=True):
            assert meant.setdefault(name, text) == text, f"{where}: {name}"
    else:
        assert told == sent, where


def _later(told: str, sent: str) -> bool:
    return bool(re.fullmatch("[0-9]{10}", told) and 0 <= int(sent) - int(told) <= SECONDS)
