"""Reserve no concurrency for a Lambda function, so that it cannot be invoked.

After: no new invocation starts; the function, its code and its triggers stay.
Caution: executions under way finish. Asynchronous events are retried for up to six hours and then lost or
sent to a dead-letter queue; queues and streams back up. Replicas of Lambda@Edge know no reserved concurrency.
"""

from bots import _concurrency
from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity
from bots._functions import the_function


class Concurrency(Before):
    reserved: int | None  # None: the function shares what the account has


bot = Bot(
    name="lambda_disable",
    acts_on="AWS::Lambda::Function",
    target=entity("id", "name"),
    params=NoParams,
    before=Concurrency,
    reads=_concurrency.READS,
    writes=_concurrency.WRITES,
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Concurrency]:
    function = the_function(aws, target)
    reserved = await _concurrency.reserved(function)
    notes: tuple[str, ...] = ()
    if reserved != 0:
        await _concurrency.refuse_provisioned(function)
        notes = await _concurrency.stalled(function)
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
    await _concurrency.reserve(the_function(aws, target), 0)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Concurrency) -> None:
    await _concurrency.reserve(the_function(aws, target), before.reserved)
