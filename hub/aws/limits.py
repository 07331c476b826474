"""How much AWS lets through: the documented request rates of the APIs that bots call.

A bucket holds ``burst`` requests and gets ``per_second`` new ones. Sources: "Request throttling for the
Amazon EC2 API" (per account, region and API), the quota pages of CloudTrail and Lambda. Where AWS
names no figure, the hub's own rate holds.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

_READ = re.compile(r"(BatchGet|Get|List|Describe|Head|Lookup)[A-Z]")


@dataclass(frozen=True, slots=True)
class Limit:
    """``burst``: requests at once after a rest; ``per_second``: requests that can go on for ever."""

    burst: float
    per_second: float


def is_read(operation: str) -> bool:
    """Whether a call of that name only looks."""
    return _READ.match(operation) is not None


# service -> its reading and its changing calls, each API with a bucket of its own.
_PER_API = {"ec2": (Limit(100, 20), Limit(50, 5))}
# Single APIs that AWS meters otherwise than the rest of their service.
_METERED = {
    ("cloudtrail", "LookupEvents"): Limit(2, 2),
    ("ec2", "CreateTags"): Limit(100, 10),
    ("ec2", "StartInstances"): Limit(20, 2),
    ("ec2", "StopInstances"): Limit(20, 2),
    ("ec2", "TerminateInstances"): Limit(100, 5),
}
# Services that meter all their calls of a kind together.
_PER_SERVICE = {"lambda": (Limit(15, 15), Limit(15, 15))}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Which calls share a limit: those of one ``name`` in one account, region and service."""

    name: str
    limit: Limit


@functools.cache
def bucket_of(service: str, operation: str, *, calls_per_second: float) -> Bucket:
    """The bucket a call is taken from.

    Args:
        calls_per_second: what the hub was told to keep to. Of a service that names no figure it is the rate
            of reading calls, and changing ones get a quarter. Named figures are cut to it, those of
            changing calls to half of it.
    """
    kind = "read" if is_read(operation) else "change"
    own = calls_per_second if kind == "read" else max(1.0, calls_per_second / 4)
    most = calls_per_second if kind == "read" else max(1.0, calls_per_second / 2)
    known = _METERED.get((service, operation))
    name = operation
    if known is None and (pair := _PER_API.get(service)) is not None:
        known = pair[kind == "change"]
    if known is None:
        name = kind
        pair = _PER_SERVICE.get(service)
        known = pair[kind == "change"] if pair is not None else Limit(own, own)
    return Bucket(name, Limit(max(1.0, min(known.burst, calls_per_second * 5)), min(known.per_second, most)))
