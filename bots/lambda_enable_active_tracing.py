"""Trace a Lambda function with AWS X-Ray.

After: Lambda samples requests of $LATEST and sends their traces. With attach_policy the function's role
gets AWSXRayDaemonWriteAccess, if AWS finds it without the right to send them.
Caution: traces are charged. Published versions stay as they are. The role may serve other functions,
which then have the right as well.
Finding: lambda_enable_active_tracing
Finding: lambda_enable_active_tracing attachPolicy
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, TryLater, Undo, entity, on
from bots._functions import FUNCTION, Function, configuration, failed, the_function, update, wait_for_update
from bots._words import Word

ROLE = ("arn:{partition}:iam::{account}:role/*",)
POLICY = "arn:{partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"


class Wish(Params):
    attach_policy: Annotated[
        bool,
        Field(
            description="attach AWSXRayDaemonWriteAccess to the function's role, if it may not send traces"
        ),
        Word(flag="attachPolicy"),
    ] = False


class Tracing(Before):
    mode: Literal["Active", "PassThrough"]
    role: str
    has_policy: bool | None  # None: nobody asked to attach it


bot = Bot(
    name="lambda_enable_active_tracing",
    acts_on="AWS::Lambda::Function",
    target=entity("id", "name"),
    params=Wish,
    before=Tracing,
    reads=(*on(FUNCTION, "lambda:GetFunctionConfiguration"), *on(ROLE, "iam:ListAttachedRolePolicies")),
    writes=(
        *on(FUNCTION, "lambda:UpdateFunctionConfiguration"),
        *on(ROLE, "iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    ),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    creates=("an attachment of AWSXRayDaemonWriteAccess to the function's role",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Tracing]:
    function = the_function(aws, target)
    found = await configuration(function)
    mode = found.get("TracingConfig", {}).get("Mode", "PassThrough")
    compliant = mode == "Active" and not failed(found)
    if not compliant:
        wait_for_update(function, found)
    role = found["Role"].rsplit("/", 1)[-1]
    return Check(
        compliant=compliant,
        before=Tracing(
            mode=mode, role=role, has_policy=await _has_policy(aws, role) if params.attach_policy else None
        ),
        why=f"the tracing mode of function {function.name} is {mode}"
        + (", but its last update failed" if failed(found) else ""),
        region=function.home.region,
        target_id=function.arn,
        touches=(*function.touches, ("AWS::IAM::Role", role)) if params.attach_policy else function.touches,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Tracing) -> None:
    function = the_function(aws, target)
    if await _switched_on(function):
        return
    if not params.attach_policy:
        raise CannotFix(
            f"role {before.role} may not send traces: allow it xray:PutTraceSegments and "
            "xray:PutTelemetryRecords, or write attach_policy=true behind the bot's name"
        )
    await aws.call("iam", "AttachRolePolicy", **_attachment(aws, before.role))
    if not await _switched_on(function):
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
        await aws.find("iam", "DetachRolePolicy", absent=("NoSuchEntity",), **_attachment(aws, before.role))
    await update(function, found, TracingConfig={"Mode": before.mode})


async def _switched_on(function: Function) -> bool:
    """Switch tracing on; False if AWS refuses, because the function's role may not send traces."""
    found = await configuration(function)
    try:
        await update(function, found, TracingConfig={"Mode": "Active"})
    except AwsError as error:
        if error.code != "InvalidParameterValueException" or "xray" not in error.message.lower():
            raise
        return False
    return True


async def _has_policy(aws: Aws, role: str) -> bool:
    attached = aws.pages("iam", "ListAttachedRolePolicies", items="AttachedPolicies", RoleName=role)
    return _attachment(aws, role)["PolicyArn"] in {policy["PolicyArn"] async for policy in attached}


def _attachment(aws: Aws, role: str) -> dict[str, Any]:
    return {"RoleName": role, "PolicyArn": POLICY.format(partition=aws.partition)}
