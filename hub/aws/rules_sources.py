"""Rules files that lie in S3 or in a parameter of Systems Manager, read as the hub itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError as TransferError
from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.accounts import HubIdentity
from hub.aws.errors import from_botocore, outcome_of
from hub.errors import RulesWrong
from hub.model import Outcome

LOOK_AGAIN_SECONDS = 30.0
# Findings wait for a look.
LONGEST_SECONDS = 10.0
MOST_BYTES = 16 * 1024 * 1024
_UNCHANGED = "304"
FORMS = "a path, s3://BUCKET/KEY or ssm:/NAME"


@dataclass(slots=True)
class S3Object:
    """An object. S3 is asked whether it has changed; ``region`` is where the bucket was found."""

    identity: HubIdentity
    bucket: str
    key: str
    seconds: float = LOOK_AGAIN_SECONDS
    region: str | None = None

    @property
    def address(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    async def read(self, known: str, /) -> tuple[bytes, str] | None:
        """See `hub.rules.live.Source`; its version is the ETag."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                try:
                    return await self._read(known)
                except ClientError as error:
                    # botocore goes after a bucket by itself, but not into regions that have to be opted in to.
                    asked = self.region or self.identity.settings.region
                    told = from_botocore(error, service="s3", operation="GetObject", region=asked)
                    if told.right_region is None:
                        raise
                    self.region = told.right_region
                    return await self._read(known)
        except (ClientError, BotoCoreError, TransferError, TimeoutError) as error:
            # S3 does not tell those who may not list a bucket that something is not in it.
            wanted = "the hub needs s3:GetObject on it, and to decrypt it if a KMS key does so; is it there at all?"
            raise _unread(self.address, error, "s3", "GetObject", wanted) from error

    async def _read(self, known: str) -> tuple[bytes, str] | None:
        unless: dict[str, Any] = {"IfNoneMatch": known} if known else {}
        s3 = await self.identity.kept("s3", self.region)
        try:
            answer = await s3.get_object(Bucket=self.bucket, Key=self.key, **unless)
        except ClientError as error:
            if error.response["Error"]["Code"] == _UNCHANGED:
                return None
            raise
        async with answer["Body"] as body:
            if answer["ContentLength"] > MOST_BYTES:
                raise RulesWrong(f"{self.address} has more than {MOST_BYTES:,} bytes")
            return await body.read(), answer["ETag"]


@dataclass(frozen=True, slots=True)
class SsmParameter:
    """A parameter of the hub's region, decrypted if it is a SecureString."""

    identity: HubIdentity
    name: str
    seconds: float = LOOK_AGAIN_SECONDS

    @property
    def address(self) -> str:
        return f"ssm:{self.name}"

    async def read(self, _known: str, /) -> tuple[bytes, str] | None:
        """See `hub.rules.live.Source`. There is no asking whether it has changed, and one that was made anew
        begins to count its versions again, so it is always read whole."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                ssm = await self.identity.kept("ssm")
                answer = await ssm.get_parameter(Name=self.name, WithDecryption=True)
        except (ClientError, BotoCoreError, TimeoutError) as error:
            wanted = "the hub needs ssm:GetParameter on it, and kms:Decrypt on a key of yours"
            raise _unread(self.address, error, "ssm", "GetParameter", wanted) from error
        return str(answer["Parameter"]["Value"]).encode(), ""


def remote(address: str, identity: HubIdentity) -> S3Object | SsmParameter | None:
    """Where the address leads; None if it is the path of a file.

    Raises:
        RulesWrong: it is neither.
    """
    if address.startswith("s3://"):
        bucket, _, key = address.removeprefix("s3://").partition("/")
        if bucket and key:
            return S3Object(identity, bucket, key)
    elif address.startswith("ssm:"):
        name = address.removeprefix("ssm:")
        if name and not name.startswith("//"):
            return SsmParameter(identity, name)
    elif "://" not in address:
        return None
    raise RulesWrong(f"rules come from {FORMS}, and {address} is none of these")


def _unread(address: str, error: Exception, service: str, operation: str, wanted: str) -> RulesWrong:
    start = f"the rules at {address} could not be read"
    if isinstance(error, (ClientError, BotoCoreError)):
        told = from_botocore(error, service=service, operation=operation, region="")
        advice = f" ({wanted})" if outcome_of(told) is Outcome.DENIED else ""
        return RulesWrong(f"{start}: {told.code}: {told.message}{advice}")
    if isinstance(error, TimeoutError):
        return RulesWrong(f"{start}: no answer within {LONGEST_SECONDS:.0f} seconds")
    return RulesWrong(f"{start}: {type(error).__name__}")
