"""Which accounts there are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.accounts import HubIdentity, spoke_error
from hub.aws.arns import parse
from hub.aws.errors import from_botocore
from hub.errors import SpokeError, SpokeUnreachable
from hub.settings import Settings

DIRECTORY_SECONDS = 300.0
# An account the list lacks may have joined since: a list older than this is asked for again because of it.
NEWCOMER_SECONDS = 10.0
ASK_AGAIN_SECONDS = 5.0
ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class Member:
    """What Organizations (or the explicit list) says of an account.

    ``state`` is AWS's word (ACTIVE, SUSPENDED, PENDING_CLOSURE ...), ``organization`` the id of the
    organization that listed it, "" for the explicit list.
    """

    account_id: str
    name: str
    state: str = ACTIVE
    organization: str = ""

    @property
    def active(self) -> bool:
        """Whether it is in use: not suspended, closed or still being made."""
        return self.state == ACTIVE


class Directory:
    """The accounts the hub may enter: the explicit list, else what Organizations lists. Cached."""

    def __init__(self, settings: Settings, identity: HubIdentity) -> None:
        self._settings = settings
        self._identity = identity
        self._known: dict[str, Member] = {}
        self._read_at = float("-inf")
        self._failure: tuple[SpokeError, float] | None = None
        self._lock = asyncio.Lock()

    async def find(self, account_id: str) -> Member | None:
        """Facts about the account, None if it is not one of ours.

        Raises:
            SpokeError: Organizations could not be asked; then nothing may be entered.
        """
        if self._settings.accounts:
            listed = account_id in self._settings.accounts
            return Member(account_id, "") if listed else None
        known = await self._listed(DIRECTORY_SECONDS)
        if account_id not in known:
            # A finding is sent once: what is said of an account that has just joined must not be lost.
            known = await self._listed(NEWCOMER_SECONDS)
        return known.get(account_id)

    async def everybody(self) -> tuple[Member, ...]:
        """Every account of the organization, in whatever state, the explicit list left aside; by id.

        Raises:
            SpokeError: Organizations could not be asked.
        """
        known = await self._listed(DIRECTORY_SECONDS)
        return tuple(known[account_id] for account_id in sorted(known))

    async def _listed(self, at_most: float) -> dict[str, Member]:
        """By id, ``at_most`` so many seconds old."""
        async with self._lock:
            # By the clock on the wall: the monotonic one may stand still while Lambda has the process frozen.
            if not 0 <= time.time() - self._read_at <= at_most:
                await self._refresh()
            return self._known

    async def _refresh(self) -> None:
        # Organizations is slow and throttles early: one failure speaks for everybody who waits.
        if self._failure is not None and time.time() < self._failure[1]:
            raise self._failure[0]
        try:
            self._known = await self._read()
        except SpokeError as error:
            self._failure = (error, time.time() + ASK_AGAIN_SECONDS)
            raise
        self._read_at = time.time()

    async def _read(self) -> dict[str, Member]:
        known: dict[str, Member] = {}
        try:
            async with self._identity.client("organizations") as organizations:
                async for page in organizations.get_paginator("list_accounts").paginate():
                    for account in page["Accounts"]:
                        known[account["Id"]] = _facts(account)
        except (ClientError, BotoCoreError) as error:
            told = from_botocore(
                error, service="organizations", operation="ListAccounts", region=self._settings.region
            )
            if told.code == "AWSOrganizationsNotInUseException":
                raise SpokeUnreachable(
                    "there is no organization to take the list of accounts from; "
                    "set HUB_ACCOUNTS to the account ids the hub may enter"
                ) from error
            raise spoke_error(told, "the organization's accounts could not be listed") from error
        return known


def _facts(account: Mapping[str, Any]) -> Member:
    # arn:PARTITION:organizations::MANAGEMENT:account/o-exampleorgid/111122223333
    arn = parse(account.get("Arn", ""))
    organization = arn.resource.split("/")[1] if arn and arn.resource.count("/") == 2 else ""
    state = account.get("State") or account.get("Status") or ""
    return Member(account["Id"], account.get("Name", ""), state, organization)
