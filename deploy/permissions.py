"""What a spoke role's template allows: its version, and which bots it is enough for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bots._bot import AnyBot
from bots._grants import grants
from deploy.template import Template
from spoke_role.documents import ACCOUNT, PARTITION
from spoke_role.policy import NOT_FOR_OTHERS, session_pattern

# Action and the service a role may be handed to -> resources, as the template writes them.
Allowed = Mapping[tuple[str, str], set[str]]


def version(template: Template) -> str:
    """The permissions' version the template tells as an output; "" for a template that tells none."""
    return str(template.get("Outputs", {}).get("PermissionsVersion", {}).get("Value", ""))


def bots_of(template: Template, bots: tuple[AnyBot, ...]) -> tuple[str, ...]:
    """Those of the bots that the template allows all they declare, and does not keep out, by name."""
    allowed, welcome = _allowed(template), _welcome(template)
    return tuple(
        bot.name
        for bot in bots
        if _enough(bot, allowed) and (welcome is None or session_pattern(bot) in welcome)
    )


def _welcome(template: Template) -> set[str] | None:
    """Sessions that a role for some bots does not deny everything; None for a role for all."""
    for statement in _statements(template):
        if statement.get("Sid") == NOT_FOR_OTHERS:
            return set(_listed(statement["Condition"]["StringNotLike"]["aws:userid"]))
    return None


def _enough(bot: AnyBot, allowed: Allowed) -> bool:
    for grant in grants([bot]):
        wanted = set(grant.on(partition=PARTITION, account=ACCOUNT))
        for action in grant.actions:
            there = allowed.get((action, grant.passed_to), set())
            if "*" not in there and not wanted <= there:
                return False
    return True


def _allowed(template: Template) -> Allowed:
    found: dict[tuple[str, str], set[str]] = {}
    for statement in _statements(template):
        if statement["Effect"] != "Allow" or "Action" not in statement:
            continue
        passed = statement.get("Condition", {}).get("StringEquals", {}).get("iam:PassedToService", [""])
        for action in _listed(statement["Action"]):
            for service in _listed(passed):
                resources = {_text(each) for each in _listed(statement.get("Resource", []))}
                found.setdefault((action, service), set()).update(resources)
    return found


def _statements(template: Template) -> Iterator[Mapping[str, Any]]:
    for resource in template.get("Resources", {}).values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield from _listed(resource["Properties"]["PolicyDocument"]["Statement"])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(resource: Any) -> str:
    return str(resource.get("Fn::Sub", resource)) if isinstance(resource, dict) else str(resource)
