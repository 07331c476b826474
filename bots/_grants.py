"""What bots need of IAM, put together from their headers: for session policies and for the spoke role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bots._bot import AnyBot

EVERYTHING = ("*",)


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions that are allowed on the same resources.

    ``resources`` are ARN patterns in which ``{partition}`` and ``{account}`` are still to be filled in.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def on(self, *, partition: str, account: str) -> list[str]:
        """The ARN patterns, filled in."""
        return [pattern.format(partition=partition, account=account) for pattern in self.resources]


def grants(bots: Iterable[AnyBot]) -> tuple[Grant, ...]:
    """Everything the bots declare and nothing else: each action once, grouped by resources, sorted.

    An action several bots need is allowed on the resources of all of them.
    """
    resources: dict[str, set[str]] = {}
    for bot in bots:
        for action in bot.actions:
            resources.setdefault(action, set()).update(bot.resources.get(action, EVERYTHING))
    groups: dict[tuple[str, ...], list[str]] = {}
    for action in sorted(resources):
        # Beside "*" a narrower pattern says nothing.
        patterns = EVERYTHING if "*" in resources[action] else tuple(sorted(resources[action]))
        groups.setdefault(patterns, []).append(action)
    return tuple(Grant(tuple(actions), patterns) for patterns, actions in sorted(groups.items()))
