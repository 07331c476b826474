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
    ("ec2", "AssociateIamInstanceProfile"): Limit(100, 5),
    ("ec2", "CreateSnapshots"): Limit(100, 5),
    ("ec2", "CreateTags"): Limit(100, 10),
    ("ec2", "DeleteSnapshot"): Limit(100, 5),
    ("ec2", "DeleteTags"): Limit(100, 10),
    # AWS grants 100 and 20 to these when they are asked with a filter or by pages. It does not say whether
    # a list of ids is a filter.
    ("ec2", "DescribeInstances"): Limit(50, 10),
    ("ec2", "DescribeNetworkInterfaces"): Limit(50, 10),
    ("ec2", "DescribeSecurityGroups"): Limit(50, 10),
    ("ec2", "DescribeSnapshots"): Limit(50, 10),
    ("ec2", "DescribeVolumes"): Limit(50, 10),
    ("ec2", "DisassociateIamInstanceProfile"): Limit(100, 5),
    ("ec2", "ModifyImageAttribute"): Limit(100, 5),
    ("ec2", "ModifyInstanceMetadataOptions"): Limit(100, 5),
    ("ec2", "ModifyNetworkInterfaceAttribute"): Limit(100, 5),
    ("ec2", "ModifySnapshotAttribute"): Limit(100, 5),
    ("ec2", "StartInstances"): Limit(5, 2),
    ("ec2", "TerminateInstances"): Limit(100, 5),
    ("lambda", "GetFunction"): Limit(100, 100),
    ("lambda", "GetPolicy"): Limit(15, 15),
}
# Services that meter the rest of their calls together, whatever they do.
_TOGETHER = {"lambda": Limit(15, 15)}
_ALL = "all"


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
            calls that only change to half of it.
    """
    name, known = _documented(service, operation)
    most = calls_per_second if name == _ALL or is_read(operation) else max(1.0, calls_per_second / 2)
    if known is None:
        own = calls_per_second if is_read(operation) else max(1.0, calls_per_second / 4)
        known = Limit(own, own)
    return Bucket(name, Limit(max(1.0, min(known.burst, calls_per_second * 5)), min(known.per_second, most)))


def _documented(service: str, operation: str) -> tuple[str, Limit | None]:
    """The name of the bucket, and its limit where AWS names one."""
    if (metered := _METERED.get((service, operation))) is not None:
        return operation, metered
    if (pair := _PER_API.get(service)) is not None:
        return operation, pair[0 if is_read(operation) else 1]
    if (shared := _TOGETHER.get(service)) is not None:
        return _ALL, shared
    return "read" if is_read(operation) else "change", None
