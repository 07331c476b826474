# ruff: noqa: ASYNC240 - tests look at small folders, and nothing waits meanwhile
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from aiobotocore.session import AioSession

from hub.errors import JournalUnwritable, SettingsWrong
from hub.journals.choose import open_journal
from hub.journals.dynamodb import DynamoDbJournal
from hub.journals.memory import MemoryJournal
from hub.journals.sqlite import SqliteJournal
from hub.settings import Settings
from tests.hub.journals.stores import LoopbackIdentity, a_run, a_table

REPOSITORY = Path(__file__).parents[3]


async def test_memory_is_chosen(aws_session: AioSession) -> None:
    settings = Settings(journal="memory")
    async with open_journal(settings, LoopbackIdentity("http://127.0.0.1:1", aws_session)) as journal:
        assert isinstance(journal, MemoryJournal)
        assert await journal.open(a_run()) == a_run()


async def test_a_file_is_chosen_and_let_go_of_at_the_end(tmp_path: Path, aws_session: AioSession) -> None:
    path = tmp_path / "a file: with odd=name?mode=ro.sqlite"
    settings = Settings(journal=f"sqlite:{path}")
    async with open_journal(settings, LoopbackIdentity("http://127.0.0.1:1", aws_session)) as journal:
        assert isinstance(journal, SqliteJournal)
        assert await journal.open(a_run()) == a_run()
    # SQLite takes its side files away when the last connection is closed.
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


async def test_a_table_is_chosen(moto_address: str, aws_session: AioSession) -> None:
    identity = LoopbackIdentity(moto_address, aws_session)
    settings = Settings(journal=f"dynamodb:{await a_table(identity)}")
    async with open_journal(settings, identity) as journal:
        assert isinstance(journal, DynamoDbJournal)
        assert await journal.open(a_run()) == a_run()


async def test_a_file_that_cannot_be_used_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(JournalUnwritable, match="does not exist"):
        async with open_journal(Settings(journal=f"sqlite:{tmp_path}/none/journal.sqlite")):
            pytest.fail("opened all the same")


async def test_a_table_without_an_identity_is_refused() -> None:
    with pytest.raises(SettingsWrong, match="identity"):
        async with open_journal(Settings(journal="dynamodb:hub-journal")):
            pytest.fail("opened all the same")


def test_journals_without_aws_load_no_aws_library(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from hub.journals import dynamodb_table
from hub.journals.choose import open_journal
from hub.settings import Settings

async def main():
    for journal in ("memory", f"sqlite:{sys.argv[1]}"):
        async with open_journal(Settings(journal=journal)) as opened:
            assert await opened.get("run-1") is None

asyncio.run(main())
print([name for name in ("botocore", "aiobotocore", "boto3", "aiohttp") if name in sys.modules])
"""
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "journal.sqlite")],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "[]\n"
