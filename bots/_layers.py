"""Layers of a Lambda function: whose they are, whether they can still be named, who attached them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bots._aws import together
from bots._bot import CannotFix, Target, on
from bots._functions import FUNCTION, GONE, Function
from bots._trail import ACTION, WINDOW, event_time, logged_calls

LAYER = ("arn:{partition}:lambda:*:*:layer:*",)
READS = (ACTION, *on(FUNCTION, "lambda:GetFunctionConfiguration"), *on(LAYER, "lambda:GetLayerVersion"))
UPDATED = "UpdateFunctionConfiguration20150331v2"  # as CloudTrail calls it


def layers_of(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """ARNs with their versions, in the order the layers are laid over one another."""
    return tuple(layer["Arn"] for layer in configuration.get("Layers") or ())


def of_accounts(arns: Collection[str], accounts: Collection[str]) -> list[str]:
    """Those of the layers that one of the accounts owns, in their order."""
    return [arn for arn in arns if arn.split(":")[4] in accounts]


async def refuse_unusable(function: Function, staying: Collection[str]) -> None:
    """AWS takes a list of layers only if each can be read; a running function needs none of them any more.

    Raises:
        CannotFix: one of those that stay was deleted.
    """
    await together(*(_refuse_deleted(function, arn) for arn in staying))


async def _refuse_deleted(function: Function, arn: str) -> None:
    if await function.home.find("lambda", "GetLayerVersionByArn", absent=GONE, Arn=arn) is None:
        raise CannotFix(
            f"layer {arn}, which stays, was deleted, and AWS takes no list with it: replace it in "
            f"function {function.name} first"
        )


async def attached_by(function: Function, target: Target, arns: Collection[str]) -> tuple[str, ...]:
    """Who attached the layers, if the finding says when and CloudTrail still shows it."""
    try:
        at = event_time(target)
    except CannotFix:
        return ()
    calls = await logged_calls(function.home, "EventName", UPDATED, since=at - WINDOW, until=at + WINDOW)
    return tuple(
        f"{call.caller or 'somebody'} attached layer {arn} at {call.at:%Y-%m-%dT%H:%M:%SZ}"
        for call in calls
        if str(call.request.get("functionName")).rsplit(":", 1)[-1] == function.name
        for arn in arns
        if arn in (call.request.get("layers") or ())
    )
