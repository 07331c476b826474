"""Concurrency of a Lambda function: what is reserved for it, what stands against that, what it stalls."""

from __future__ import annotations

from bots._bot import CannotFix, TryLater, on
from bots._functions import FUNCTION, GONE, Function

READS = (
    "lambda:ListEventSourceMappings",
    *on(FUNCTION, "lambda:GetFunctionConcurrency", "lambda:ListProvisionedConcurrencyConfigs"),
)
WRITES = on(FUNCTION, "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency")


async def reserved(function: Function) -> int | None:
    """Executions reserved for the function; None if it shares what the account has.

    Raises:
        TargetGone: there is no such function.
    """
    answer = await function.home.find(
        "lambda", "GetFunctionConcurrency", absent=GONE, FunctionName=function.name
    )
    if answer is None:
        raise function.gone()
    found: int | None = answer.get("ReservedConcurrentExecutions")
    return found


async def reserve(function: Function, executions: int | None) -> None:
    """Reserve so many executions, 0 for none at all; None lets it share what the account has.

    Raises:
        TryLater: somebody else is changing the function.
    """
    if executions is None:
        await function.home.call("lambda", "DeleteFunctionConcurrency", FunctionName=function.name)
        return
    answer = await function.home.find(
        "lambda",
        "PutFunctionConcurrency",
        absent=("ResourceConflictException",),
        FunctionName=function.name,
        ReservedConcurrentExecutions=executions,
    )
    if answer is None:
        raise TryLater(f"function {function.name} is being changed by somebody else", seconds=30)


async def refuse_provisioned(function: Function) -> None:
    """
    Raises:
        CannotFix: it has provisioned concurrency.
    """
    found = function.home.pages(
        "lambda",
        "ListProvisionedConcurrencyConfigs",
        items="ProvisionedConcurrencyConfigs",
        FunctionName=function.name,
    )
    where = [str(each["FunctionArn"]).rsplit(":", 1)[-1] async for each in found]
    if where:
        raise CannotFix(
            f"function {function.name} has provisioned concurrency on {', '.join(sorted(where))}, and AWS reserves "
            "no less than that: delete it first"
        )


async def stalled(function: Function) -> tuple[str, ...]:
    """What the function will read from no more, one note for each."""
    found = function.home.pages(
        "lambda", "ListEventSourceMappings", items="EventSourceMappings", FunctionName=function.name
    )
    read = [
        each["EventSourceArn"]
        async for each in found
        if each.get("EventSourceArn") and each.get("State") not in ("Disabled", "Disabling")
    ]
    return tuple(f"nothing will be read from {arn} any more" for arn in sorted(read))
