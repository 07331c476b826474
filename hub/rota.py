"""Whose turn it is: things of many accounts, one account after the other, only so many of each at once."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Rota(Generic[T]):
    """A queue that no account can fill for the others.

    Args:
        each: how many things of one account may be at work at the same time.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._at_work: Counter[str] = Counter()
        # Accounts that may have a turn, in the order of their turns; and those that have enough at work.
        self._due: OrderedDict[str, deque[T]] = OrderedDict()
        self._busy: dict[str, deque[T]] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """How many things wait."""
        return self._waiting

    @property
    def ready(self) -> int:
        """How many of them could be at work now, if there were hands."""
        return sum(
            min(len(things), self._each - self._at_work[account]) for account, things in self._due.items()
        )

    def add(self, account: str, thing: T) -> None:
        """Put a thing at the end of its account's line."""
        self._waiting += 1
        line = self._busy.get(account)
        if line is None:
            line = self._due.setdefault(account, deque())
            if self._at_work[account] >= self._each:
                self._busy[account] = self._due.pop(account)
        line.append(thing)

    def take(self) -> tuple[str, T] | None:
        """The next thing and its account, which is at work from now on; None if no account may have a turn."""
        if not self._due:
            return None
        account, line = self._due.popitem(last=False)
        thing = line.popleft()
        self._waiting -= 1
        self._at_work[account] += 1
        if line:
            (self._busy if self._at_work[account] >= self._each else self._due)[account] = line
        return account, thing

    def done(self, account: str) -> None:
        """One thing of the account is no longer at work."""
        self._at_work[account] -= 1
        if not self._at_work[account]:
            del self._at_work[account]
        line = self._busy.pop(account, None)
        if line is not None:
            self._due[account] = line

    def shed(self, most: int) -> list[T]:
        """So many things or fewer from the end of the longest line, taken out, latest first."""
        lines = [line for lines in (self._due, self._busy) for line in lines.values()]
        longest = max(lines, key=len, default=deque[T]())
        things = [longest.pop() for _ in range(min(most, len(longest) - 1))]
        self._waiting -= len(things)
        return things

    def empty(self) -> list[T]:
        """Everything that waits, taken out."""
        things = [thing for lines in (self._due, self._busy) for line in lines.values() for thing in line]
        self._due.clear()
        self._busy.clear()
        self._waiting = 0
        return things
