"""Make the finding's suggested policy the permissions boundary of a role or user.

After: the policy <policy_name>-<name of the role or user> says what the finding suggests and is the boundary.
Caution: a boundary grants nothing. What it does not allow the identity can no longer do, its running
sessions included; where another boundary was, access may also get wider, which is reported.
Finding: iam_entity_create_and_attach_permission_boundary policy_name=CIEMSuggestion
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from bots._all_or_none import IamChange, make_in_iam
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._boundaries import Bound, boundary_of, setting
from bots._boundary_policy import (
    POLICY_READS,
    POLICY_WRITES,
    as_policy,
    bind,
    live_policy,
    makes_room,
    policy_arn,
    ways_back,
)
from bots._identities import ROLES, USERS, Kind, changeable, role_or_user
from bots._managed import POLICIES
from bots._policies import same
from bots._words import Word


class Wish(Params):
    policy_name: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_+=,.@-]{1,126}$", description="what the policy's name begins with"),
        Word(positional=False),
    ] = "CIEMSuggestion"
    dry_run: Annotated[bool, Field(description="look and report only"), Word(flag="dryRun")] = False
    suggested_policy: Annotated[
        Annotated[str, AfterValidator(as_policy)] | None,
        Field(description="the boundary, as the finding's SuggestedRole gives it"),
    ] = None

    @property
    def boundary(self) -> str:
        if self.suggested_policy is None:
            raise CannotFix("the finding suggests no policy (SuggestedRole), so there is nothing to bound by")
        return self.suggested_policy


class Bounded(Before):
    kind: Kind
    name: str
    boundary: str | None  # ARN of the policy
    policy_arn: str  # of the hub's own
    version: str | None  # its default version; None: there is no such policy
    dropped: str | None  # document of the version that must make room for another


bot = Bot(
    name="iam_entity_create_and_attach_permission_boundary",
    acts_on="AWS::IAM::Role",
    target=entity("arn", "name"),
    params=Wish,
    before=Bounded,
    reads=(*on(ROLES, "iam:GetRole"), *on(USERS, "iam:GetUser"), *on(POLICIES, *POLICY_READS)),
    writes=(
        *on(POLICIES, *POLICY_WRITES),
        *on(ROLES, "iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"),
        *on(USERS, "iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary"),
    ),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.nearest(
        "where the hub's policy had five versions, the oldest made room and is only kept in the journal",
        expects=lambda was: was.model_copy(update={"dropped": None}),
    ),
    is_global=True,
    entity_keys=("type",),
    creates=("managed policy <policy_name>-<name of the role or user>",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Bounded]:
    wish = params.boundary
    who = role_or_user(aws, target.id, str(target.entity.get("type", "")))
    boundary = boundary_of(await changeable(aws, who))
    arn = policy_arn(aws, params.policy_name, who.name)
    policy = await live_policy(aws, arn, who.kind)
    says_so = policy is not None and same(policy.document, wish)
    return Check(
        compliant=says_so and boundary == arn,
        before=Bounded(
            kind=who.kind,
            name=who.name,
            boundary=boundary,
            policy_arn=arn,
            version=policy.default if policy else None,
            dropped=None if policy is None or says_so else await makes_room(aws, arn, policy),
        ),
        why=f"the permissions boundary of {who} is {boundary or 'none'}, and {arn} "
        + (
            "says what the finding suggests"
            if says_so
            else "says something else"
            if policy
            else "is not there"
        ),
        notes=(f"the boundary {boundary} is replaced, so that access may also get wider",)
        if boundary not in (None, arn)
        else (),
        touches=(("AWS::IAM::ManagedPolicy", arn),),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Bounded) -> None:
    await bind(aws, Bound(before.kind, before.name, before.policy_arn), params.boundary, was=before.boundary)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Bounded) -> None:
    bound = Bound(before.kind, before.name, before.policy_arn)
    boundary = IamChange(setting(before.kind, before.name, before.boundary), setting(*bound))
    await make_in_iam(aws, [boundary, *await ways_back(aws, bound, before.version)])
