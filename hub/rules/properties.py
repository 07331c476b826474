"""Who asks what of a property. Made once for a set of rules or entries, then asked thousands of times a second.

A set of askers is a number with a bit for each. A value gives the bits of those it satisfies, remembered for the
values that come again and again (accounts, rules, regions). Words that are written as they are cost a look into a
table; patterns are tried for what the tables left over only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hub.rules import globs
from hub.rules.guard_model import Patterns, TagPatterns

REMEMBERED = 20_000
LONGEST_REMEMBERED = 300


class Property:
    """One property of findings or steps: which of the askers ask what of it."""

    def __init__(self, wanted: Sequence[Patterns], *, folded: bool = False, remembers: bool = True) -> None:
        self._folded = folded
        self._remembers = remembers
        self._exact: dict[str, int] = {}
        by_pattern: dict[str, int] = {}
        self._everybody = (1 << len(wanted)) - 1
        self.wanting = 0
        """Those that ask for something."""
        for number, patterns in enumerate(wanted):
            bit = 1 << number
            for pattern in patterns:
                text = pattern.casefold() if folded else pattern
                table = by_pattern if globs.is_pattern(text) else self._exact
                table[text] = table.get(text, 0) | bit
                self.wanting |= bit
        # To look for a plain text first is many times cheaper than to try the pattern.
        self._patterns = [
            (globs.literal(text), globs.compiled(text), bits) for text, bits in by_pattern.items()
        ]
        self._known: dict[str, int] = {}

    def met(self, *values: str, among: int | None = None) -> int:
        """Those that one of these values satisfies, or that ask for nothing."""
        among = self._everybody if among is None else among
        asking = among & self.wanting
        if not asking:
            return among
        found = 0
        for value in values:
            found |= self._by(value, asking)
        return among & (found | ~self.wanting)

    def _by(self, value: str, asking: int) -> int:
        if not self._remembers or len(value) > LONGEST_REMEMBERED:
            return self._looked_up(value, asking)
        known = self._known.get(value)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[value] = self._looked_up(value, self.wanting)
        return known

    def _looked_up(self, value: str, asking: int) -> int:
        if self._folded:
            value = value.casefold()
        found = self._exact.get(value, 0)
        for plain, pattern, bits in self._patterns:
            if plain in value and bits & asking & ~found and pattern.match(value):
                found |= bits
        return found


class TagProperty:
    """Tags: every key that is named must be there with a value that fits."""

    def __init__(self, wanted: Sequence[TagPatterns]) -> None:
        # Who names a key twice, in other letters, wants both met: that is another property.
        patterns: dict[tuple[str, int], list[Patterns]] = {}
        self.wanting = 0
        for number, asked in enumerate(wanted):
            for place, (key, values) in enumerate(asked):
                again = sum(key.casefold() == other.casefold() for other, _ in asked[:place])
                patterns.setdefault((key.casefold(), again), [()] * len(wanted))[number] = values
                self.wanting |= 1 << number
        self._keys = [(key, Property(each)) for (key, _), each in patterns.items()]

    def met(self, found: Iterable[tuple[str, str]], among: int) -> int:
        values: dict[str, list[str]] = {}
        for key, value in found:
            values.setdefault(key.casefold(), []).append(value)
        for key, values_wanted in self._keys:
            among = values_wanted.met(*values.get(key, ()), among=among)
        return among


def numbers(bits: int) -> Iterator[int]:
    """The numbers of the askers in a set, in rising order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
