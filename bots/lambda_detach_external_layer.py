"""Detach the layers of other accounts from a Lambda function.

After: $LATEST has only layers of its own account and of the allowed ones, in their old order.
Caution: a function that needs a detached layer fails at its next invocation. AWS publishes its own layers
(Powertools, Lambda Insights, Parameters and Secrets) in accounts of its own, which must be allowed by
number. Published versions keep their layers. An undo fails if the layer is no longer shared.
Finding: lambda_detach_external_layer
Finding: lambda_detach_external_layer allowed_accounts=222233334444,111122223333
"""

from typing import Annotated, Any

from pydantic import Field

from bots._aws import Aws, together
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._functions import (
    FUNCTION,
    GONE,
    Function,
    configuration,
    failed,
    the_function,
    update,
    wait_for_update,
)
from bots._trail import ACTION, WINDOW, event_time, logged_calls

LAYER = ("arn:{partition}:lambda:*:*:layer:*",)
UPDATED = "UpdateFunctionConfiguration20150331v2"  # as CloudTrail calls it

AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]


class Wish(Params):
    allowed_accounts: Annotated[
        tuple[AccountId, ...], Field(description="other accounts whose layers may stay, with commas between")
    ] = ()


class Layers(Before):
    arns: tuple[str, ...]  # with their versions, in the order they are laid over one another


bot = Bot(
    name="lambda_detach_external_layer",
    acts_on="AWS::Lambda::Function",
    target=entity("id", "name"),
    params=Wish,
    before=Layers,
    reads=(ACTION, *on(FUNCTION, "lambda:GetFunctionConfiguration"), *on(LAYER, "lambda:GetLayerVersion")),
    writes=on(FUNCTION, "lambda:UpdateFunctionConfiguration"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Layers]:
    function = the_function(aws, target)
    found = await configuration(function)
    arns = _arns(found)
    staying = _staying(function, arns, params)
    external = [arn for arn in arns if arn not in staying]
    notes: tuple[str, ...] = ()
    if external or failed(found):
        wait_for_update(function, found)
        await together(*(_refuse_unusable(function, arn) for arn in staying))
        notes = await _attached_by(function, target, external)
    return Check(
        compliant=not external and not failed(found),
        before=Layers(arns=arns),
        why=f"function {function.name} has "
        + (f"layers of other accounts: {', '.join(external)}" if external else "no layers of other accounts")
        + (", but its last update failed" if failed(found) else ""),
        region=function.home.region,
        notes=notes,
        target_id=function.arn,
        touches=function.touches,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Layers) -> None:
    function = the_function(aws, target)
    found = await configuration(function)
    await update(function, found, Layers=_staying(function, _arns(found), params))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Layers) -> None:
    function = the_function(aws, target)
    await update(function, await configuration(function), Layers=list(before.arns))


def _arns(found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(layer["Arn"] for layer in found.get("Layers") or ())


def _staying(function: Function, arns: tuple[str, ...], params: Wish) -> list[str]:
    allowed = {function.home.account_id, *params.allowed_accounts}
    return [arn for arn in arns if arn.split(":")[4] in allowed]


async def _refuse_unusable(function: Function, arn: str) -> None:
    """AWS takes a list of layers only if each can be read; a running function needs none of them any more."""
    if await function.home.find("lambda", "GetLayerVersionByArn", absent=GONE, Arn=arn) is None:
        raise CannotFix(
            f"layer {arn}, which stays, was deleted, and AWS takes no list with it: replace it in "
            f"function {function.name} first"
        )


async def _attached_by(function: Function, target: Target, external: list[str]) -> tuple[str, ...]:
    """Who attached the layers, if the finding says when and CloudTrail still shows it."""
    try:
        at = event_time(target)
    except CannotFix:
        return ()
    calls = await logged_calls(function.home, "EventName", UPDATED, since=at - WINDOW, until=at + WINDOW)
    return tuple(
        f"{call.caller or 'somebody'} attached layer {arn} at {call.at:%Y-%m-%dT%H:%M:%SZ}"
        for call in calls
        if str(call.request.get("functionName")).rsplit(":", 1)[-1] == function.name
        for arn in external
        if arn in (call.request.get("layers") or ())
    )
