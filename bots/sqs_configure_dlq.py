"""Give a queue a dead-letter queue.

After: messages received too often without being deleted move to dlq-for-<queue>, which is made if there is
none: of the same kind, encrypted in the same way, for this queue only, keeping messages for 14 days.
Caution: somebody must look into the dead-letter queue. In a FIFO queue a message that moves away is
overtaken by those behind it. A Lambda function that reads the queue should get five receives or more.
Finding: sqs_configure_dlq
Finding: sqs_configure_dlq max_receive_count=10
"""

import contextlib
import json
from typing import Annotated

from pydantic import Field

from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._dead_letters import delete, make, sources, unused, usable
from bots._queues import QUEUE, dead_letters_of, document, queue_named, the_queue

DEAD_LETTERS = ("arn:{partition}:sqs:*:{account}:dlq-for-*",)


class Wish(Params):
    max_receive_count: Annotated[
        int, Field(ge=1, le=1000, description="receives after which a message moves")
    ] = 50


class Redrive(Before):
    target_arn: str | None  # None: no dead-letter queue
    max_receive_count: int | None
    target_exists: bool

    @property
    def policy(self) -> str:
        """As SQS takes it; it takes none whose target does not exist."""
        found = {"deadLetterTargetArn": self.target_arn, "maxReceiveCount": self.max_receive_count}
        return json.dumps(found) if self.target_exists else ""


NOWHERE = Redrive(target_arn=None, max_receive_count=None, target_exists=False)

bot = Bot(
    name="sqs_configure_dlq",
    acts_on="AWS::SQS::Queue",
    target=entity("id", "queueUrl", "name"),
    params=Wish,
    before=Redrive,
    reads=(
        *on(QUEUE, "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ListDeadLetterSourceQueues"),
        *on(DEAD_LETTERS, "sqs:ListQueueTags"),
    ),
    writes=(
        *on(DEAD_LETTERS, "sqs:CreateQueue", "sqs:TagQueue", "sqs:DeleteQueue"),
        *on(QUEUE, "sqs:SetQueueAttributes"),
    ),
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
    before, why = NOWHERE, f"queue {queue.name} has no dead-letter queue"
    redrive = document(await queue.attributes(), "RedrivePolicy")
    if redrive:
        arn = redrive["deadLetterTargetArn"]
        exists = await queue_named(queue.home, arn.rsplit(":", 1)[-1]) is not None
        before = Redrive(
            target_arn=arn, max_receive_count=int(redrive["maxReceiveCount"]), target_exists=exists
        )
        why = f"queue {queue.name} names {arn} as its dead-letter queue, which " + (
            "is the queue itself" if arn == queue.arn else "exists" if exists else "does not exist"
        )
    compliant = before.target_exists and before.target_arn != queue.arn
    if not compliant:
        if others := await sources(queue) - {queue.name}:
            compliant, why = (
                True,
                f"queue {queue.name} is the dead-letter queue of {', '.join(sorted(others))}",
            )
        else:
            await usable(queue)
    return Check(
        compliant=compliant,
        before=before,
        why=why,
        region=queue.home.region,
        notes=() if compliant else (f"somebody must look into {dead_letters_of(queue.name)}",),
        target_id=queue.arn,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Redrive) -> None:
    queue = await the_queue(aws, target)
    there = await usable(queue)
    dead = there or await make(queue)
    wanted = Redrive(target_arn=dead.arn, max_receive_count=params.max_receive_count, target_exists=True)
    try:
        await queue.set(RedrivePolicy=wanted.policy)
    except AwsError:
        if there is None:
            with contextlib.suppress(AwsError):
                await delete(dead)
        raise


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Redrive) -> None:
    queue = await the_queue(aws, target)
    now = (await queue.attributes()).get("RedrivePolicy", "")
    dead = await unused(queue)
    await queue.set(RedrivePolicy=before.policy)
    if dead is not None:
        try:
            await delete(dead)
        except AwsError:
            with contextlib.suppress(AwsError):
                await queue.set(RedrivePolicy=now)
            raise
