"""Reserve no concurrency for a Lambda function, so that it cannot be invoked.

After: no new invocation starts; the function, its code and its triggers stay.
Caution: executions under way finish. Asynchronous events are retried for up to six hours and then lost or
sent to a dead-letter queue; queues and streams back up. Replicas of Lambda@Edge know no reserved concurrency.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TryLater, Undo, entity, on
from bots._functions import FUNCTION, GONE, Function, the_function


class Concurrency(Before):
    reserved: int | None  # None: the function shares what the account has


bot = Bot(
    name="lambda_disable",
    acts_on="AWS::Lambda::Function",
    target=entity("id", "name"),
    params=NoParams,
    before=Concurrency,
    reads=(
        "lambda:ListEventSourceMappings",
        *on(FUNCTION, "lambda:GetFunctionConcurrency", "lambda:ListProvisionedConcurrencyConfigs"),
    ),
    writes=on(FUNCTION, "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Concurrency]:
    function = the_function(aws, target)
    answer = await function.home.find(
        "lambda", "GetFunctionConcurrency", absent=GONE, FunctionName=function.name
    )
    if answer is None:
        raise function.gone()
    reserved = answer.get("ReservedConcurrentExecutions")
    notes: tuple[str, ...] = ()
    if reserved != 0:
        await _refuse_provisioned(function)
        notes = await _stalled(function)
    return Check(
        compliant=reserved == 0,
        before=Concurrency(reserved=reserved),
        why=f"function {function.name} has "
        f"{'no reserved concurrency' if reserved is None else f'a reserved concurrency of {reserved}'}",
        region=function.home.region,
        notes=notes,
        target_id=function.arn,
        touches=function.touches,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Concurrency) -> None:
    await _reserve(the_function(aws, target), 0)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Concurrency) -> None:
    function = the_function(aws, target)
    if before.reserved is None:
        await function.home.call("lambda", "DeleteFunctionConcurrency", FunctionName=function.name)
    else:
        await _reserve(function, before.reserved)


async def _reserve(function: Function, executions: int) -> None:
    answer = await function.home.find(
        "lambda",
        "PutFunctionConcurrency",
        absent=("ResourceConflictException",),
        FunctionName=function.name,
        ReservedConcurrentExecutions=executions,
    )
    if answer is None:
        raise TryLater(f"function {function.name} is being changed by somebody else", seconds=30)


async def _refuse_provisioned(function: Function) -> None:
    found = function.home.pages(
        "lambda",
        "ListProvisionedConcurrencyConfigs",
        items="ProvisionedConcurrencyConfigs",
        FunctionName=function.name,
    )
    where = [str(each["FunctionArn"]).rsplit(":", 1)[-1] async for each in found]
    if where:
        raise CannotFix(
            f"function {function.name} has provisioned concurrency on {', '.join(sorted(where))}, and AWS reserves "
            "no less than that: delete it first"
        )


async def _stalled(function: Function) -> tuple[str, ...]:
    found = function.home.pages(
        "lambda", "ListEventSourceMappings", items="EventSourceMappings", FunctionName=function.name
    )
    return tuple(
        sorted(
            [
                f"nothing will be read from {each['EventSourceArn']} any more"
                async for each in found
                if each.get("EventSourceArn") and each.get("State") not in ("Disabled", "Disabling")
            ]
        )
    )
