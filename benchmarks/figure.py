"""A figure of the bench, and how figures are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Something measured against something measured in the same run.

    Attributes:
        name: what it is about.
        value: what the hub needed, with its unit.
        floor: what it is held against, and what that is.
        ratio: one by the other; below ``target`` is good.
        note: what a reader should know besides.
    """

    name: str
    value: str
    floor: str
    ratio: float
    target: float
    note: str = ""

    @property
    def met(self) -> bool:
        return self.ratio <= self.target

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}


def show(figures: Sequence[Figure], console: Console) -> None:
    """A table for people."""
    table = Table(header_style="bold")
    for column in ("Figure", "Measured", "Against", "Ratio", "Target", "", "Note"):
        table.add_column(
            column, overflow="fold", justify="right" if column in ("Ratio", "Target") else "left"
        )
    for each in figures:
        word = "[green]met[/]" if each.met else "[red]missed[/]"
        table.add_row(
            each.name, each.value, each.floor, f"{each.ratio:.2f}", f"{each.target:g}", word, each.note
        )
    console.print(table)
