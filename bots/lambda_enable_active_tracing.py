"""Trace a Lambda function with AWS X-Ray.

After: Lambda samples requests of $LATEST and sends their traces. With attach_policy the function's role
gets AWSXRayDaemonWriteAccess, if AWS finds it without the right to send them.
Caution: traces are charged. Published versions stay as they are. The role may serve other functions,
which then have the right as well.
Finding: lambda_enable_active_tracing
Finding: lambda_enable_active_tracing attachPolicy
"""

from typing import Annotated

from pydantic import Field

from bots import _tracing
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, TryLater, Undo, entity, on
from bots._functions import FUNCTION, configuration, failed, the_function, update, wait_for_update
from bots._identities import ROLES, Identity, bare_name
from bots._words import Word


class Wish(Params):
    attach_policy: Annotated[
        bool,
        Field(
            description="attach AWSXRayDaemonWriteAccess to the function's role, if it may not send traces"
        ),
        Word(flag="attachPolicy"),
    ] = False


class Tracing(Before):
    mode: _tracing.Mode
    role: str
    has_policy: bool | None  # None: nobody asked to attach it


bot = Bot(
    name="lambda_enable_active_tracing",
    acts_on="AWS::Lambda::Function",
    target=entity("id", "name"),
    params=Wish,
    before=Tracing,
    reads=(*on(FUNCTION, "lambda:GetFunctionConfiguration"), *on(ROLES, "iam:ListAttachedRolePolicies")),
    writes=(
        *on(FUNCTION, "lambda:UpdateFunctionConfiguration"),
        *on(ROLES, "iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    ),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    creates=("an attachment of AWSXRayDaemonWriteAccess to the function's role",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Tracing]:
    function = the_function(aws, target)
    found = await configuration(function)
    mode = _tracing.mode_of(found)
    compliant = mode == "Active" and not failed(found)
    if not compliant:
        wait_for_update(function, found)
    role = Identity("Role", bare_name(found["Role"]))
    has_policy = await _tracing.may_send(aws, role) if params.attach_policy else None
    return Check(
        compliant=compliant,
        before=Tracing(mode=mode, role=role.name, has_policy=has_policy),
        why=f"the tracing mode of function {function.name} is {mode}"
        + (", but its last update failed" if failed(found) else ""),
        region=function.home.region,
        target_id=function.arn,
        touches=(*function.touches, role.touched) if params.attach_policy else function.touches,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Tracing) -> None:
    function = the_function(aws, target)
    if await _tracing.switched_on(function):
        return
    if not params.attach_policy:
        raise CannotFix(
            f"role {before.role} may not send traces: allow it xray:PutTraceSegments and "
            "xray:PutTelemetryRecords, or write attach_policy=true behind the bot's name"
        )
    await _tracing.let_send(aws, Identity("Role", before.role))
    if not await _tracing.switched_on(function):
        raise TryLater(
            f"AWSXRayDaemonWriteAccess is attached to role {before.role}, but Lambda does not see the right yet; if "
            "it never does, a permissions boundary or an SCP forbids it",
            seconds=15,
        )


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Tracing) -> None:
    function = the_function(aws, target)
    found = await configuration(function)
    wait_for_update(function, found)
    if before.has_policy is False:
        await _tracing.no_longer_let_send(aws, Identity("Role", before.role))
    await update(function, found, TracingConfig={"Mode": before.mode})
