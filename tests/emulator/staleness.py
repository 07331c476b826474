"""Eventual consistency: for a while a read shows what was there before."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.fake_aws.wire import Answer, Call

_REQUEST_ID = re.compile(rb"<(requestId|RequestId|RequestID)>[^<]*</")


@dataclass(slots=True)
class _Seen:
    answer: Answer
    until: float = 0.0  # the old answer is given until then


@dataclass(slots=True)
class Staleness:
    """Keeps the first answer of each read and repeats it for ``seconds`` after it has changed."""

    seconds: float
    _seen: dict[tuple[str, ...], _Seen] = field(default_factory=dict)

    def seen(self, call: Call, answer: Answer, *, now: float) -> Answer:
        """The answer as a client gets it."""
        if not self.seconds or call.is_write or call.service in ("sqs", "sts", "dynamodb"):
            return answer
        key = (
            call.account_id,
            call.region,
            call.name,
            json.dumps(call.params, sort_keys=True, default=_plain),
        )
        known = self._seen.get(key)
        if known is None or _same(known.answer, answer):
            self._seen[key] = _Seen(answer)
            return answer
        if not known.until:
            known.until = now + self.seconds
        if now < known.until:
            return known.answer
        self._seen[key] = _Seen(answer)
        return answer


def _same(one: Answer, other: Answer) -> bool:
    return _REQUEST_ID.sub(b"", one.body) == _REQUEST_ID.sub(b"", other.body)


def _plain(value: Any) -> str:
    return repr(value)
