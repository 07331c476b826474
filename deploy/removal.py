"""Takes hub and spoke roles away again, the spoke roles first: without the hub nobody would miss them.

What is kept is found again by AWS itself: it tells what a deleted stack has left behind for 90 days.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from deploy.adoption import DEAD_LETTERS, JOURNAL, has_table, no_queue
from deploy.calls import items, said, until
from deploy.errors import DeploymentFailed, InputWrong
from deploy.session import Aws
from deploy.stack import find
from deploy.stack_sets import Instance, Missed, StackSets, where


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the hub's stack leaves behind when it is deleted. "" for what is not there any more.

    Attributes:
        others: further resources a former stack has left, as type and name.
    """

    journal: str = ""
    dead_letters: str = ""
    others: tuple[tuple[str, str], ...] = ()


async def take_spokes_away(
    stack_sets: StackSets, *, retained: Collection[str] = (), only: Collection[str] = ()
) -> tuple[Missed, ...]:
    """Delete the role from every account, then the StackSet; accounts where that failed.

    Args:
        retained: accounts to let go of with their role in place, such as suspended ones.
        only: take it away from these alone; the StackSet stays.

    Raises:
        InputWrong: an account that was named has no role.
        DeploymentFailed: AWS refused a whole operation or took too long.
    """
    await stack_sets.wait_for_others()
    instances = await stack_sets.instances()
    if unknown := {*retained, *only} - {each.account_id for each in instances}:
        raise InputWrong(f"StackSet {stack_sets.name} has no stack in {', '.join(sorted(unknown))}")

    def meant(each: Instance) -> bool:
        return not only or each.account_id in only

    missed: list[Missed] = []
    for target, region in where(each for each in instances if each.account_id in retained):
        missed += await stack_sets.take_away(target, region, retain=True)
    for target, region in where(i for i in instances if i.account_id not in retained and meant(i)):
        missed += await stack_sets.take_away(target, region)
    left = tuple(filter(meant, await stack_sets.instances()))
    if not left and not only:
        await stack_sets.delete()
    return _still_there(left, missed)


def _still_there(left: Iterable[Instance], missed: Iterable[Missed]) -> tuple[Missed, ...]:
    reasons = {(each.account_id, each.region): each.reason for each in missed}
    return tuple(
        Missed(
            account_id=each.account_id,
            region=each.region,
            reason=reasons.get((each.account_id, each.region)) or each.reason or each.status.lower(),
        )
        for each in left
    )


async def kept_by(aws: Aws, stack_name: str) -> Kept:
    """What the stack will leave behind, or has left when it was deleted."""
    cloudformation = await aws.client("cloudformation")
    stack = await find(cloudformation, stack_name)
    stack_id = stack.id if stack is not None else await _latest_deleted(cloudformation, stack_name)
    if not stack_id:
        return Kept()
    names: dict[str, str] = {}
    others = []
    async for each in items(
        cloudformation, "list_stack_resources", "StackResourceSummaries", StackName=stack_id
    ):
        resource, physical = each["LogicalResourceId"], each.get("PhysicalResourceId") or ""
        if resource in (JOURNAL, DEAD_LETTERS):
            names[resource] = physical
        elif each["ResourceStatus"] == "DELETE_SKIPPED":
            others.append((str(each["ResourceType"]), physical))
    journal, dead_letters = names.get(JOURNAL, ""), names.get(DEAD_LETTERS, "")
    return Kept(
        journal=journal if journal and await has_table(aws, journal) else "",
        dead_letters=dead_letters if await waiting(aws, dead_letters) is not None else "",
        others=tuple(sorted(others)),
    )


async def _latest_deleted(cloudformation: Any, name: str) -> str:
    found = [
        each
        async for each in items(
            cloudformation, "list_stacks", "StackSummaries", StackStatusFilter=["DELETE_COMPLETE"]
        )
        if each["StackName"] == name
    ]
    latest = max(found, key=lambda each: each["CreationTime"], default=None)
    return "" if latest is None else str(latest["StackId"])


async def waiting(aws: Aws, queue_url: str) -> int | None:
    """About how many messages are in the queue; None where there is no queue."""
    if not queue_url:
        return None
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    try:
        found = await (await aws.client("sqs")).get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    except ClientError as error:
        if no_queue(error):
            return None
        raise
    return sum(int(found["Attributes"][name]) for name in names)


async def delete_queue(aws: Aws, queue_url: str) -> None:
    """Delete it with what is in it."""
    await (await aws.client("sqs")).delete_queue(QueueUrl=queue_url)


async def delete_journal(aws: Aws, table: str) -> None:
    """Turn the table's protection off and delete it, with everything that could still be undone.

    Raises:
        DeploymentFailed: DynamoDB refuses.
    """
    dynamodb = await aws.client("dynamodb")
    try:
        await dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)

        async def idle() -> str | None:
            found = await dynamodb.describe_table(TableName=table)
            return "ACTIVE" if found["Table"]["TableStatus"] == "ACTIVE" else None

        await until(idle, f"table {table}", aws.patience)
        await dynamodb.delete_table(TableName=table)
    except ClientError as error:
        raise DeploymentFailed(f"table {table}: {said(error)}") from error
