"""Encrypt a topic at rest with a KMS key.

After: messages are stored under the key from now on.
Caution: every publisher needs kms:GenerateDataKey and kms:Decrypt on the key, or its messages are lost. AWS
services (alarms, events, S3) need the key's policy to let them, and cannot use alias/aws/sns at all.
Finding: sns_enforce_sse 1234abcd-12ab-34cd-56ef-1234567890ab
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._kms import KEY_PATTERN, KEYS, is_key, usable_key
from bots._policies import lets_service, services_let_in
from bots._topics import TOPIC, set_attribute, topic_attributes, topic_home

MANAGED = "alias/aws/sns"
NEEDED = ("kms:GenerateDataKey", "kms:Decrypt")


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
    compliant, trouble = False, ""
    try:
        wanted = await _usable(home, params)
        compliant = bool(key) and await is_key(home, key, wanted)
        if not compliant:
            await _refuse_to_shut_out(home, wanted, params, attributes.get("Policy"))
    except CannotFix as problem:
        # An encrypted topic is reported all the same: an undo must be able to look at it when the key has
        # been switched off since. The fix then refuses.
        if not key:
            raise
        trouble = f"; {problem}"
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
    wanted = await _usable(home, params)
    await _refuse_to_shut_out(home, wanted, params, (await topic_attributes(home, arn)).get("Policy"))
    await set_attribute(home, arn, "KmsMasterKeyId", MANAGED if _is_managed(params) else wanted)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Encryption) -> None:
    home, _ = topic_home(aws, target)
    await set_attribute(home, before.topic_arn, "KmsMasterKeyId", before.key)


def _is_managed(params: Wish) -> bool:
    return params.kms_key_id.endswith(MANAGED)


async def _usable(home: Aws, params: Wish) -> str:
    if params.kms_region not in (None, home.region):
        raise CannotFix(
            f"the topic is in {home.region} and cannot use a key in {params.kms_region}: name a key in {home.region}, "
            "of a multi-Region key its replica there"
        )
    return await usable_key(home, params.kms_key_id, or_managed=MANAGED)


async def _refuse_to_shut_out(home: Aws, key: str, params: Wish, topic_policy: str | None) -> None:
    """
    Raises:
        CannotFix: a service that may publish could not do so any more.
    """
    services = services_let_in(topic_policy)
    if not services:
        return
    shut_out = services
    if not _is_managed(params):
        found = await home.call("kms", "GetKeyPolicy", KeyId=key, PolicyName="default")
        shut_out = frozenset(each for each in services if not lets_service(found["Policy"], each, NEEDED))
    if shut_out:
        raise CannotFix(
            f"the topic's policy lets {', '.join(sorted(shut_out))} publish, but the policy of key {key} does not let "
            f"them use it: allow them {' and '.join(NEEDED)} there first"
            + (", which takes a customer managed key" if _is_managed(params) else "")
        )
