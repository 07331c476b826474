"""Tracing of Lambda functions with AWS X-Ray, and the right of their roles to send traces."""

from __future__ import annotations

from typing import Any, Literal

from bots._attachments import detach
from bots._aws import Aws, AwsError
from bots._functions import Function, configuration, update
from bots._identities import Identity

SENDS_TRACES = "AWSXRayDaemonWriteAccess"
Mode = Literal["Active", "PassThrough"]


def mode_of(found: dict[str, Any]) -> Mode:
    """How a function's configuration says it is traced."""
    mode: Mode = found.get("TracingConfig", {}).get("Mode", "PassThrough")
    return mode


async def switched_on(function: Function) -> bool:
    """Switch tracing on; False if AWS refuses, because the function's role may not send traces."""
    found = await configuration(function)
    try:
        await update(function, found, TracingConfig={"Mode": "Active"})
    except AwsError as error:
        if error.code != "InvalidParameterValueException" or "xray" not in error.message.lower():
            raise
        return False
    return True


async def may_send(aws: Aws, role: Identity) -> bool:
    """Whether AWS's policy for it is attached to the role."""
    # A role that is missing is AWS's error here: what the finding is about, the function, is there.
    has = aws.pages("iam", "ListAttachedRolePolicies", items="AttachedPolicies", **role.words)
    return _policy(aws) in {each["PolicyArn"] async for each in has}


async def let_send(aws: Aws, role: Identity) -> None:
    """Attach AWS's policy for it to the role."""
    await aws.call("iam", "AttachRolePolicy", PolicyArn=_policy(aws), **role.words)


async def no_longer_let_send(aws: Aws, role: Identity) -> None:
    """Take AWS's policy for it off the role, if it is there."""
    await detach(aws, role, _policy(aws))


def _policy(aws: Aws) -> str:
    return f"arn:{aws.partition}:iam::aws:policy/{SENDS_TRACES}"
