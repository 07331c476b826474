"""Calls on the journal's one table. Answers as the journal needs them, errors in words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bots._aws import AwsError
from hub.aws.errors import from_botocore, outcome_of
from hub.errors import InternalError, JournalUnwritable
from hub.journals.dynamodb_item import Item
from hub.journals.dynamodb_table import KEY
from hub.model import Outcome

if TYPE_CHECKING:
    from hub.aws.accounts import HubIdentity

BATCH_ITEMS = 100  # BatchGetItem takes no more
MAX_ROUNDS = 8  # attempts at a write that others raced for, or at reading what a batch left out


class ConditionFailed(Exception):
    """DynamoDB refused a write because its condition did not hold. ``item`` is what it found, if told."""

    def __init__(self, item: Item) -> None:
        super().__init__("condition failed")
        self.item = item


class Table:
    """The table ``name`` through one client, open from `start` to `stop`.

    Every method may raise `JournalUnwritable`; writes raise `ConditionFailed`.
    """

    def __init__(self, identity: HubIdentity, name: str) -> None:
        self._identity = identity
        self._name = name
        self._stack = AsyncExitStack()
        self._client: Any = None

    async def start(self) -> None:
        if self._client is None:
            try:
                self._client = await self._stack.enter_async_context(self._identity.client("dynamodb"))
            except (BotoCoreError, ValueError) as error:
                raise self.unwritable(f"no client for it: {error}; check HUB_REGION") from error

    async def stop(self) -> None:
        self._client = None
        await self._stack.aclose()

    def unwritable(self, why: str) -> JournalUnwritable:
        return JournalUnwritable(f"journal table {self._name}: {why}")

    async def get(self, key: Item) -> Item | None:
        """The item as it is now, not as it was a moment ago."""
        answer = await self._call("get_item", TableName=self._name, Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    async def put(self, item: Item, condition: str, **values: Item) -> None:
        """Replace the item whole; ``values`` are what ``:name`` stands for in the condition."""
        request = {"TableName": self._name, "Item": item, "ConditionExpression": condition}
        if values:
            request["ExpressionAttributeValues"] = _placeholders(values)
        await self._call("put_item", **request)

    async def update(self, key: Item, update: str, condition: str, **values: Item) -> Item:
        """Change single attributes; gives those that were changed. ``#month`` is that attribute, whose name
        DynamoDB keeps for itself."""
        request: dict[str, Any] = (
            {"ExpressionAttributeNames": {"#month": "month"}} if "#month" in update else {}
        )
        answer = await self._call(
            "update_item",
            TableName=self._name,
            Key=key,
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=_placeholders(values),
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **request,
        )
        item: Item = answer.get("Attributes", {})
        return item

    async def query(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One page."""
        return await self._call("query", TableName=self._name, **request)

    async def read(self, keys: Sequence[Item]) -> list[Item]:
        """The items of these keys, at most 100, in their order; what is gone is left out."""
        found: dict[str, Item] = {}
        asked = list(keys)
        for attempt in range(MAX_ROUNDS):
            if not asked:
                break
            if attempt:
                await asyncio.sleep(min(2.0, 0.05 * 2**attempt))
            answer = await self._call(
                "batch_get_item", RequestItems={self._name: {"Keys": asked, "ConsistentRead": True}}
            )
            found.update({item[KEY]["S"]: item for item in answer["Responses"].get(self._name, [])})
            # DynamoDB answers with 16 MB at most, or with less when it is busy, and names the rest.
            asked = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
        if asked:
            raise self.unwritable("DynamoDB is too busy to read the history; try again later")
        return [found[key[KEY]["S"]] for key in keys if key[KEY]["S"] in found]

    async def _call(self, method: str, **request: Any) -> Mapping[str, Any]:
        """
        Raises:
            ConditionFailed: the write's condition did not hold.
            JournalUnwritable: anything else AWS or the network answers.
        """
        if self._client is None:
            raise InternalError("the journal is used before start() or after stop()")
        try:
            answer: Mapping[str, Any] = await getattr(self._client, method)(**request)
        except (ClientError, BotoCoreError) as error:
            operation = "".join(word.title() for word in method.split("_"))
            told = from_botocore(
                error, service="dynamodb", operation=operation, region=self._identity.settings.region
            )
            if told.code == "ConditionalCheckFailedException" and isinstance(error, ClientError):
                raise ConditionFailed(dict(error.response).get("Item", {})) from None
            raise self.unwritable(_explain(told)) from error
        return answer


def _placeholders(values: Mapping[str, Item]) -> Item:
    return {f":{name}": value for name, value in values.items()}


def _explain(told: AwsError) -> str:
    where = f"DynamoDB {told.operation} in {told.region}"
    if told.code == "ResourceNotFoundException":
        return f"there is no such table in {told.region}; deploy the hub's stack or correct HUB_JOURNAL"
    match outcome_of(told):
        case Outcome.DENIED:
            return (
                f"{where} was refused ({told.code}); allow the hub's role "
                f"dynamodb:{told.operation} on the table and its key"
            )
        case Outcome.THROTTLED:
            return f"{where} was throttled ({told.code}); raise the table's capacity or try again later"
        case Outcome.UNREACHABLE:
            return f"{where} was not answered ({told.code}: {told.message}); check the network and try again"
        case _:
            return f"{where} failed ({told.code}: {told.message})"
