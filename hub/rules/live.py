"""The rules of a running hub: read at start, read again when their source has changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bots._catalogue import Catalogue
from hub.errors import RulesWrong
from hub.rules.decide import Decider
from hub.rules.reading import Reading, read

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 5.0


class Source(Protocol):
    """Where rules come from."""

    @property
    def address(self) -> str:
        """As settings name it, for mistakes and decisions."""
        ...

    @property
    def seconds(self) -> float:
        """How long what was seen there is good for."""
        ...

    async def read(self, known: str, /) -> tuple[bytes, str] | None:
        """The content and its version ("" where there is no asking by it), None if it is still the one known.

        Args:
            known: the version that was read last, "" to have the content in any case.

        Raises:
            RulesWrong: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class RulesFile:
    """A file of this machine."""

    address: str
    seconds: float = LOOK_AGAIN_SECONDS

    async def read(self, _known: str, /) -> tuple[bytes, str] | None:
        return _content(self.address), ""


class LiveRules:
    """Gives the rules in force; made by `start`. Nothing runs beside: whoever needs them refreshes them first."""

    def __init__(
        self,
        source: Source,
        catalogue: Catalogue,
        in_force: Decider,
        seen: tuple[bytes, str],
        *,
        on_broken: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._catalogue = catalogue
        self._in_force = in_force
        self._seen, self._version = seen
        self._on_broken = on_broken
        self._clock = clock
        self._looked_at = clock()
        self._looking = asyncio.Lock()
        self._wrong = ""

    @classmethod
    async def start(
        cls,
        source: Source,
        catalogue: Catalogue,
        *,
        on_broken: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> LiveRules:
        """The rules as they are now.

        Args:
            on_broken: called at every later look that finds them unusable, for a metric.
            clock: seconds. Not the monotonic one, which may stand still while Lambda has the process frozen.

        Raises:
            RulesWrong: they cannot be read or have mistakes; the text lists them all.
        """
        content, version = await _whole(source)
        reading = _read(content, source.address, catalogue)
        if reading.rules is None:
            raise RulesWrong(f"HUB_RULES: {source.address} cannot be used:\n{reading.text}")
        in_force = Decider(reading.rules, catalogue)
        return cls(source, catalogue, in_force, (content, version), on_broken=on_broken, clock=clock)

    def current(self) -> Decider:
        """The rules in force: those of the last look, or the last good ones while the source is broken."""
        return self._in_force

    async def refresh(self) -> None:
        """Look at the source, unless somebody did so within its seconds. Whoever comes during a look waits
        for what it sees: a function that was frozen for an hour decides nothing by the rules of then."""
        if self._is_fresh():
            return
        async with self._looking:
            if not self._is_fresh():
                await self._look()
                self._looked_at = self._clock()

    def _is_fresh(self) -> bool:
        return 0 <= self._clock() - self._looked_at < self._source.seconds

    async def _look(self) -> None:
        try:
            found = await self._source.read(self._version)
        except RulesWrong as error:
            # As if nothing had ever been seen, so that the source is read whole when it is there again.
            self._seen, self._version = b"", ""
            self._broken(str(error))
            return
        if found is None or found[0] == self._seen:
            if self._wrong:
                self._on_broken()
            return
        self._seen, self._version = found
        reading = _read(self._seen, self._source.address, self._catalogue)
        if reading.rules is None:
            self._broken(reading.text)
            return
        self._in_force = Decider(reading.rules, self._catalogue)
        self._wrong = ""
        log.info("rules read again", extra={"file": self._source.address, "rules": len(reading.rules.rules)})

    def _broken(self, wrong: str) -> None:
        if wrong != self._wrong:
            log.error(
                "rules broken, the last good ones stay",
                extra={"file": self._source.address, "error": wrong},
            )
        self._wrong = wrong
        self._on_broken()


async def reading_of(source: Source, catalogue: Catalogue) -> Reading:
    """What a source says, or every mistake in it.

    Raises:
        RulesWrong: it cannot be read.
    """
    content, _ = await _whole(source)
    return _read(content, source.address, catalogue)


async def _whole(source: Source) -> tuple[bytes, str]:
    found = await source.read("")
    assert found is not None, "no version was known"
    return found


def _content(path: str) -> bytes:
    """
    Raises:
        RulesWrong: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise RulesWrong(f"the rules file {path} could not be read: {error.strerror or error}") from error


def _read(content: bytes, address: str, catalogue: Catalogue) -> Reading:
    # A sign that is no UTF-8 becomes one that YAML takes in texts: the rules around it are checked all the same.
    return read(content.decode("utf-8-sig", errors="replace"), file=address, catalogue=catalogue)
