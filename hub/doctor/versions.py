"""Which bots a version of the spoke role's permissions is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bots._bot import AnyBot, Risk
from bots._catalogue import Catalogue
from spoke_role.documents import TooLarge
from spoke_role.policy import select, version_of


@dataclass(frozen=True, slots=True)
class Selection:
    """Bots a spoke role is made for in one go; ``label`` says which."""

    label: str
    bots: tuple[AnyBot, ...]


class Versions:
    """The versions this hub makes. Telling one takes a tenth of a second, so each is told when it is needed.

    Attributes:
        wanted: the bots this hub runs, so the ones a role should allow.
    """

    def __init__(self, catalogue: Catalogue, *, optional: Iterable[str] = ()) -> None:
        """
        Args:
            catalogue: the hub's bots, a user's own ones among them.
            optional: optional bots it may run.

        Raises:
            UnknownBot, BrokenBot: one of them cannot be had.
        """
        every = select(catalogue=catalogue)
        self.wanted = select([*(bot.name for bot in every), *optional], catalogue=catalogue)
        self._made: dict[str, Selection] = {}
        self._next = self._selections(every, catalogue)

    def get(self, version: str) -> Selection | None:
        """What the version is for, None if this hub does not make it."""
        while version and version not in self._made:
            following = next(self._next, None)
            if following is None:
                return None
            try:
                self._made.setdefault(version_of(following.bots), following)
            except TooLarge:
                continue  # nobody can have made a role of it
        return self._made.get(version)

    def learn(self, version: str, bots: tuple[AnyBot, ...]) -> None:
        """Take the version for one of just these bots, if it is."""
        if version and bots and version_of(bots) == version:
            self._made[version] = Selection(f"{len(bots)} chosen bots", bots)

    def _selections(self, every: tuple[AnyBot, ...], catalogue: Catalogue) -> Iterator[Selection]:
        told = set()
        for bots, label in (
            (self.wanted, "all bots"),
            (every, "all bots but the optional ones"),
            *((select(max_risk=risk, catalogue=catalogue), f"bots up to {risk}") for risk in Risk),
            (select(), "all bots but your own"),
            *((select(max_risk=risk), f"bots up to {risk}, without your own") for risk in Risk),
        ):
            names = tuple(bot.name for bot in bots)
            if bots and names not in told:
                told.add(names)
                yield Selection(label, bots)
