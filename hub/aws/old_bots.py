"""Calls a bot in the old shape: with a boto3 session of the finding's account, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bots._aws import Aws
from bots._bot import CannotFix
from hub.aws.account import SpokeAccount
from hub.aws.errors import from_botocore

MOST_SECONDS = 900.0


async def run_in_thread(
    aws: Aws, function: Callable[..., object], arguments: tuple[object, ...], *, seconds: float = MOST_SECONDS
) -> object:
    """What ``function(boto_session, *arguments)`` returns.

    Its calls are neither paced nor recorded by the hub, and a thread cannot be stopped: what takes
    longer than ``seconds`` goes on unwatched, in a thread that dies with the process.

    Raises:
        AwsError: AWS refused one of its calls.
        CannotFix: it took too long.
    """
    import boto3  # noqa: PLC0415 - costs a tenth of a second that only old bots need

    assert isinstance(aws, SpokeAccount)
    session = boto3.Session(
        aws_access_key_id=aws.keys.access_key,
        aws_secret_access_key=aws.keys.secret_key,
        aws_session_token=aws.keys.token,
        region_name=aws.region,
    )
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()

    def settle(how: Callable[[Any], None], value: object) -> None:
        if not done.done():
            how(value)

    def work() -> None:
        how: Callable[[Any], None] = done.set_result
        value: object
        try:
            value = function(session, *arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code may raise anything
            # A future takes no StopIteration, and SystemExit is meant for a process, not for a hub.
            known = isinstance(error, (ClientError, BotoCoreError))
            how, value = done.set_exception, error if known else RuntimeError(type(error).__name__)
        loop.call_soon_threadsafe(settle, how, value)

    threading.Thread(target=work, name="old-bot", daemon=True).start()
    try:
        return await asyncio.wait_for(done, seconds)
    except TimeoutError:
        raise CannotFix(
            f"the bot did not end within {seconds:.0f} seconds; it may still be at work"
        ) from None
    except ClientError as error:
        raise from_botocore(
            error, service="a call of the bot", operation=error.operation_name, region=aws.region
        ) from error
    except BotoCoreError as error:
        raise from_botocore(error, service="a call of the bot", operation="", region=aws.region) from error
