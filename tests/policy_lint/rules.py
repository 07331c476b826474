"""parliament, what it knows too little of, and what is left as it is for a reason."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any

import cfnlint.data.AdditionalSpecs

from tests.policy_lint.templates import Found


@dataclass(frozen=True, slots=True)
class Remark:
    """Something parliament says of a policy."""

    where: str
    issue: str
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.issue}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Remarks that are left: where, which, about what, and why."""

    where: str
    issue: str
    about: str
    why: str

    def covers(self, remark: Remark) -> bool:
        return (
            fnmatchcase(remark.where, self.where)
            and remark.issue == self.issue
            and fnmatchcase(remark.detail, self.about)
        )


ACCEPTED = (
    Accepted(
        "HubLook",
        "RESOURCE_MISMATCH",
        "*'sns:GetSubscriptionAttributes', 'required_format': '[*]'*",
        "SNS asks for the right on the topic, which newer data than parliament's knows",
    ),
    Accepted(
        "Limits",
        "UNKNOWN_CONDITION_FOR_ACTION",
        "Unknown condition kms:ResourceAliases for action kms:*",
        "it is a condition of the key, not of the action; what is about no key is not meant",
    ),
    Accepted(
        "Key",
        "RESOURCE_MISMATCH",
        "*'kms:CreateKey'*",
        "the key's account has kms:* on it, as in AWS's own policy",
    ),
    Accepted(
        "PermissionsAToK",
        "RESOURCE_STAR",
        "*",
        "alarms, recorders and tasks are looked up in the whole account; a pattern for all of them says no less",
    ),
    Accepted("PermissionsEc2", "RESOURCE_STAR", "*Describe*", "the same, of images, instances and networks"),
    Accepted(
        "PermissionsIam", "INVALID_ARN", "* arn:aws:iam::aws:policy/[*]", "policies of AWS have no account"
    ),
    Accepted(
        "PermissionsLToZ",
        "RESOURCE_POLICY_PRIVILEGE_ESCALATION",
        "* on arn:aws:s3:::*",
        "putting a bucket's policy or ACL right is what those bots are for; only their sessions can do it",
    ),
)


def remarks(found: Found) -> Iterator[Remark]:
    """What there is to say of a policy, besides what newer data than parliament's knows to be right."""
    analyzed = _parliament().analyze_policy_string(found.document)
    for finding in analyzed.findings:
        subject = finding.location.get("string", "") if isinstance(finding.location, dict) else ""
        if finding.issue in ("UNKNOWN_ACTION", "UNKNOWN_PREFIX") and is_action(str(subject)):
            continue
        yield Remark(found.where, finding.issue, f"{finding.detail} {subject}".strip())


@cache
def _parliament() -> Any:
    """The linter. It asks setuptools where its own files are, in a way that setuptools no longer answers, and leaves
    those files to be closed by themselves."""
    asked = ModuleType("pkg_resources")
    asked.resource_filename = lambda package, name: str(files(package) / name)  # type: ignore[attr-defined]
    sys.modules.setdefault("pkg_resources", asked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        import parliament
    return parliament


@cache
def reference() -> dict[str, Any]:
    """The Service Authorization Reference as cfn-lint carries it, newer than parliament's; actions in small letters."""
    text = (files(cfnlint.data.AdditionalSpecs) / "Policies.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def is_action(pattern: str) -> bool:
    """Whether AWS has an action like this."""
    prefix, _, name = pattern.lower().partition(":")
    actions = reference().get(prefix, {}).get("Actions", {})
    return any(fnmatchcase(action, name) for action in actions)
