"""Remove the permissions boundary of a role or user, or of all roles and users of the account.

After: the identity has no boundary; with entity_arn=all, nobody has one whose role AWS does not keep.
Caution: access gets WIDER: whatever an identity's policies allow counts from now on in full. Know that
no landing zone relies on the boundary. Without entity_arn the finding's own entity is meant.
Finding: iam_entity_remove_permission_boundary entity_arn=arn:$PARTITION:iam::$ACCOUNT_ID:role/team/app
Finding: iam_entity_remove_permission_boundary entity_arn=all cloud_account_id=222233334444
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from bots._all_or_none import make_in_iam, unmake_in_iam
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity_or_account, on
from bots._boundaries import Bound, boundary_of, everybody_bound, removal
from bots._identities import ARN_START, ROLES, USERS, changeable, own_arn, role_or_user, some
from bots._words import Word

ALL = "all"


class Wish(Params):
    entity_arn: Annotated[
        str | None,
        Field(
            pattern=rf"^(?i:{ALL})$|" + ARN_START + r"([0-9]{12}|\$ACCOUNT_ID):(role|user)/[!-~]{1,640}$",
            description="ARN of the role or user, or all; left out: the finding's entity",
        ),
    ] = None
    cloud_account_id: Annotated[
        str | None,
        Field(pattern=r"^[0-9]{12}$", description="the account it is meant for; must be given with all"),
    ] = None
    dry_run: Annotated[bool, Field(description="look and report only"), Word(flag="dryRun")] = False

    @property
    def sweeps(self) -> bool:
        return self.entity_arn is not None and self.entity_arn.lower() == ALL

    @model_validator(mode="after")
    def _sweeps_are_meant(self) -> Self:
        if self.sweeps and self.cloud_account_id is None:
            raise ValueError("entity_arn=all needs the cloud_account_id it is meant for")
        return self


class Boundaries(Before):
    identities: tuple[Bound, ...]


bot = Bot(
    name="iam_entity_remove_permission_boundary",
    acts_on="AWS::IAM::Role",
    target=entity_or_account("arn", "name"),
    params=Wish,
    before=Boundaries,
    reads=("iam:GetAccountAuthorizationDetails", *on(ROLES, "iam:GetRole"), *on(USERS, "iam:GetUser")),
    writes=(
        *on(ROLES, "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
        *on(USERS, "iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"),
    ),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
    is_global=True,
    entity_keys=("type",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Boundaries]:
    if params.cloud_account_id not in (None, aws.account_id):
        raise CannotFix(f"this is account {aws.account_id}, the words mean {params.cloud_account_id}")
    if params.sweeps:
        found, what, target_id = await everybody_bound(aws), "any role or user", aws.account_id
    else:
        found, what, target_id = await _one(aws, target, params)
    return Check(
        compliant=not found,
        before=Boundaries(identities=found),
        why=f"a permissions boundary is on {some(f'{each.kind.lower()} {each.name}' for each in found)}"
        if found
        else f"there is no permissions boundary on {what}",
        notes=("without the boundary, all that their policies allow counts in full",) if found else (),
        target_id=target_id,
        touches=tuple((f"AWS::IAM::{each.kind}", each.name) for each in found),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Boundaries) -> None:
    await make_in_iam(aws, [removal(each) for each in before.identities])


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Boundaries) -> None:
    await unmake_in_iam(aws, [removal(each) for each in before.identities])


async def _one(aws: Aws, target: Target, params: Wish) -> tuple[tuple[Bound, ...], str, str]:
    named = own_arn(aws, params.entity_arn) if params.entity_arn else target.id
    if named == aws.account_id:
        raise CannotFix("neither the words nor the finding name a role or user: write entity_arn=…")
    who = role_or_user(aws, named, str(target.entity.get("type", "")))
    identity = await changeable(aws, who)
    boundary = boundary_of(identity)
    found = (Bound(who.kind, who.name, boundary),) if boundary else ()
    return found, str(who), identity["Arn"]
