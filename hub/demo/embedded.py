"""Starts and stops the embedded AWS, and gives clients of any account in it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from hub.aws.clients import client_config, new_session
from hub.aws.regions import partition_of
from hub.errors import SettingsWrong

REGION = "us-east-1"
PARTITION = partition_of(REGION)
START_SECONDS = 30.0
# A clean environment: nothing of the user's own AWS set-up reaches the demo.
CLEAN = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_DEFAULT_REGION": REGION,
    "PYTHONUNBUFFERED": "1",
}


class EmbeddedAws:
    """The running server. ``url`` is what AWS_ENDPOINT_URL has to be."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._stack = AsyncExitStack()
        self._session = new_session()
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._keys: dict[str, dict[str, str]] = {}

    async def client(self, service: str, account_id: str, region: str = REGION) -> Any:
        """A client with all rights in that account."""
        key = (service, account_id, region)
        if key not in self._clients:
            keys = await self._administrator(account_id)
            self._clients[key] = await self._open(service, region, keys)
        return self._clients[key]

    async def person(self, account_id: str) -> Mapping[str, str]:
        """What the command line finds in the environment of somebody who administers the account."""
        keys = await self._administrator(account_id)
        return {name.upper(): value for name, value in keys.items()}

    async def assume(self, arn: str, account_id: str, *, external_id: str = "") -> Mapping[str, str]:
        """Credentials of a role as environment variables, asked for from inside ``account_id``."""
        sts = await self.client("sts", account_id)
        more = {"ExternalId": external_id} if external_id else {}
        answer = await sts.assume_role(RoleArn=arn, RoleSessionName="hub-worker", **more)
        found = answer["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }

    async def _administrator(self, account_id: str) -> dict[str, str]:
        if account_id not in self._keys:
            start = {"aws_access_key_id": "embedded", "aws_secret_access_key": "embedded"}
            sts = await self._open("sts", REGION, start)
            arn = f"arn:{PARTITION}:iam::{account_id}:role/administrator"
            found = (await sts.assume_role(RoleArn=arn, RoleSessionName="administrator"))["Credentials"]
            self._keys[account_id] = {
                "aws_access_key_id": found["AccessKeyId"],
                "aws_secret_access_key": found["SecretAccessKey"],
                "aws_session_token": found["SessionToken"],
            }
        return self._keys[account_id]

    async def _open(self, service: str, region: str, keys: Mapping[str, str]) -> Any:
        context = self._session.client(
            service, region_name=region, endpoint_url=self.url, config=client_config(), **keys
        )
        return await self._stack.enter_async_context(context)

    async def close(self) -> None:
        """Close the clients."""
        await self._stack.aclose()


@asynccontextmanager
async def embedded_aws() -> AsyncIterator[EmbeddedAws]:
    """Start the server in a process of its own and end it afterwards.

    Raises:
        SettingsWrong: moto is not installed or did not start.
    """
    environment = CLEAN | {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "hub.demo.server",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            port = await _port(process.stdout)
        if not port:
            trouble = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
            raise SettingsWrong(
                "the embedded AWS did not start; it needs the package's `demo` extra "
                f"(pip install 'remediation-hub[demo]'): {trouble[-1] if trouble else 'no reason given'}"
            )
        drain = asyncio.create_task(process.stderr.read())
        aws = EmbeddedAws(f"http://127.0.0.1:{port}")
        try:
            yield aws
        finally:
            await aws.close()
            drain.cancel()
    finally:
        process.stdin.close()
        if process.returncode is None:
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _port(stream: asyncio.StreamReader) -> str:
    # moto greets on standard output before our own line.
    while line := (await stream.readline()).decode().strip():
        if line.isdigit():
            return line
    return ""
