"""Calls that look at the hub's own resources, with the hub's own rights."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bots._aws import AwsError
from hub.aws.accounts import HubIdentity
from hub.aws.errors import DENIED, from_botocore
from hub.doctor.words import Line, not_looked, unknown


async def ask(identity: HubIdentity, service: str, method: str, /, **params: Any) -> dict[str, Any]:
    """
    Args:
        method: the client's, as ``get_queue_attributes``.

    Raises:
        AwsError: AWS refused or did not answer.
    """
    client = await identity.kept(service)
    try:
        answer: dict[str, Any] = await getattr(client, method)(**params)
    except (ClientError, BotoCoreError) as error:
        operation = "".join(map(str.title, method.split("_")))
        raise from_botocore(
            error, service=service, operation=operation, region=identity.settings.region
        ) from error
    return answer


def unseen(subject: str, error: AwsError) -> Line:
    """What is to be said of a thing that could not be looked at: never that it is right."""
    if error.code in DENIED or error.status == 403:
        return not_looked(subject, right(error), answer=error.message)
    return unknown(subject, f"not looked: {error.operation} ended with {error.code}", answer=error.message)


def right(error: AwsError) -> str:
    """The IAM action whose absence an error is about, where the call has the action's name."""
    return f"{error.service}:{error.operation}"
