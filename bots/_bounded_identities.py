"""The roles and users whose permissions boundary a finding means, and what may be done to it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import on
from bots._boundaries import Bound, boundary_of
from bots._identities import ARN_START, ROLES, USERS, Identity, changeable

ALL = "all"  # the word for every role and user of the account
EntityArn = Annotated[
    str | None,
    Field(
        pattern=rf"^(?i:{ALL})$|" + ARN_START + r"([0-9]{12}|\$ACCOUNT_ID):(role|user)/[!-~]{1,640}$",
        description="ARN of the role or user, or all; left out: the finding's entity",
    ),
]
READS = (*on(ROLES, "iam:GetRole"), *on(USERS, "iam:GetUser"))
WRITES = (
    *on(ROLES, "iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"),
    *on(USERS, "iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary"),
)


async def bound_of(aws: Aws, who: Identity) -> tuple[tuple[Bound, ...], str]:
    """The role or user with its boundary, if it has one, and its ARN.

    Raises:
        TargetGone: there is no such role or user.
        CannotFix: it is a role that only AWS can change.
    """
    found = await changeable(aws, who)
    boundary = boundary_of(found)
    return ((Bound(who.kind, who.name, boundary),) if boundary else ()), found["Arn"]
