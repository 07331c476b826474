"""Delete the inline policies of a group that the finding lists; all of them if it lists none.

After: the group has none of them; its managed policies and its other inline ones stay.
Caution: all members lose at once what the policies allowed, and are free again to do what they denied.
"""

from bots._all_or_none import make_in_iam, unmake_in_iam
from bots._aws import Aws
from bots._bot import Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._identities import GROUPS, Identity, bare_name, some
from bots._inline import Inline, denial_notes, inline_documents, inline_names, removals

bot = Bot(
    name="iam_group_delete_inline_policy",
    acts_on="AWS::IAM::Group",
    target=entity("name"),
    params=NoParams,
    before=Inline,
    reads=on(GROUPS, "iam:ListGroupPolicies", "iam:GetGroupPolicy"),
    writes=on(GROUPS, "iam:DeleteGroupPolicy", "iam:PutGroupPolicy"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    is_global=True,
    entity_keys=("inlinePolicies",),
    aliases=("iam_group_delete_inline_group",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Inline]:
    group = _group(target)
    there = await inline_names(aws, group)
    listed = _listed(target)
    wanted = there if listed is None else [name for name in there if name in listed]
    found = await inline_documents(aws, group, wanted)
    others = set(there) - set(wanted)
    notes = denial_notes(found)
    if others:
        notes += (f"the group keeps inline policies that the finding does not list: {some(others)}",)
    return Check(
        compliant=not found,
        before=Inline(policies=found),
        why=f"{group} has the inline policies {some(found)}"
        if found
        else f"{group} has none of the inline policies that the finding lists"
        if listed is not None
        else f"{group} has no inline policies",
        notes=notes,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Inline) -> None:
    await make_in_iam(aws, removals(_group(target), before.policies))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Inline) -> None:
    await unmake_in_iam(aws, removals(_group(target), before.policies))


def _group(target: Target) -> Identity:
    return Identity("Group", bare_name(target.id))


def _listed(target: Target) -> set[str] | None:
    """Names that the finding lists; None if there is no list in it."""
    policies = target.entity.get("inlinePolicies")
    if not isinstance(policies, list):
        return None
    return {str(policy.get("name")) for policy in policies if isinstance(policy, dict)}
