"""The journal that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hub.errors import SettingsWrong
from hub.journals import Journal
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.aws.accounts import HubIdentity


@asynccontextmanager
async def open_journal(settings: Settings, identity: HubIdentity | None = None) -> AsyncIterator[Journal]:
    """The journal of ``settings.journal``, started; stopped at the end of the block.

    Args:
        identity: who the hub is in AWS; only a DynamoDB journal asks for it.

    Raises:
        JournalUnwritable: the store cannot be used; the text says what to do.
        SettingsWrong: the setting names no journal.
    """
    journal = _chosen(settings, identity)
    try:
        await journal.start()
        yield journal
    finally:
        await journal.stop()


def _chosen(settings: Settings, identity: HubIdentity | None) -> Journal:
    # Each store is imported when it is chosen: a hub on SQLite never loads an AWS library for it.
    kind, _, where = settings.journal.partition(":")
    if kind == "memory":
        from hub.journals.memory import MemoryJournal  # noqa: PLC0415

        return MemoryJournal()
    if kind == "sqlite" and where:
        from hub.journals.sqlite import SqliteJournal  # noqa: PLC0415

        return SqliteJournal(Path(where), keep_days=settings.journal_days)
    if kind == "dynamodb" and where:
        if identity is None:
            raise SettingsWrong("a DynamoDB journal needs the hub's AWS identity, and none was given")
        from hub.journals.dynamodb import DynamoDbJournal  # noqa: PLC0415

        return DynamoDbJournal(identity, where, keep_days=settings.journal_days)
    raise SettingsWrong(f"journal {settings.journal!r} is none of dynamodb:TABLE, sqlite:FILE, memory")
