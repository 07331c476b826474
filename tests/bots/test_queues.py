"""Which queue a finding means: `bots._queues`."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone
from bots._queues import LONGEST_NAME, dead_letters_of, the_queue

ACCOUNT = "222233334444"


class _Account:
    """As much of an account as finding a queue takes: one that has them all, by AWS's URLs."""

    account_id = ACCOUNT
    partition = "aws"

    def __init__(self, region: str, calls: list[tuple[str, str]]) -> None:
        self.region = region
        self.calls = calls

    def at(self, region: str) -> Any:
        return _Account(region, self.calls)

    async def find(self, service: str, operation: str, **params: Any) -> dict[str, Any] | None:
        self.calls.append((operation, params["QueueName"]))
        return None if params["QueueName"] == "gone" else {"QueueUrl": f"https://aws/{params['QueueName']}"}


async def _found(text: str) -> Any:
    target = Target(account_id=ACCOUNT, region="us-west-2", partition="aws", type="AWS::SQS::Queue", id=text)
    return await the_queue(cast("Aws", _Account("us-west-2", [])), target)


@pytest.mark.parametrize(
    ("text", "region", "name"),
    [
        ("orders.fifo", "us-west-2", "orders.fifo"),
        (f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders", "eu-west-1", "orders"),
        (f"arn:aws-cn:sqs:cn-north-1:{ACCOUNT}:orders.fifo", "cn-north-1", "orders.fifo"),
        (f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/orders", "eu-west-1", "orders"),
        (f"https://sqs-fips.us-gov-west-1.amazonaws.com/{ACCOUNT}/orders", "us-gov-west-1", "orders"),
        (f"https://sqs.cn-north-1.amazonaws.com.cn/{ACCOUNT}/orders", "cn-north-1", "orders"),
        (f"https://sqs.eu-west-1.api.aws/{ACCOUNT}/orders.fifo", "eu-west-1", "orders.fifo"),
        (f"https://eu-west-1.queue.amazonaws.com/{ACCOUNT}/orders", "eu-west-1", "orders"),
        (f"https://queue.amazonaws.com/{ACCOUNT}/orders", "us-east-1", "orders"),
    ],
)
async def test_a_queue_is_found_by_arn_url_or_name_and_called_by_the_url_of_aws(
    text: str, region: str, name: str
) -> None:
    found = await _found(text)
    assert (found.home.region, found.name, found.url) == (region, name, f"https://aws/{name}")
    assert found.arn == f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"


@pytest.mark.parametrize(
    "text",
    [
        f"https://evil.example/{ACCOUNT}/orders",
        f"https://sqs.eu-west-1.amazonaws.com.evil.example/{ACCOUNT}/orders",
        f"https://sqs.eu-west-1.amazonaws.com@evil.example/{ACCOUNT}/orders",
        f"http://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/orders",
        f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/orders/more",
        f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/orders?x=1",
        f"arn:aws:sns:eu-west-1:{ACCOUNT}:orders",
        "or ders",
        "orders.txt",
        "o" * (LONGEST_NAME + 1),
    ],
)
async def test_what_is_no_queue_is_refused_and_no_host_is_called(text: str) -> None:
    with pytest.raises(CannotFix, match="neither the ARN nor the URL"):
        await _found(text)


@pytest.mark.parametrize(
    "text",
    ["arn:aws:sqs:eu-west-1:111122223333:orders", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"],
)
async def test_queues_of_other_accounts_are_refused(text: str) -> None:
    with pytest.raises(CannotFix, match="belongs to account 111122223333"):
        await _found(text)


async def test_a_queue_that_does_not_exist_is_gone() -> None:
    with pytest.raises(TargetGone, match="queue gone does not exist in us-west-2"):
        await _found("gone")


def test_a_dead_letter_queue_is_called_after_its_queue_and_is_of_its_kind() -> None:
    assert dead_letters_of("orders") == "dlq-for-orders"
    assert dead_letters_of("orders.fifo") == "dlq-for-orders.fifo"


@pytest.mark.parametrize("end", ["", ".fifo"])
def test_names_too_long_are_cut_and_stay_apart(end: str) -> None:
    made = {dead_letters_of("o" * 74 + letter + end) for letter in "abc"}
    assert len(made) == 3
    assert all(len(name) == LONGEST_NAME and name.endswith(end) for name in made)
