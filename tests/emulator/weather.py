"""How AWS is today: what the emulator adds to the fake AWS's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tests.emulator.buckets import Limit
from tests.emulator.faults import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How AWS is today. Administrators never feel it.

    Attributes:
        latency: seconds added to every call.
        limits: token buckets, by service and operation, or service and ``read`` or ``change``.
        rates: chance of each fault.
        seed: of the faults.
        spared: calls without faults, as in ``sqs:ReceiveMessage``.
        stale: seconds for which a read may show what was there before a write.
        enforce: whether IAM is asked; it costs the server more than most answers do.
        record: keep every call with its parameters, for `Recorded`.
    """

    latency: float = 0.0
    limits: Mapping[tuple[str, str], Limit] = field(default_factory=dict)
    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 1
    spared: frozenset[str] = frozenset()
    stale: float = 0.0
    enforce: bool = False
    record: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the way to the emulator's process."""
        return {
            "latency": self.latency,
            "limits": [[*key, limit.burst, limit.refill] for key, limit in self.limits.items()],
            "rates": {str(fault): rate for fault, rate in self.rates.items()},
            "seed": self.seed,
            "spared": sorted(self.spared),
            "stale": self.stale,
            "enforce": self.enforce,
            "record": self.record,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        limits = {(service, kind): Limit(burst, refill) for service, kind, burst, refill in told["limits"]}
        rates = {Fault(fault): rate for fault, rate in told["rates"].items()}
        return cls(**{**told, "limits": limits, "rates": rates, "spared": frozenset(told["spared"])})
