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
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._key_policies import shut_out
from bots._kms import KEY_PATTERN, KEYS, is_key, usable_key
from bots._policies import services_let_in
from bots._queues import QUEUE, Queue, the_queue

SENDING = ("kms:GenerateDataKey", "kms:Decrypt")  # what a service needs of the key to send


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
        try:
            compliant = await _other_key(queue, found, params) is None
        except CannotFix as problem:
            # An undo must be able to look at a queue whose key has been switched off since.
            if key is None:
                raise
            compliant, trouble = False, f"; {problem}"
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
    elif key := await _other_key(queue, await queue.attributes(), params):
        await queue.set(KmsMasterKeyId=key)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Encryption) -> None:
    queue = await the_queue(aws, target)
    if before.kms_key is not None:
        await queue.set(KmsMasterKeyId=before.kms_key, KmsDataKeyReusePeriodSeconds=str(before.reuse_seconds))
    else:
        await queue.set(KmsMasterKeyId="", SqsManagedSseEnabled=str(before.sqs_keys).lower())


async def _other_key(queue: Queue, found: dict[str, str], params: Wish) -> str | None:
    """ARN of the wished key; None if the queue uses it already.

    Raises:
        CannotFix: SQS or somebody who sends to the queue cannot use it.
    """
    wished, region = str(params.kms_key_id), queue.home.region
    # Of a multi-Region key every region has a replica by the same id.
    if params.kms_region not in (None, region) and not wished.startswith("mrk-"):
        raise CannotFix(f"SQS uses keys of the queue's own region, {region}, not of {params.kms_region}")
    key = await usable_key(queue.home, wished)
    if await is_key(queue.home, found.get("KmsMasterKeyId") or None, key):
        return None
    # Services the key does not let in would fail to send, and nobody would hear of it.
    if services := services_let_in(found.get("Policy")):
        answer = await queue.home.call("kms", "GetKeyPolicy", KeyId=key, PolicyName="default")
        if out := shut_out(answer["Policy"], services, SENDING):
            raise CannotFix(
                f"queue {queue.name} lets {', '.join(out)} send, but the policy of key {key} does not allow that "
                f"{' and '.join(SENDING)}: add a statement that does"
            )
    return key
