"""Copies of a role under names that nobody can guess.

A copy is known by a tag with the original's id (its name can hold letters a tag cannot, and may be given to
another role one day). Until all is copied the tag says so; a copy that an earlier attempt left is finished.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bots._all_or_none import IamChange, Write, make_in_iam
from bots._aws import Aws, AwsError, together
from bots._bot import CannotFix, TryLater, on
from bots._boundaries import boundary_of
from bots._identities import NO_SUCH, ROLES, Identity
from bots._inline import inline_policies, removals
from bots._managed import as_text, attached, detachments
from bots._policies import same, statements

READS = (
    "iam:ListRoles",
    *on(ROLES, "iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"),
)
WRITES = (
    *on(ROLES, "iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"),
    *on(ROLES, "iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole"),
)
MARK = "remediation-hub:copy-of"
UNFINISHED = "unfinished"
LONGEST_NAME = 64
TAGS_AT_MOST = 50
_LETTERS = string.ascii_letters + string.digits
_RANDOM_LETTERS = 20
_DELETED_PRINCIPAL = re.compile(r'"(A(?:ROA|IDA)[A-Z0-9]{12,})"')


@dataclass(frozen=True, slots=True)
class Content:
    """What makes a role what it is."""

    trust: str
    seconds: int
    boundary: str | None
    inline: Mapping[str, str]
    attached: tuple[str, ...]

    def differences(self, other: Content) -> list[str]:
        """In what the two are not alike."""
        texts = self.inline.keys() == other.inline.keys() and all(
            same(text, other.inline[name]) for name, text in self.inline.items()
        )
        return [
            what
            for what, alike in (
                ("trust policy", same(self.trust, other.trust)),
                ("session length", self.seconds == other.seconds),
                ("permissions boundary", self.boundary == other.boundary),
                ("inline policies", texts),
                ("managed policies", self.attached == other.attached),
            )
            if not alike
        ]


async def content_of(aws: Aws, role: Mapping[str, Any]) -> Content:
    """Content of the role that GetRole answered with."""
    who = Identity("Role", role["RoleName"])
    inline, managed = await together(inline_policies(aws, who), attached(aws, who))
    return Content(
        trust=as_text(role["AssumeRolePolicyDocument"]),
        seconds=role["MaxSessionDuration"],
        boundary=boundary_of(role),
        inline=inline,
        attached=managed,
    )


async def copies_of(aws: Aws, original: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every copy by name, finished or not, as GetRole shows it; see `is_finished`."""
    alike = re.compile(re.escape(_stem(original)) + f"-[A-Za-z0-9]{{{_RANDOM_LETTERS}}}")
    # Listings do not show tags.
    listed = aws.pages("iam", "ListRoles", items="Roles", PathPrefix=original["Path"])
    names = sorted([role["RoleName"] async for role in listed if alike.fullmatch(role["RoleName"])])
    answers = await together(*(aws.find("iam", "GetRole", absent=NO_SUCH, RoleName=name) for name in names))
    found = {answer["Role"]["RoleName"]: answer["Role"] for answer in answers if answer}
    return {name: role for name, role in found.items() if _mark(role).split(" ")[0] == original["RoleId"]}


def is_finished(copy: Mapping[str, Any]) -> bool:
    """Whether everything was copied."""
    return UNFINISHED not in _mark(copy).split(" ")


def refuse_uncopyable(original: Mapping[str, Any], content: Content) -> None:
    """
    Raises:
        CannotFix: IAM would not take a role like this.
    """
    name = original["RoleName"]
    deleted = _DELETED_PRINCIPAL.search(content.trust)
    if deleted:
        raise CannotFix(
            f"the trust policy of {name} names {deleted[1]}, a role or user that was deleted; IAM takes no new "
            "role with such a policy: take it out first"
        )
    if len(_own_tags(original)) >= TAGS_AT_MOST:
        raise CannotFix(f"{name} has {TAGS_AT_MOST} tags, and its copy needs one more: take one off first")


def names_itself(original: Mapping[str, Any], content: Content) -> bool:
    """Whether the trust policy names the role itself."""
    arn = original["Arn"]
    return any(f'"{arn}"' in as_text(statement) for statement in statements(content.trust))


async def finish_copy(aws: Aws, original: Mapping[str, Any]) -> None:
    """Make the copy, or finish the one that an earlier attempt has left.

    Raises:
        TryLater: IAM does not know the new role everywhere yet.
    """
    content = await content_of(aws, original)
    # Without finished ones, any copy there is comes from an attempt that broke off.
    copy = next(iter(await copies_of(aws, original)), None)
    if copy is None:
        made = await aws.call("iam", "CreateRole", **_creation(original, content))
        copy = made["Role"]["RoleName"]
    try:
        await make_in_iam(aws, _filling(original, copy, content), absent=())
    except AwsError as error:
        if error.code in NO_SUCH:
            raise TryLater(f"IAM does not find the new role {copy} everywhere yet", seconds=15) from error
        with contextlib.suppress(AwsError):
            await aws.call("iam", "DeleteRole", RoleName=copy)
        raise


async def delete_copy(aws: Aws, copy: Mapping[str, Any]) -> None:
    """Delete a copy that GetRole answered with, and what is on it; all or nothing.

    Raises:
        CannotFix: somebody has used it.
    """
    name, used = copy["RoleName"], copy.get("RoleLastUsed", {}).get("LastUsedDate")
    if used is not None:
        raise CannotFix(
            f"the copy {name} was used on {used:%Y-%m-%d}: delete it by hand when it is not needed"
        )
    await make_in_iam(aws, _deletion(name, await content_of(aws, copy)))


def _creation(original: Mapping[str, Any], content: Content) -> dict[str, Any]:
    """Parameters of CreateRole for a copy, under a new name, that is not finished."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_LETTERS))
    mark = {"Key": MARK, "Value": f"{original['RoleId']} {UNFINISHED}"}
    more = {"Description": original.get("Description"), "PermissionsBoundary": content.boundary}
    return {
        "RoleName": f"{_stem(original)}-{letters}",
        "Path": original["Path"],
        "AssumeRolePolicyDocument": content.trust,
        "MaxSessionDuration": content.seconds,
        "Tags": [*_own_tags(original), mark],
        **{name: value for name, value in more.items() if value},
    }


def _filling(original: Mapping[str, Any], copy: str, content: Content) -> list[IamChange]:
    """Changes that give the copy the original's policies and call it finished."""
    mark = {"Key": MARK, "Value": original["RoleId"]}
    who = Identity("Role", copy)
    policies = removals(who, content.inline) + detachments([who], content.attached)
    finish = Write("TagRole", {"RoleName": copy, "Tags": [mark]})
    return [*(each.turned() for each in policies), IamChange(finish)]


def _deletion(copy: str, content: Content) -> list[IamChange]:
    """Changes after which the copy is gone."""
    who = Identity("Role", copy)
    return [
        *detachments([who], content.attached),
        *removals(who, content.inline),
        IamChange(Write("DeleteRole", {"RoleName": copy})),
    ]


def _stem(original: Mapping[str, Any]) -> str:
    name: str = original["RoleName"]
    return name[: LONGEST_NAME - _RANDOM_LETTERS - 1]


def _mark(role: Mapping[str, Any]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", ())}
    return str(tags.get(MARK, ""))


def _own_tags(role: Mapping[str, Any]) -> list[dict[str, str]]:
    """Tags that anybody may give to another role."""
    return [
        tag
        for tag in role.get("Tags", ())
        if not tag["Key"].lower().startswith("aws:") and tag["Key"] != MARK
    ]
