"""Reads CloudFormation templates the way CloudFormation does, as far as these tests need it."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.template import parse

__all__ = ["NAMES", "ROOT", "filled", "lint", "parsed", "substituted"]

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "AWS::Partition": "aws",
    "AWS::AccountId": "222233334444",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:222233334444:stack/StackSet-spokes-1/2b7c",
    "HubAccountId": "111122223333",
    "HubRoleName": "remediation-hub",
    "RoleName": "Dome9CloudBots",
    "InputTopicName": "d9-findings",
    "OutputTopicName": "remediationOutput",
    "ExternalId": "an-external-id",
    "OrganizationId": "o-exampleorgid",
}


def parsed(text: str) -> dict[str, Any]:
    """The template as CloudFormation understands it; one's own to change."""
    return copy.deepcopy(dict(parse(text)))


def filled(value: Any, names: Mapping[str, str] = NAMES, **conditions: bool) -> Any:
    """The value with Ref, Fn::Sub and Fn::If worked out."""
    if isinstance(value, list):
        return [filled(item, names, **conditions) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return names[name]
        case {"Fn::Sub": str(text)}:
            return substituted(text, names)
        case {"Fn::If": [condition, yes, no]}:
            return filled(yes if conditions[condition] else no, names, **conditions)
        case _:
            return {key: filled(item, names, **conditions) for key, item in value.items()}


def substituted(text: str, names: Mapping[str, str] = NAMES) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: names[found[1]], text)


def lint(*paths: Path) -> str:
    """What cfn-lint says of the templates; nothing is good."""
    command = [str(Path(sys.executable).parent / "cfn-lint"), *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return ran.stdout + ran.stderr if ran.returncode else ""
