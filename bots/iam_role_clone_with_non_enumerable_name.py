"""Copy a role under a name that nobody can guess.

After: there is a second role, <name>-<20 random letters and digits>, with the same trust, policies, boundary,
tags, path and session length. The original stays as it is, for a person to delete when nobody uses it.
Caution: whatever uses the original goes on using it, and what names it (resource policies, key grants,
instance profiles) does not know the copy. Undo deletes the copy, unless somebody has used it.
"""

import contextlib

from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TryLater, Undo, entity, on
from bots._holders import ROLES, bare_name, live_identity, some
from bots._iam_writes import NO_SUCH, all_or_none
from bots._role_copies import (
    content_of,
    copies_of,
    creation,
    deletion,
    filling,
    is_finished,
    names_itself,
    refuse_uncopyable,
)


class Copies(Before):
    names: tuple[str, ...]  # of those that are finished


bot = Bot(
    name="iam_role_clone_with_non_enumerable_name",
    acts_on="AWS::IAM::Role",
    target=entity("name"),
    params=NoParams,
    before=Copies,
    reads=(
        "iam:ListRoles",
        *on(
            ROLES, "iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"
        ),
    ),
    writes=on(
        ROLES,
        "iam:CreateRole",
        "iam:TagRole",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
    ),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    is_global=True,
    creates=("role <name>-<20 random letters and digits>",),
    aliases=("iam_role_clone_non_enumerable_name",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Copies]:
    original = await live_identity(aws, "Role", bare_name(target.id))
    name, content = original["RoleName"], await content_of(aws, original)
    copies = await copies_of(aws, original)
    finished = {copy: role for copy, role in copies.items() if is_finished(role)}
    notes = []
    for copy, role in finished.items():
        if differing := content.differences(await content_of(aws, role)):
            notes.append(f"{copy} differs from {name} by now: {', '.join(differing)}")
    if not finished:
        refuse_uncopyable(original, content)
    if names_itself(original, content):
        notes.append(f"the trust policy names {name} itself; in the copy's, too, that means the original")
    return Check(
        compliant=bool(finished),
        before=Copies(names=tuple(finished)),
        why=f"role {name} has the copy {some(finished)}; {name} is still there, for a person to check and delete"
        if finished
        else f"role {name} has no copy whose name cannot be guessed",
        notes=tuple(notes),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Copies) -> None:
    original = await live_identity(aws, "Role", bare_name(target.id))
    content = await content_of(aws, original)
    # Without finished ones, any copy there is comes from an attempt that broke off.
    copy = next(iter(await copies_of(aws, original)), None)
    if copy is None:
        made = await aws.call("iam", "CreateRole", **creation(original, content))
        copy = made["Role"]["RoleName"]
    try:
        await all_or_none(aws, filling(original, copy, content), absent=())
    except AwsError as error:
        if error.code in NO_SUCH:
            raise TryLater(f"IAM does not find the new role {copy} everywhere yet", seconds=15) from error
        with contextlib.suppress(AwsError):
            await aws.call("iam", "DeleteRole", RoleName=copy)
        raise


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Copies) -> None:
    original = await live_identity(aws, "Role", bare_name(target.id))
    made = {name: role for name, role in (await copies_of(aws, original)).items() if name not in before.names}
    for name, role in made.items():
        used = role.get("RoleLastUsed", {}).get("LastUsedDate")
        if used is not None:
            raise CannotFix(
                f"the copy {name} was used on {used:%Y-%m-%d}: delete it by hand when it is not needed"
            )
        await all_or_none(aws, deletion(name, await content_of(aws, role)))
