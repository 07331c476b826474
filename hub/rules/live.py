"""The rules file of a running hub: read at start, read again when its content changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from bots._catalogue import Catalogue
from hub.errors import RulesWrong
from hub.rules.decide import Decider
from hub.rules.reading import Reading, read

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 5.0


class LiveRules:
    """Gives the rules in force. Nothing runs beside: whoever asks looks at the file, every few seconds.

    Args:
        path: of the file, as settings name it.
        on_broken: called at every look that finds the file unusable, for a metric.
        clock: seconds. Not the monotonic one, which may stand still while Lambda has the process frozen.

    Raises:
        RulesWrong: the file cannot be read or has mistakes; the text lists them all.
    """

    def __init__(
        self,
        path: str,
        catalogue: Catalogue,
        *,
        on_broken: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._catalogue = catalogue
        self._on_broken = on_broken
        self._clock = clock
        self._looked_at = clock()
        self._seen = _content(path)
        reading = _read(self._seen, path, catalogue)
        if reading.rules is None:
            raise RulesWrong(f"HUB_RULES: {path} cannot be used:\n{reading.text}")
        self._in_force = Decider(reading.rules, catalogue)
        self._wrong = ""

    def current(self) -> Decider:
        """The rules in force: the file's, or the last good ones while it is broken."""
        now = self._clock()
        if not 0 <= now - self._looked_at < LOOK_AGAIN_SECONDS:
            self._looked_at = now
            self._look()
        return self._in_force

    def _look(self) -> None:
        try:
            content = _content(self._path)
        except RulesWrong as error:
            self._seen = b""
            self._broken(str(error))
            return
        if content != self._seen:
            self._seen = content
            reading = _read(content, self._path, self._catalogue)
            if reading.rules is None:
                self._broken(reading.text)
                return
            self._in_force = Decider(reading.rules, self._catalogue)
            self._wrong = ""
            log.info("rules read again", extra={"file": self._path, "rules": len(reading.rules.rules)})
        elif self._wrong:
            self._on_broken()

    def _broken(self, wrong: str) -> None:
        if wrong != self._wrong:
            log.error(
                "rules file broken, the last good rules stay", extra={"file": self._path, "error": wrong}
            )
        self._wrong = wrong
        self._on_broken()


def reading_of(path: str, catalogue: Catalogue) -> Reading:
    """What a file says, or every mistake in it.

    Raises:
        RulesWrong: it cannot be read.
    """
    return _read(_content(path), path, catalogue)


def _content(path: str) -> bytes:
    """
    Raises:
        RulesWrong: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise RulesWrong(f"the rules file {path} could not be read: {error.strerror or error}") from error


def _read(content: bytes, path: str, catalogue: Catalogue) -> Reading:
    # A sign that is no UTF-8 becomes one that YAML takes in texts: the rules around it are checked all the same.
    return read(content.decode("utf-8-sig", errors="replace"), file=path, catalogue=catalogue)
