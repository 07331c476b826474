"""The IAM user or role a finding names, and those that nobody but AWS or the root user can change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TargetGone, entity

USER = ("arn:{partition}:iam::{account}:user/*",)
ROLE = ("arn:{partition}:iam::{account}:role/*",)
GONE = ("NoSuchEntity",)
ROOT = "<root_account>"  # what findings call the root user
NAMED = entity("name", "arn")
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_OWNED_BY_AWS = {
    "/aws-service-role/": "a service-linked role, which only its AWS service can change",
    "/aws-reserved/": "a role of IAM Identity Center, which AWS puts back: change its permission set",
}

Kind = Literal["User", "Role"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A user or a role, and how IAM's calls spell what is about it."""

    kind: Kind
    name: str

    @property
    def words(self) -> dict[str, str]:
        return {f"{self.kind}Name": self.name}

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.name}"


def identity(aws: Aws, target: Target, kind: Kind) -> Identity:
    """The user or role by the name or the ARN in the finding. Nothing is asked of AWS.

    Raises:
        CannotFix: it is the root user, of another account, or no such name.
    """
    named = target.id
    if named == ROOT or named.endswith(":root"):
        raise CannotFix(
            "the finding is about the root user, whom no policy and no other identity of the account reaches: "
            "its owner must sign in as root"
        )
    if named.startswith("arn:"):
        _, _, service, _, owner, resource = [*named.split(":", 5), *[""] * 5][:6]
        if owner != aws.account_id:
            raise CannotFix(f"{named} belongs to account {owner}, not to {aws.account_id}")
        if service == "iam" and resource.startswith(f"{kind.lower()}/"):
            named = resource.rsplit("/", 1)[-1]
    if not _NAME.fullmatch(named):
        raise CannotFix(f"{named[:80]!r} is not the name of a {kind.lower()}")
    return Identity(kind, named)


async def live_identity(aws: Aws, target: Target, kind: Kind) -> tuple[Identity, dict[str, Any]]:
    """The user or role as IAM spells its name, and what GetUser or GetRole says of it.

    Raises:
        TargetGone: there is none.
        CannotFix: as `identity`, or the role is AWS's own.
    """
    who = identity(aws, target, kind)
    answer = await aws.find("iam", f"Get{kind}", absent=GONE, **who.words)
    if answer is None:
        raise no_such(aws, who)
    found: dict[str, Any] = answer[kind]
    for path, why in _OWNED_BY_AWS.items():
        if kind == "Role" and found["Path"].startswith(path):
            raise CannotFix(f"{who} is {why}")
    return Identity(kind, found[f"{kind}Name"]), found


async def listing(aws: Aws, who: Identity, operation: str, *, items: str) -> list[Any]:
    """Everything a listing shows of a user or role.

    Raises:
        TargetGone: there is none.
    """
    try:
        return [each async for each in aws.pages("iam", operation, items=items, **who.words)]
    except AwsError as error:
        if error.code not in GONE:
            raise
        raise no_such(aws, who) from error


def no_such(aws: Aws, who: Identity) -> TargetGone:
    return TargetGone(f"{who} does not exist in account {aws.account_id}")
