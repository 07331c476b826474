"""The versions of a managed policy, and which of them goes and which comes in force in a rollback.

A rollback leaves a mark on the policy, a tag that says "v5 to v4". Without it nothing would tell a policy
that was rolled back from one that is still to be, because any default version can be the bad one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bots._all_or_none import IamChange, Write
from bots._aws import Aws
from bots._bot import CannotFix, TargetGone, on
from bots._managed import POLICIES, policy_facts

READS = on(
    POLICIES, "iam:GetPolicy", "iam:ListPolicyVersions", "iam:GetPolicyVersion", "iam:ListEntitiesForPolicy"
)
WRITES = (
    *on(POLICIES, "iam:TagPolicy", "iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion"),
    *on(POLICIES, "iam:UntagPolicy", "iam:CreatePolicyVersion"),
)
MARK = "remediation-hub:rolled-back"
_MARKED = re.compile(r"(?P<bad>v[0-9]+) to (?P<good>v[0-9]+)")


@dataclass(frozen=True, slots=True)
class Versions:
    """The default version, when each version was made, and the mark of the last rollback."""

    default: str
    created: Mapping[str, datetime]
    mark: str | None

    def settled(self, latest: datetime | None) -> str | None:
        """Why there is nothing to roll back; None if there is.

        Args:
            latest: the latest moment the bad version can have been made; None if nobody knows.
        """
        marked = _MARKED.fullmatch(self.mark or "")
        if marked and self.default == marked["good"] and marked["bad"] not in self.created:
            return f"version {marked['bad']} was taken back before, and {self.default} is in force since"
        made = self.created[self.default]
        if latest is not None and made > latest:
            return f"the default version {self.default} was made later, {made:%Y-%m-%dT%H:%M:%SZ}"
        return None

    def rollback(self) -> tuple[str, str]:
        """The version to delete and the one to be in force.

        Raises:
            CannotFix: there is none to go back to, or somebody has gone back already.
        """
        marked = _MARKED.fullmatch(self.mark or "")
        if marked and self.default == marked["good"]:
            return marked["bad"], self.default  # an attempt that broke off before it could delete
        others = [_number(version) for version in self.created if version != self.default]
        if not others:
            raise CannotFix(
                f"{self.default} is the only version, so there is none to go back to: detach or edit the policy"
            )
        if max(others) > _number(self.default):
            raise CannotFix(
                f"v{max(others)} is newer than the default {self.default}: somebody went back on purpose, and "
                "which version is right is for a person to say"
            )
        return self.default, f"v{max(others)}"


def _number(version: str) -> int:
    return int(version.removeprefix("v").partition(".")[0])


async def versions_of(aws: Aws, arn: str) -> Versions:
    """
    Raises:
        TargetGone: there is no such policy.
    """
    policy = await policy_facts(aws, arn)
    if policy is None:
        raise TargetGone(f"policy {arn} does not exist")
    listed = aws.pages("iam", "ListPolicyVersions", items="Versions", PolicyArn=arn)
    created = {version["VersionId"]: version["CreateDate"] async for version in listed}
    tags = {tag["Key"]: tag["Value"] for tag in policy.get("Tags", ())}
    return Versions(policy["DefaultVersionId"], created, tags.get(MARK))


def _marking(arn: str, mark: str | None) -> Write:
    """The call after which the policy has the mark, or none."""
    if mark is None:
        return Write("UntagPolicy", {"PolicyArn": arn, "TagKeys": [MARK]})
    return Write("TagPolicy", {"PolicyArn": arn, "Tags": [{"Key": MARK, "Value": mark}]})


def forwards(arn: str, versions: Versions, mark: str | None) -> list[IamChange]:
    """Changes that make the rollback; deleting the bad version is the one with no way back, so it is the last.

    Args:
        mark: as it was before the first attempt, which may have left one.

    Raises:
        CannotFix: as `Versions.rollback`.
    """
    bad, good = versions.rollback()
    default, back = (
        Write("SetDefaultPolicyVersion", {"PolicyArn": arn, "VersionId": version})
        for version in (good, versions.default)
    )
    return [
        IamChange(_marking(arn, f"{bad} to {good}"), _marking(arn, mark)),
        IamChange(default, back),
        IamChange(Write("DeletePolicyVersion", {"PolicyArn": arn, "VersionId": bad})),
    ]


def backwards(arn: str, versions: Versions, document: str, mark: str | None) -> list[IamChange]:
    """Changes after which the document is in force again, and the mark as it was."""
    again = {"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": True}
    return [
        IamChange(_marking(arn, mark), _marking(arn, versions.mark)),
        IamChange(Write("CreatePolicyVersion", again)),
    ]
