"""What a spoke role's template allows: its version, and which bots it is enough for."""

from __future__ import annotations

from typing import Any

from bots._bot import AnyBot
from deploy.template import Template
from spoke_role.coverage import Allowed, rules
from spoke_role.documents import ACCOUNT, PARTITION


def version(template: Template) -> str:
    """The permissions' version the template tells as an output; "" for a template that tells none."""
    return str(template.get("Outputs", {}).get("PermissionsVersion", {}).get("Value", ""))


def bots_of(template: Template, bots: tuple[AnyBot, ...]) -> tuple[str, ...]:
    """Those of the bots that the template allows all they declare, and does not keep out, by name."""
    documents = [
        _as_written(resource["Properties"]["PolicyDocument"])
        for resource in template.get("Resources", {}).values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    # Names stay as the template writes them, in what is allowed as in what is declared.
    lacking = Allowed(rules(documents)).lacking(bots, partition=PARTITION, account=ACCOUNT)
    return tuple(bot.name for bot in bots if bot.name not in lacking)


def _as_written(value: Any) -> Any:
    """A document with the texts of ``Fn::Sub`` in place of the function."""
    match value:
        case {"Fn::Sub": str(text)}:
            return text
        case dict():
            return {key: _as_written(each) for key, each in value.items()}
        case list():
            return [_as_written(each) for each in value]
    return value
