"""How a command begins: with the settings of its environment, and quiet unless somebody wants to see everything.

What it takes is loaded when a command runs: ``--help`` is to be there at once.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.journals import Journal
    from hub.settings import Settings


def command_settings(**given: object) -> Settings:
    """The settings, ``given`` ones winning; logs only what goes to people, or all with ``--debug``.

    Raises:
        SettingsWrong: see `Settings.load`.
    """
    from hub import log  # noqa: PLC0415 - see above
    from hub.settings import Settings  # noqa: PLC0415

    settings = Settings.load(**given)
    log.configure("DEBUG" if "--debug" in sys.argv else "CRITICAL")
    return settings


@asynccontextmanager
async def command_journal() -> AsyncIterator[Journal]:
    """The journal alone, for commands that need nothing else of a hub.

    Raises:
        SettingsWrong, JournalUnwritable: it cannot be opened.
    """
    from hub.aws.accounts import HubIdentity  # noqa: PLC0415 - see above
    from hub.journals.choose import open_journal  # noqa: PLC0415

    settings = command_settings()
    async with open_journal(settings, HubIdentity(settings)) as journal:
        yield journal
