"""What goes wrong between a client and AWS, by chance but from a seed: the same seed, the same luck."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """Something that happens to a call."""

    ERROR = "error"  # AWS answers 500 and did nothing
    LOST = "lost"  # AWS did it and answers 500 all the same
    RESET = "reset"  # the connection ends without an answer, nothing was done
    THROTTLE = "throttle"
    EXPIRED = "expired"  # AWS says that the session is over


@dataclass(slots=True)
class Luck:
    """Draws faults.

    Attributes:
        rates: chance of each fault, 0 to 1; together at most 1.
        spared: calls that nothing happens to, as in ``sqs:ReceiveMessage``.
    """

    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 1
    spared: frozenset[str] = frozenset()
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def draw(self, name: str) -> Fault | None:
        """What happens to the next call, None for nothing."""
        if not self.rates or name in self.spared:
            return None
        left = self._random.random()
        for fault, rate in self.rates.items():
            if left < rate:
                return fault
            left -= rate
        return None
