"""Token buckets as AWS keeps them: per account, region and API, with a burst and a refill rate.

Sources: "Request throttling for the Amazon EC2 API" (EC2 developer guide) for EC2; the other figures are
those service pages name, or what their users measure where AWS names none.

Services with one endpoint for all regions are metered per account: a call costs the same token whatever
region its client was made for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_READ = re.compile(r"(BatchGet|Get|List|Describe|Head|Lookup)[A-Z]")


@dataclass(frozen=True, slots=True)
class Limit:
    """``burst`` tokens at most, ``refill`` new ones a second."""

    burst: float
    refill: float

    def seconds_for(self, calls: int) -> float:
        """When the last of so many calls can be let through at the earliest, the bucket being full."""
        return max(0.0, (calls - self.burst) / self.refill)


# EC2 evaluates each API on its own: an empty bucket of one leaves the others as they are.
EC2_READ = Limit(100, 20)
EC2_CHANGE = Limit(50, 5)
IAM_READ = Limit(20, 10)
IAM_CHANGE = Limit(10, 5)
LIMITS: Mapping[tuple[str, str], Limit] = {
    ("ec2", "read"): EC2_READ,
    ("ec2", "change"): EC2_CHANGE,
    ("iam", "read"): IAM_READ,
    ("iam", "change"): IAM_CHANGE,
    ("cloudtrail", "LookupEvents"): Limit(2, 2),
}
_GLOBAL = frozenset({"account", "cloudfront", "iam", "organizations", "route53", "route53domains"})


def limit_of(service: str, operation: str, limits: Mapping[tuple[str, str], Limit]) -> Limit | None:
    """The limit a call is under, None for none."""
    kind = "read" if _READ.match(operation) else "change"
    return limits.get((service, operation)) or limits.get((service, kind))


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class TokenBuckets:
    """All buckets of all accounts. Times are seconds of one clock, given by the caller."""

    limits: Mapping[tuple[str, str], Limit]
    _buckets: dict[tuple[str, str, str, str], _Bucket] = field(default_factory=dict)

    def take(self, account_id: str, region: str, service: str, operation: str, *, now: float) -> bool:
        """Whether there is a token for the call; a refused call costs none."""
        limit = limit_of(service, operation, self.limits)
        if limit is None:
            return True
        key = (account_id, "" if service in _GLOBAL else region, service, operation)
        bucket = self._buckets.setdefault(key, _Bucket(limit.burst, now))
        bucket.tokens = min(limit.burst, bucket.tokens + (now - bucket.at) * limit.refill)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
