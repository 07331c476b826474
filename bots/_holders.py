"""Who holds policies, users, groups and roles: how a finding names them, and which of them AWS keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from bots._aws import Aws
from bots._bot import CannotFix, TargetGone
from bots._iam_writes import NO_SUCH

ROLES = ("arn:{partition}:iam::{account}:role/*",)
USERS = ("arn:{partition}:iam::{account}:user/*",)
GROUPS = ("arn:{partition}:iam::{account}:group/*",)
# Roles under these paths are made and kept by AWS services and by IAM Identity Center; IAM lets nobody
# else change them. (/service-role/ is an ordinary path.)
PATHS_OF_AWS = ("/aws-service-role/", "/aws-reserved/")
# How ARNs begin that findings write; see `own_arn`.
ARN_START = r"^arn:([a-z-]+|\$PARTITION):iam::"
NAMED_AT_MOST = 5  # names in one sentence

Kind = Literal["Group", "Role", "User"]
_IDENTITY = re.compile(r"arn:[a-z-]+:iam::(?P<account>[0-9]{12}):(?P<kind>role|user)/(.*/)?(?P<name>[^/]+)")


def bare_name(named: str) -> str:
    """The name without path and ARN, as IAM's calls want it."""
    return named.rsplit("/", 1)[-1]


def own_arn(aws: Aws, arn: str) -> str:
    """An ARN of IAM that a finding writes, in this account's partition and with its id for $ACCOUNT_ID."""
    resource = arn.split(":iam::", 1)[1].replace("$ACCOUNT_ID", aws.account_id)
    return f"arn:{aws.partition}:iam::{resource}"


def role_or_user(aws: Aws, named: str, of_type: str) -> tuple[Kind, str]:
    """Kind and name of an identity.

    Args:
        named: its ARN or name.
        of_type: what the finding calls its type, which tells a user from a role where a name cannot.

    Raises:
        CannotFix: it is the ARN of something else, or of another account.
    """
    if not named.startswith("arn:"):
        return ("User" if "user" in of_type.lower() else "Role"), bare_name(named)
    found = _IDENTITY.fullmatch(named)
    if found is None:
        raise CannotFix(f"{named} is not the ARN of a role or user")
    if found["account"] != aws.account_id:
        raise CannotFix(f"{named} belongs to account {found['account']}, not to {aws.account_id}")
    return ("User" if found["kind"] == "user" else "Role"), found["name"]


async def live_identity(aws: Aws, kind: Kind, name: str) -> dict[str, Any]:
    """The role or user as it is now.

    Raises:
        TargetGone: there is none of that name.
        CannotFix: it is a role that only AWS can change.
    """
    answer = await aws.find("iam", f"Get{kind}", absent=NO_SUCH, **{f"{kind}Name": name})
    if answer is None:
        raise no_such(aws, kind, name)
    identity: dict[str, Any] = answer[kind]
    if is_kept_by_aws(identity):
        raise CannotFix(
            f"role {name} is kept by AWS under {identity['Path']}: only the service it belongs to can change it "
            "(IAM Identity Center, if its name begins with AWSReservedSSO)"
        )
    return identity


def no_such(aws: Aws, kind: Kind, name: str) -> TargetGone:
    return TargetGone(f"{kind.lower()} {name} does not exist in account {aws.account_id}")


def is_kept_by_aws(identity: Mapping[str, Any]) -> bool:
    """Whether it is a service-linked role or one of IAM Identity Center."""
    return bool(identity["Path"].startswith(PATHS_OF_AWS))


def some(names: Iterable[str]) -> str:
    """The names, not too many of them, for a sentence."""
    every = sorted(names)
    more = [f"{len(every) - NAMED_AT_MOST} more"] if len(every) > NAMED_AT_MOST else []
    return ", ".join([*every[:NAMED_AT_MOST], *more])
