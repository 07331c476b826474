"""What the journal's DynamoDB table looks like, as data: the deployment declares it, tests create it.

One table, one string key. Items are ``run#ID``, ``lease#NAME``, ``settled#OCCURRENCE``, ``note#NAME``,
``tally#NAME`` and ``schema``. Only runs carry the attributes that the indexes are keyed by, so nothing else shows up
in the history; except that a note on a shelf has the shelf's name where runs have their month, which no run has.
"""

from __future__ import annotations

from typing import Any

KEY = "pk"
ORDER = "opened"  # when the run was opened, and its id: what the history is sorted by
TTL = "expires_at"  # epoch seconds; DynamoDB deletes an item some days after that

BY_FINDING = "by-finding"
BY_ACCOUNT = "by-account"
BY_MONTH = "by-month"

# Partition key attribute of each index, and what a filter may ask besides. The indexes leave the
# record itself out: it can be large, and each index would be written with it twice per run.
INDEXES = (
    (BY_FINDING, "finding", ("account", "bot", "outcome", "session")),
    (BY_ACCOUNT, "account", ("bot", "outcome", "session")),
    (BY_MONTH, "month", ("bot", "outcome", "session")),
)

# What the hub's role must be allowed to do on the table; Query also on its indexes.
ACTIONS = (
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)


def table_definition() -> dict[str, Any]:
    """The table in the words that CreateTable and ``AWS::DynamoDB::Table`` share; fresh at each call."""
    keys = (KEY, ORDER, *(partition for _, partition, _ in INDEXES))
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
        "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": ORDER, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(also)},
            }
            for name, partition, also in INDEXES
        ],
    }


def time_to_live() -> dict[str, Any]:
    """The table's ``TimeToLiveSpecification``; CreateTable does not take it, CloudFormation does."""
    return {"AttributeName": TTL, "Enabled": True}


async def create_table(client: Any, name: str) -> None:
    """Make the table and wait until it can be used. For tests and local trials; a real hub's table
    comes from its CloudFormation stack.

    Args:
        client: an aiobotocore DynamoDB client.
    """
    await client.create_table(TableName=name, **table_definition())
    # The waiter's own pace is 20 seconds.
    await client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
