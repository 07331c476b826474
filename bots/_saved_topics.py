"""A topic with all that hangs on it, saved for whoever makes it anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots._aws import Aws, together
from bots._bot import CannotFix
from bots._topics import GONE

# Of the topic; sns:GetSubscriptionAttributes comes to it, which AWS narrows to no topic.
READS = ("sns:ListSubscriptionsByTopic", "sns:ListTagsForResource", "sns:GetDataProtectionPolicy")
# More do not fit into one record of the journal.
MOST_SUBSCRIPTIONS = 300
# These count what happens, and AWS sets them.
_COUNTERS = (
    "SubscriptionsPending",
    "SubscriptionsConfirmed",
    "SubscriptionsDeleted",
    "EffectiveDeliveryPolicy",
)


async def settings_of(home: Aws, arn: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes, subscriptions, tags and data protection policy of the topic.

    Raises:
        CannotFix: more than can be kept.
    """
    subscriptions = await _subscriptions(home, arn)
    tags, protection = await together(
        home.call("sns", "ListTagsForResource", ResourceArn=arn),
        home.call("sns", "GetDataProtectionPolicy", ResourceArn=arn),
    )
    return {
        "attributes": {name: str(value) for name, value in attributes.items() if name not in _COUNTERS},
        "subscriptions": subscriptions,
        "tags": {tag["Key"]: tag["Value"] for tag in tags.get("Tags", ())},
        "data_protection_policy": protection.get("DataProtectionPolicy") or "",
    }


async def _subscriptions(home: Aws, arn: str) -> tuple[dict[str, str], ...]:
    found: list[dict[str, Any]] = []
    async for each in home.pages("sns", "ListSubscriptionsByTopic", items="Subscriptions", TopicArn=arn):
        found.append(each)
        if len(found) > MOST_SUBSCRIPTIONS:
            raise CannotFix(
                f"topic {arn} has more than {MOST_SUBSCRIPTIONS} subscriptions, too many to save: save and "
                "delete them by hand"
            )
    return tuple(await together(*(_with_attributes(home, each) for each in found)))


async def _with_attributes(home: Aws, found: Mapping[str, Any]) -> dict[str, str]:
    arn = found["SubscriptionArn"]
    told = {name: str(found[name]) for name in ("SubscriptionArn", "Protocol", "Endpoint", "Owner")}
    if not arn.startswith("arn:"):
        return told  # it awaits its confirmation and has neither ARN nor attributes
    # It may go between the two calls.
    more = await home.find("sns", "GetSubscriptionAttributes", absent=GONE, SubscriptionArn=arn)
    return told | {name: str(value) for name, value in ((more or {}).get("Attributes") or {}).items()}
