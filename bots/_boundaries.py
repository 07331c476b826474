"""Permissions boundaries of roles and users: who has one, and how it goes and comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bots._all_or_none import IamChange, Write
from bots._aws import Aws
from bots._identities import Kind, is_kept_by_aws


class Bound(NamedTuple):
    """A role or user and its boundary."""

    kind: Kind
    name: str
    boundary: str  # ARN of the policy


def boundary_of(identity: Mapping[str, Any]) -> str | None:
    """ARN of the boundary of what GetRole or GetUser shows; None for none."""
    found: str | None = identity.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return found


def setting(kind: Kind, name: str, boundary: str | None) -> Write:
    """The call after which the identity has the boundary, or none."""
    who = {f"{kind}Name": name}
    if boundary is None:
        return Write(f"Delete{kind}PermissionsBoundary", who)
    return Write(f"Put{kind}PermissionsBoundary", {**who, "PermissionsBoundary": boundary})


def removal(bound: Bound) -> IamChange:
    """Taking the boundary away; turned, putting it back."""
    return IamChange(setting(bound.kind, bound.name, None), setting(*bound))


async def everybody_bound(aws: Aws) -> tuple[Bound, ...]:
    """All roles and users of the account that have a boundary, but for roles that AWS keeps."""
    found = []
    kinds: tuple[Kind, ...] = ("Role", "User")
    for kind in kinds:
        # Listings of roles and users do not show boundaries; this call does.
        details = aws.pages("iam", "GetAccountAuthorizationDetails", items=f"{kind}DetailList", Filter=[kind])
        async for identity in details:
            boundary = boundary_of(identity)
            if boundary and not is_kept_by_aws(identity):
                found.append(Bound(kind, identity[f"{kind}Name"], boundary))
    return tuple(sorted(found))
