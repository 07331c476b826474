"""Copies of a role under names that nobody can guess.

A copy is known by a tag with the original's id (its name can hold letters a tag cannot, and may be given to
another role one day). Until all is copied the tag says so; a copy that an earlier attempt left is finished.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, together
from bots._bot import CannotFix
from bots._boundaries import boundary_of
from bots._iam_writes import NO_SUCH, Change, Write
from bots._inline import as_text, inline_documents, inline_names, removals
from bots._managed import attached_to_role, detachments
from bots._policies import same, statements

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
    name = role["RoleName"]
    names, attached = await together(inline_names(aws, "Role", name), attached_to_role(aws, name))
    return Content(
        trust=as_text(role["AssumeRolePolicyDocument"]),
        seconds=role["MaxSessionDuration"],
        boundary=boundary_of(role),
        inline=await inline_documents(aws, "Role", name, names),
        attached=attached,
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


def creation(original: Mapping[str, Any], content: Content) -> dict[str, Any]:
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


def filling(original: Mapping[str, Any], copy: str, content: Content) -> list[Change]:
    """Changes that give the copy the original's policies and call it finished."""
    mark = {"Key": MARK, "Value": original["RoleId"]}
    policies = removals("Role", copy, content.inline) + detachments("Role", [copy], content.attached)
    finish = Write("TagRole", {"RoleName": copy, "Tags": [mark]})
    return [*(each.turned() for each in policies), Change(finish)]


def deletion(copy: str, content: Content) -> list[Change]:
    """Changes after which the copy is gone."""
    return [
        *detachments("Role", [copy], content.attached),
        *removals("Role", copy, content.inline),
        Change(Write("DeleteRole", {"RoleName": copy})),
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
