"""Appends reports to a file, one line of JSON each."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hub.errors import HubError
from hub.flow.report import as_json, document
from hub.model import Report


class FileSink:
    """A file of JSON lines. Reports of one sink never mix, and what the file held before stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        return f"file {self._path}"

    async def publish(self, report: Report) -> None:
        """Append the report.

        Raises:
            HubError: the file cannot be written; the text says why.
        """
        line = as_json(document(report)) + "\n"
        async with self._turn:
            try:
                await asyncio.to_thread(self._append, line)
            except OSError as error:
                raise HubError(
                    f"report {report.report_id} could not be appended to {self._path}: {error.strerror}"
                ) from error

    def _append(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
