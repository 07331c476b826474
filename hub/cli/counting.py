"""A bar that counts, where there is a terminal to draw it on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from hub.cli.console import err

Count = Callable[[int, int], None]


@contextlib.contextmanager
def counted(what: str, *, shown: bool) -> Iterator[Count | None]:
    """What to call with how many are done and of how many, 0 while nobody knows; None where nobody would see it."""
    if not shown or not sys.stderr.isatty():
        yield None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as progress:
        task = progress.add_task(what, total=None)

        def count(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None)

        yield count
