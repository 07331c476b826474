"""Encrypt the messages of a queue at rest: with keys of SQS, or with a given KMS key.

After: new messages are encrypted as asked. A queue that uses KMS is never taken back to keys of SQS.
Caution: messages already in the queue stay as they were. With KMS, senders need kms:GenerateDataKey and
kms:Decrypt on the key, receivers kms:Decrypt; AWS services that send to the queue must be let in by the
key's policy, else the bot refuses.
Finding: sqs_enforce_sse
Finding: sqs_enforce_sse kms mrk-1234abcd12ab34cd56ef1234567890ab us-east-1
"""

import re
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._kms import KEY_PATTERN, KEYS
from bots._queues import QUEUE, Queue, the_queue
from bots._wished_keys import other_key_of_queue, verdict


class Wish(Params):
    mode: Annotated[str | None, Field(description="the word kms; it may be left out")] = None
    kms_key_id: Annotated[
        str | None, Field(description="customer managed key by id, ARN or alias; left out: keys of SQS")
    ] = None
    kms_region: Annotated[str | None, Field(description="the key's region, which must be the queue's")] = None

    @model_validator(mode="before")
    @classmethod
    def _kms_may_be_left_out(cls, words: dict[str, Any]) -> dict[str, Any]:
        first, key, region = (words.get(name) for name in cls.model_fields)
        if first is None or first.lower() == "kms":
            return words
        if key is not None and region is not None:
            raise ValueError("three words must be kms, a key and its region")
        return {"mode": "kms", "kms_key_id": first, "kms_region": key if region is None else region}

    @model_validator(mode="after")
    def _is_a_key(self) -> Self:
        if self.kms_key_id is None:
            if self.mode or self.kms_region:
                raise ValueError("kms needs a key")
        elif not re.search(KEY_PATTERN, self.kms_key_id):
            raise ValueError(f"{self.kms_key_id[:40]!r} is no id, ARN or alias/name of a KMS key")
        return self


class Encryption(Before):
    kms_key: str | None
    reuse_seconds: int | None  # of data keys; None without KMS
    sqs_keys: bool


bot = Bot(
    name="sqs_enforce_sse",
    acts_on="AWS::SQS::Queue",
    target=entity("id", "queueUrl", "name"),
    params=Wish,
    before=Encryption,
    reads=(
        *on(QUEUE, "sqs:GetQueueUrl", "sqs:GetQueueAttributes"),
        *on(KEYS, "kms:DescribeKey", "kms:GetKeyPolicy"),
    ),
    writes=on(QUEUE, "sqs:SetQueueAttributes"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Encryption]:
    queue = await the_queue(aws, target)
    found = await queue.attributes()
    key = found.get("KmsMasterKeyId") or None
    before = Encryption(
        kms_key=key,
        reuse_seconds=int(found["KmsDataKeyReusePeriodSeconds"]) if key else None,
        sqs_keys=found.get("SqsManagedSseEnabled") == "true",
    )
    compliant, trouble = bool(key or before.sqs_keys), ""
    if params.kms_key_id is not None:
        compliant, trouble = await verdict(key, _complies(queue, found, params))
    return Check(
        compliant=compliant,
        before=before,
        why=f"queue {queue.name} is encrypted with "
        + (f"KMS key {key}" if key else "keys of SQS" if before.sqs_keys else "nothing")
        + trouble,
        region=queue.home.region,
        target_id=queue.arn,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Encryption) -> None:
    queue = await the_queue(aws, target)
    if params.kms_key_id is None:
        await queue.set(SqsManagedSseEnabled="true")
        return
    found = await queue.attributes()
    if key := await other_key_of_queue(queue, found, params.kms_key_id, params.kms_region):
        await queue.set(KmsMasterKeyId=key)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Encryption) -> None:
    queue = await the_queue(aws, target)
    if before.kms_key is not None:
        await queue.set(KmsMasterKeyId=before.kms_key, KmsDataKeyReusePeriodSeconds=str(before.reuse_seconds))
    else:
        await queue.set(KmsMasterKeyId="", SqsManagedSseEnabled=str(before.sqs_keys).lower())


async def _complies(queue: Queue, found: dict[str, str], params: Wish) -> bool:
    return await other_key_of_queue(queue, found, str(params.kms_key_id), params.kms_region) is None
