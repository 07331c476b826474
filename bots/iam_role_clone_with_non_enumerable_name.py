"""Copy a role under a name that nobody can guess.

After: there is a second role, <name>-<20 random letters and digits>, with the same trust, policies, boundary,
tags, path and session length. The original stays as it is, for a person to delete when nobody uses it.
Caution: whatever uses the original goes on using it, and what names it (resource policies, key grants,
instance profiles) does not know the copy. Undo deletes the copy, unless somebody has used it.
"""

from typing import Any

from bots import _role_copies
from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity
from bots._identities import Identity, bare_name, changeable, some


class Copies(Before):
    names: tuple[str, ...]  # of those that are finished


bot = Bot(
    name="iam_role_clone_with_non_enumerable_name",
    acts_on="AWS::IAM::Role",
    target=entity("name"),
    params=NoParams,
    before=Copies,
    reads=_role_copies.READS,
    writes=_role_copies.WRITES,
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    is_global=True,
    creates=("role <name>-<20 random letters and digits>",),
    aliases=("iam_role_clone_non_enumerable_name",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Copies]:
    original = await _original(aws, target)
    name, content = original["RoleName"], await _role_copies.content_of(aws, original)
    copies = await _role_copies.copies_of(aws, original)
    finished = {copy: role for copy, role in copies.items() if _role_copies.is_finished(role)}
    notes = []
    for copy, role in finished.items():
        if differing := content.differences(await _role_copies.content_of(aws, role)):
            notes.append(f"{copy} differs from {name} by now: {', '.join(differing)}")
    if not finished:
        _role_copies.refuse_uncopyable(original, content)
    if _role_copies.names_itself(original, content):
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
    await _role_copies.finish_copy(aws, await _original(aws, target))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Copies) -> None:
    copies = await _role_copies.copies_of(aws, await _original(aws, target))
    for name, copy in copies.items():
        if name not in before.names:
            await _role_copies.delete_copy(aws, copy)


async def _original(aws: Aws, target: Target) -> dict[str, Any]:
    return await changeable(aws, Identity("Role", bare_name(target.id)))
