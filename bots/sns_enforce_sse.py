"""Encrypt a topic at rest with a KMS key.

After: messages are stored under the key from now on.
Caution: every publisher needs kms:GenerateDataKey and kms:Decrypt on the key, or its messages are lost. AWS
services (alarms, events, S3) need the key's policy to let them, and cannot use alias/aws/sns at all.
Finding: sns_enforce_sse 1234abcd-12ab-34cd-56ef-1234567890ab
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._kms import KEY_PATTERN, KEYS
from bots._topics import TOPIC, set_attribute, topic_attributes, topic_home
from bots._wished_keys import other_key_of_topic, verdict


class Wish(Params):
    kms_key_id: Annotated[
        str,
        Field(
            pattern=KEY_PATTERN, description="key in the topic's region: id, ARN, alias or ARN of an alias"
        ),
    ]
    kms_region: Annotated[
        str | None, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$", description="must be the topic's region")
    ] = None


class Encryption(Before):
    topic_arn: str
    key: str  # as SNS keeps it; "": not encrypted


bot = Bot(
    name="sns_enforce_sse",
    acts_on="AWS::SNS::Topic",
    target=entity("topicArn", "id"),
    params=Wish,
    before=Encryption,
    reads=(*on(TOPIC, "sns:GetTopicAttributes"), *on(KEYS, "kms:DescribeKey", "kms:GetKeyPolicy")),
    writes=on(TOPIC, "sns:SetTopicAttributes"),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Encryption]:
    home, arn = topic_home(aws, target)
    attributes = await topic_attributes(home, arn)
    key = attributes.get("KmsMasterKeyId", "")
    compliant, trouble = await verdict(key, _complies(home, attributes, params))
    return Check(
        compliant=compliant,
        before=Encryption(topic_arn=arn, key=key),
        why=f"topic {arn} is encrypted with {key or 'nothing'}{trouble}",
        region=home.region,
        notes=() if compliant else ("publishers need kms:GenerateDataKey and kms:Decrypt on the key",),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Encryption) -> None:
    home, arn = topic_home(aws, target)
    if key := await other_key_of_topic(
        home, await topic_attributes(home, arn), params.kms_key_id, params.kms_region
    ):
        await set_attribute(home, arn, "KmsMasterKeyId", key)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Encryption) -> None:
    home, _ = topic_home(aws, target)
    await set_attribute(home, before.topic_arn, "KmsMasterKeyId", before.key)


async def _complies(home: Aws, attributes: dict[str, str], params: Wish) -> bool:
    return await other_key_of_topic(home, attributes, params.kms_key_id, params.kms_region) is None
