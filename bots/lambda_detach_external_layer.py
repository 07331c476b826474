"""Detach the layers of other accounts from a Lambda function.

After: $LATEST has only layers of its own account and of the allowed ones, in their old order.
Caution: a function that needs a detached layer fails at its next invocation. AWS publishes its own layers
(Powertools, Lambda Insights, Parameters and Secrets) in accounts of its own, which must be allowed by
number. Published versions keep their layers. An undo fails if the layer is no longer shared.
Finding: lambda_detach_external_layer
Finding: lambda_detach_external_layer allowed_accounts=222233334444,111122223333
"""

from typing import Annotated

from pydantic import Field

from bots import _layers
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._functions import FUNCTION, Function, configuration, failed, the_function, update, wait_for_update

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
    reads=_layers.READS,
    writes=on(FUNCTION, "lambda:UpdateFunctionConfiguration"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Layers]:
    function = the_function(aws, target)
    found = await configuration(function)
    arns = _layers.layers_of(found)
    staying = _staying(function, arns, params)
    external = [arn for arn in arns if arn not in staying]
    notes: tuple[str, ...] = ()
    if external or failed(found):
        wait_for_update(function, found)
        await _layers.refuse_unusable(function, staying)
        notes = await _layers.attached_by(function, target, external)
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
    await update(function, found, Layers=_staying(function, _layers.layers_of(found), params))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Layers) -> None:
    function = the_function(aws, target)
    await update(function, await configuration(function), Layers=list(before.arns))


def _staying(function: Function, arns: tuple[str, ...], params: Wish) -> list[str]:
    return _layers.of_accounts(arns, (function.home.account_id, *params.allowed_accounts))
