"""KMS keys that findings wish for: is something encrypted with the key already, and could it be?"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from bots._aws import Aws
from bots._bot import CannotFix
from bots._kms import is_key, usable_key
from bots._policies import lets_service, services_let_in
from bots._queues import Queue

SNS_MANAGED = "alias/aws/sns"
_SENDING = ("kms:GenerateDataKey", "kms:Decrypt")  # what a service needs of the key to publish or send


async def verdict(used: str | None, compliant: Awaitable[bool]) -> tuple[bool, str]:
    """Whether a resource is encrypted as wished, and what is wrong with the wished key, for the report.

    What is under some key is reported all the same: an undo must be able to look at it when the wished key
    has been switched off since. The fix then refuses.

    Args:
        used: the key the resource is under, if any.

    Raises:
        CannotFix: the wished key cannot be used, and the resource is under none.
    """
    try:
        return await compliant, ""
    except CannotFix as problem:
        if not used:
            raise
        return False, f"; {problem}"


async def other_key_of_topic(
    home: Aws, attributes: Mapping[str, str], wished: str, region: str | None
) -> str | None:
    """What to set as the topic's key; None if it is under the wished key already.

    Raises:
        CannotFix: SNS or a service that publishes to the topic cannot use it.
    """
    if region not in (None, home.region):
        raise CannotFix(
            f"the topic is in {home.region} and cannot use a key in {region}: name a key in {home.region}, "
            "of a multi-Region key its replica there"
        )
    key, managed = await usable_key(home, wished, or_managed=SNS_MANAGED), wished.endswith(SNS_MANAGED)
    used, policy = attributes.get("KmsMasterKeyId"), attributes.get("Policy")
    if used and await is_key(home, used, key):
        return None
    # No service can use the key that AWS manages for SNS.
    if out := sorted(services_let_in(policy)) if managed else await _shut_out(home, key, policy):
        raise CannotFix(
            f"the topic's policy lets {', '.join(out)} publish, but the policy of key {key} does not let "
            f"them use it: allow them {' and '.join(_SENDING)} there first"
            + (", which takes a customer managed key" if managed else "")
        )
    return SNS_MANAGED if managed else key


async def other_key_of_queue(
    queue: Queue, attributes: Mapping[str, str], wished: str, region: str | None
) -> str | None:
    """ARN of the wished key; None if the queue uses it already.

    Raises:
        CannotFix: SQS or a service that sends to the queue cannot use it.
    """
    home = queue.home
    # Of a multi-Region key every region has a replica by the same id.
    if region not in (None, home.region) and not wished.startswith("mrk-"):
        raise CannotFix(f"SQS uses keys of the queue's own region, {home.region}, not of {region}")
    key = await usable_key(home, wished)
    if await is_key(home, attributes.get("KmsMasterKeyId") or None, key):
        return None
    # Services the key does not let in would fail to send, and nobody would hear of it.
    if out := await _shut_out(home, key, attributes.get("Policy")):
        raise CannotFix(
            f"queue {queue.name} lets {', '.join(out)} send, but the policy of key {key} does not allow that "
            f"{' and '.join(_SENDING)}: add a statement that does"
        )
    return key


async def _shut_out(home: Aws, key: str, policy: str | None) -> list[str]:
    """Services that the policy of a topic or queue lets in, but the key's policy does not, sorted."""
    services = services_let_in(policy)
    if not services:
        return []
    answer = await home.call("kms", "GetKeyPolicy", KeyId=key, PolicyName="default")
    return sorted(each for each in services if not lets_service(answer["Policy"], each, _SENDING))
