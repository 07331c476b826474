"""Detach a managed policy from every group, role and user that has it.

After: nobody has it as a permissions policy; where it is a permissions boundary it stays one.
Caution: everybody who had it loses at once what it allowed, and is free again to do what it denied.
Roles that AWS keeps (service-linked ones, those of IAM Identity Center) stay as they are and are reported.
"""

from bots._all_or_none import make_in_iam, unmake_in_iam
from bots._aws import Aws, together
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._identities import GROUPS, PATHS_OF_AWS, ROLES, USERS, Identity, Kind, some
from bots._managed import ANY_POLICY, detachments, entities_with, owner_of


class Attached(Before):
    groups: tuple[str, ...]
    roles: tuple[str, ...]
    users: tuple[str, ...]

    @property
    def holders(self) -> list[Identity]:
        by_kind: dict[Kind, tuple[str, ...]] = {"Group": self.groups, "Role": self.roles, "User": self.users}
        return [Identity(kind, name) for kind, names in by_kind.items() for name in names]


bot = Bot(
    name="iam_detach_policy",
    acts_on="AWS::IAM::ManagedPolicy",
    target=entity("arn", "id"),
    params=NoParams,
    before=Attached,
    reads=on(ANY_POLICY, "iam:ListEntitiesForPolicy"),
    writes=(
        *on(GROUPS, "iam:DetachGroupPolicy", "iam:AttachGroupPolicy"),
        *on(ROLES, "iam:DetachRolePolicy", "iam:AttachRolePolicy"),
        *on(USERS, "iam:DetachUserPolicy", "iam:AttachUserPolicy"),
    ),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Attached]:
    owner_of(aws, target.id)
    use, boundary = {"PolicyUsageFilter": "PermissionsPolicy"}, {"PolicyUsageFilter": "PermissionsBoundary"}
    groups, roles, users, bounded_roles, bounded_users, *kept = await together(
        entities_with(aws, target.id, "Group", **use),
        entities_with(aws, target.id, "Role", **use),
        entities_with(aws, target.id, "User", **use),
        entities_with(aws, target.id, "Role", **boundary),
        entities_with(aws, target.id, "User", **boundary),
        *(entities_with(aws, target.id, "Role", **use, PathPrefix=path) for path in PATHS_OF_AWS),
    )
    out_of_reach = {role for some_roles in kept for role in some_roles}
    roles = tuple(role for role in roles if role not in out_of_reach)
    notes = []
    if out_of_reach:
        notes.append(
            f"AWS keeps {some(out_of_reach)}, so the policy stays there: for AWSReservedSSO roles change the "
            "permission set in IAM Identity Center"
        )
    if bounded := bounded_roles + bounded_users:
        notes.append(f"the policy stays the permissions boundary of {some(bounded)}")
    before = Attached(groups=groups, roles=roles, users=users)
    found = before.holders
    return Check(
        compliant=not found,
        before=before,
        why=f"{target.id} is attached to {some(map(str, found)) or 'nobody'}"
        + (" that may be changed" if out_of_reach and not found else ""),
        notes=tuple(notes),
        touches=tuple(who.touched for who in found),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Attached) -> None:
    await make_in_iam(aws, detachments(before.holders, [target.id]))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Attached) -> None:
    await unmake_in_iam(aws, detachments(before.holders, [target.id]))
