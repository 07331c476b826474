"""Give a queue a dead-letter queue.

After: messages received too often without being deleted move to dlq-for-<queue>, which is made if there is
none: of the same kind, encrypted in the same way, for this queue only, keeping messages for 14 days.
Caution: somebody must look into the dead-letter queue. In a FIFO queue a message that moves away is
overtaken by those behind it. A Lambda function that reads the queue should get five receives or more.
Finding: sqs_configure_dlq
Finding: sqs_configure_dlq max_receive_count=10
"""

from typing import Annotated

from pydantic import Field

from bots import _dead_letters
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity
from bots._queues import dead_letters_of, the_queue


class Wish(Params):
    max_receive_count: Annotated[
        int, Field(ge=1, le=1000, description="receives after which a message moves")
    ] = 50


class Redrive(Before):
    target_arn: str | None  # None: no dead-letter queue
    max_receive_count: int | None
    target_exists: bool


NOWHERE = Redrive(target_arn=None, max_receive_count=None, target_exists=False)

bot = Bot(
    name="sqs_configure_dlq",
    acts_on="AWS::SQS::Queue",
    target=entity("id", "queueUrl", "name"),
    params=Wish,
    before=Redrive,
    reads=_dead_letters.READS,
    writes=_dead_letters.WRITES,
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.nearest(
        "a dead-letter queue made by the bot stays if messages are in it or another queue uses it, and a "
        "target that does not exist is not named again",
        expects=lambda was: was if was.target_exists else NOWHERE,
    ),
    creates=("the queue dlq-for-<queue>",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Redrive]:
    queue = await the_queue(aws, target)
    found = await _dead_letters.named_by(queue)
    compliant, why = await _dead_letters.verdict(queue, found)
    return Check(
        compliant=compliant,
        before=NOWHERE
        if found is None
        else Redrive(
            target_arn=found.arn, max_receive_count=found.max_receive_count, target_exists=found.exists
        ),
        why=why,
        region=queue.home.region,
        notes=() if compliant else (f"somebody must look into {dead_letters_of(queue.name)}",),
        target_id=queue.arn,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Redrive) -> None:
    queue = await the_queue(aws, target)
    async with _dead_letters.ready(queue) as dead:
        await queue.set(RedrivePolicy=_dead_letters.policy(dead.arn, params.max_receive_count))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Redrive) -> None:
    # SQS takes no policy whose target does not exist.
    had = _dead_letters.policy(before.target_arn, before.max_receive_count) if before.target_exists else ""
    await _dead_letters.disconnect(await the_queue(aws, target), had)
