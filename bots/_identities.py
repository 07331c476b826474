"""IAM users, roles and groups: how a finding names them, and which nobody but AWS or the root user can change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bots import _sentences
from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TargetGone, entity

USERS = ("arn:{partition}:iam::{account}:user/*",)
ROLES = ("arn:{partition}:iam::{account}:role/*",)
GROUPS = ("arn:{partition}:iam::{account}:group/*",)
NO_SUCH = ("NoSuchEntity",)
ROOT = "<root_account>"  # what findings call the root user
NAMED = entity("name", "arn")
# How ARNs begin that findings write; see `own_arn`.
ARN_START = r"^arn:([a-z-]+|\$PARTITION):iam::"
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_ARN = re.compile(r"arn:[a-z-]+:iam::(?P<account>[0-9]{12}):(?P<kind>role|user)/(.*/)?(?P<name>[^/]+)")
# Roles under these paths are made and kept by AWS services and by IAM Identity Center; IAM lets nobody
# else change them. (/service-role/ is an ordinary path.)
_OWNED_BY_AWS = {
    "/aws-service-role/": "a service-linked role, which only its AWS service can change",
    "/aws-reserved/": "a role of IAM Identity Center, which AWS puts back: change its permission set",
}
PATHS_OF_AWS = tuple(_OWNED_BY_AWS)

Kind = Literal["Group", "Role", "User"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, role or group, and how IAM's calls spell what is about it."""

    kind: Kind
    name: str

    @property
    def words(self) -> dict[str, str]:
        return {f"{self.kind}Name": self.name}

    @property
    def touched(self) -> tuple[str, str]:
        """As `Check.touches` has it."""
        return f"AWS::IAM::{self.kind}", self.name

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.name}"


def bare_name(named: str) -> str:
    """The name without path and ARN, as IAM's calls want it."""
    return named.rsplit("/", 1)[-1]


def own_arn(aws: Aws, arn: str) -> str:
    """An ARN of IAM that a finding writes, in this account's partition and with its id for $ACCOUNT_ID."""
    resource = arn.split(":iam::", 1)[1].replace("$ACCOUNT_ID", aws.account_id)
    return f"arn:{aws.partition}:iam::{resource}"


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
            named = bare_name(resource)
    if not _NAME.fullmatch(named):
        raise CannotFix(f"{named[:80]!r} is not the name of a {kind.lower()}")
    return Identity(kind, named)


def role_or_user(aws: Aws, named: str, of_type: str) -> Identity:
    """The role or user by its ARN or name. Nothing is asked of AWS.

    Args:
        of_type: what the finding calls its type, which tells a user from a role where a name cannot.

    Raises:
        CannotFix: it is the ARN of something else, or of another account.
    """
    if not named.startswith("arn:"):
        return Identity("User" if "user" in of_type.lower() else "Role", bare_name(named))
    found = _ARN.fullmatch(named)
    if found is None:
        raise CannotFix(f"{named} is not the ARN of a role or user")
    if found["account"] != aws.account_id:
        raise CannotFix(f"{named} belongs to account {found['account']}, not to {aws.account_id}")
    return Identity("User" if found["kind"] == "user" else "Role", found["name"])


async def live_identity(aws: Aws, target: Target, kind: Kind) -> tuple[Identity, dict[str, Any]]:
    """The user or role as IAM spells its name, and what GetUser or GetRole says of it.

    Raises:
        TargetGone: there is none.
        CannotFix: as `identity`, or the role is AWS's own.
    """
    who = identity(aws, target, kind)
    found = await _found(aws, who)
    if is_kept_by_aws(found):
        raise CannotFix(f"{who} is {_OWNED_BY_AWS[_path_of_aws(found)]}")
    return Identity(kind, found[f"{kind}Name"]), found


async def changeable(aws: Aws, who: Identity) -> dict[str, Any]:
    """What GetUser or GetRole says of a user or role that is known by name.

    Raises:
        TargetGone: there is none of that name.
        CannotFix: it is a role that only AWS can change.
    """
    found = await _found(aws, who)
    if is_kept_by_aws(found):
        raise CannotFix(
            f"{who} is kept by AWS under {found['Path']}: only the service it belongs to can change it "
            "(IAM Identity Center, if its name begins with AWSReservedSSO)"
        )
    return found


async def _found(aws: Aws, who: Identity) -> dict[str, Any]:
    answer = await aws.find("iam", f"Get{who.kind}", absent=NO_SUCH, **who.words)
    if answer is None:
        raise no_such(aws, who)
    found: dict[str, Any] = answer[who.kind]
    return found


def is_kept_by_aws(found: Mapping[str, Any]) -> bool:
    """Whether what GetUser, GetRole or a listing shows is a service-linked role or one of Identity Center."""
    return bool(found["Path"].startswith(PATHS_OF_AWS))


def _path_of_aws(found: Mapping[str, Any]) -> str:
    return next(path for path in PATHS_OF_AWS if found["Path"].startswith(path))


async def listing(aws: Aws, who: Identity, operation: str, *, items: str) -> list[Any]:
    """Everything a listing shows of a user, role or group.

    Raises:
        TargetGone: there is none.
    """
    try:
        return [each async for each in aws.pages("iam", operation, items=items, **who.words)]
    except AwsError as error:
        if error.code not in NO_SUCH:
            raise
        raise no_such(aws, who) from error


def no_such(aws: Aws, who: Identity) -> TargetGone:
    return TargetGone(f"{who} does not exist in account {aws.account_id}")


def some(names: Iterable[str]) -> str:
    """The names in order, not too many of them, for a sentence."""
    return _sentences.some(sorted(names), last=", ")
