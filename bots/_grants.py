"""What bots need of IAM, put together from their headers: for session policies and for the spoke role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bots._bot import AnyBot

EVERYTHING = ("*",)
# Session names have 64 characters.
_SESSION_CHARACTERS = 40
PASS_ROLE = "iam:PassRole"  # noqa: S105 - an action, no password


def session_of(bot: str) -> str:
    """What the name of a bot's role session begins with, up to a dot. Roles for some of the bots tell by it whose
    session it is."""
    return f"hub.{bot[:_SESSION_CHARACTERS]}"


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions that are allowed on the same resources.

    ``resources`` are ARN patterns in which ``{partition}`` and ``{account}`` are still to be filled in.
    ``passed_to``: the service that roles may be handed to, for ``iam:PassRole``.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    passed_to: str = ""

    def on(self, *, partition: str, account: str) -> list[str]:
        """The ARN patterns, filled in."""
        return [pattern.format(partition=partition, account=account) for pattern in self.resources]

    @property
    def condition(self) -> dict[str, dict[str, list[str]]]:
        """The statement's Condition, {} for none."""
        return {"StringEquals": {"iam:PassedToService": [self.passed_to]}} if self.passed_to else {}

    def statement(self, *, partition: str, account: str) -> dict[str, Any]:
        """The grant as a statement of a policy."""
        made: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": self.on(partition=partition, account=account),
        }
        return made | ({"Condition": self.condition} if self.passed_to else {})


def grants(bots: Iterable[AnyBot], *, also: Iterable[Grant] = (), without: str = "") -> tuple[Grant, ...]:
    """Everything the bots declare and nothing else: each action once, grouped by resources, sorted.

    An action several bots need is allowed on the resources of all of them.

    Args:
        also: what is allowed besides, whatever the bots.
        without: an action to leave out.
    """
    resources: dict[tuple[str, str], set[str]] = {}
    for grant in also:
        for action in grant.actions:
            resources.setdefault((action, grant.passed_to), set()).update(grant.resources)
    for bot in bots:
        for action in bot.actions:
            if action == without:
                continue
            if action == PASS_ROLE:
                for service, roles in bot.passes.items():
                    resources.setdefault((action, service), set()).update(roles)
            else:
                resources.setdefault((action, ""), set()).update(bot.resources.get(action, EVERYTHING))
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (action, service), patterns in sorted(resources.items()):
        # Beside "*" a narrower pattern says nothing.
        narrowed = EVERYTHING if "*" in patterns else tuple(sorted(patterns))
        groups.setdefault((service, narrowed), []).append(action)
    return tuple(
        Grant(tuple(actions), patterns, service) for (service, patterns), actions in sorted(groups.items())
    )
