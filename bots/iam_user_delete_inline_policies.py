"""Delete a user's inline policies, once the managed policies given instead are attached.

After: the user has no inline policy that allows anything, and all given policies. Inline policies that
only deny, a quarantine above all, stay: without them the user could do more.
Caution: the user loses what only its inline policies allowed; nobody compares the given policies with
them. What such a policy also denied is allowed again where others allow it.
Finding: iam_user_delete_inline_policies
Finding: iam_user_delete_inline_policies arn:aws:iam::aws:policy/ReadOnlyAccess,arn:aws:iam::$ACCOUNT_ID:policy/base
"""

from typing import Annotated

from pydantic import Field

from bots._all_or_none import make
from bots._attachments import PolicyArn, attaching, own_policy, refuse_unfit
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, on
from bots._identities import NAMED, USERS, identity
from bots._inline import inline_policies, only_denies, parting_notes, rewriting
from bots._managed import POLICY_READS, attached
from bots._words import Word


class Wish(Params):
    managed_policies_arn: Annotated[
        tuple[PolicyArn, ...],
        Field(description="policies to attach instead; none: the inline ones are only deleted"),
        Word(aliases=("managed_policies_arns", "policy_arn")),
    ] = ()


class Rights(Before):
    inline: tuple[tuple[str, str], ...]  # names and documents, but not of those that only deny
    not_attached: tuple[str, ...]  # of the given policies


bot = Bot(
    name="iam_user_delete_inline_policies",
    acts_on="AWS::IAM::User",
    target=NAMED,
    params=Wish,
    before=Rights,
    reads=(
        *POLICY_READS,
        *on(USERS, "iam:ListUserPolicies", "iam:GetUserPolicy", "iam:ListAttachedUserPolicies"),
    ),
    writes=on(
        USERS, "iam:AttachUserPolicy", "iam:DeleteUserPolicy", "iam:PutUserPolicy", "iam:DetachUserPolicy"
    ),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Rights]:
    who = identity(aws, target, "User")
    wanted = dict.fromkeys(own_policy(aws, arn) for arn in params.managed_policies_arn)
    found = await inline_policies(aws, who)
    has = await attached(aws, who) if wanted else ()
    missing = tuple(arn for arn in wanted if arn not in has)
    for arn in missing:
        await refuse_unfit(aws, arn)
    doomed = {name: document for name, document in found.items() if not only_denies(document)}
    return Check(
        compliant=not doomed and not missing,
        before=Rights(inline=tuple(doomed.items()), not_attached=missing),
        why=f"{who} has {_named(doomed)}" + (f" and lacks {', '.join(missing)}" if missing else ""),
        notes=parting_notes(found),
        target_id=who.name,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Rights) -> None:
    who = identity(aws, target, "User")
    given = attaching(aws, who, before.not_attached)
    taken = rewriting(aws, who, {name: None for name, _ in before.inline}, was=dict(before.inline))
    await make([*given, *taken], upon=(Exception,))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Rights) -> None:
    who = identity(aws, target, "User")
    given = rewriting(aws, who, dict(before.inline), was=await inline_policies(aws, who))
    taken = [each.turned() for each in attaching(aws, who, before.not_attached)]
    await make([*given, *taken], upon=(Exception,))


def _named(doomed: dict[str, str]) -> str:
    return f"inline policies {', '.join(doomed)}" if doomed else "no inline policy that allows anything"
