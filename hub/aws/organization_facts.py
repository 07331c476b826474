"""What Organizations knows of an account besides that it is there: its OUs and its tags.

The three calls may be made as the management account and as a delegated administrator of any service (API
reference: ListParents, DescribeOrganizationalUnit, ListTagsForResource).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import accumulate
from typing import Any, Generic, TypeVar

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.accounts import HubIdentity, spoke_error
from hub.aws.directory import Directory
from hub.aws.errors import THROTTLED, from_botocore
from hub.aws.limits import Limit
from hub.aws.throttle import Lane
from hub.errors import SpokeError, SpokeUnreachable
from hub.model import AccountFacts
from hub.settings import DeploymentMode

FACTS_SECONDS = 300.0
ASK_AGAIN_SECONDS = 5.0
# All who ask about an organization share its budget, which is low. The figures are the hub's own.
PACE = Limit(burst=20, per_second=10)
# Each try is paced anew. Without its facts a finding fails closed, so they are worth some more.
TRIES = 4
_ABSENT = ("AccountNotFoundException", "ChildNotFoundException", "TargetNotFoundException",
           "OrganizationalUnitNotFoundException")  # fmt: skip
_EVERYTHING = ""
T = TypeVar("T")


class _NotThere(SpokeUnreachable):
    """What was asked about does not exist, which says nothing about anything else."""


class OrganizationFacts:
    """OUs and tags of accounts, looked up one account at a time when somebody wants to know them.

    An answer is good for five minutes; OUs that several accounts are in are asked about once. A failure of
    Organizations speaks for all who want the same of it within the next seconds.
    """

    def __init__(self, identity: HubIdentity, directory: Directory) -> None:
        self._identity = identity
        self._directory = directory
        self._pace = Lane(PACE)
        self._parents = _Remembered(self._parent)
        self._names = _Remembered(self._name)
        self._tags = _Remembered(self._tagged)

    async def facts_of(self, account_id: str, *, ous: bool, tags: bool) -> AccountFacts:
        """What is wanted of it: ids and paths from the top of every OU the account is in, the outer ones first
        and the root's id before all of them; its tags. None for what is not wanted, and for all of it where the hub
        works for no organization (single mode, an explicit list) or the account is none of the hub's.

        Raises:
            SpokeError: it could not be looked up.
        """
        settings = self._identity.settings
        of_organization = settings.deployment_mode is DeploymentMode.MULTI and not settings.accounts
        if not of_organization or not (ous or tags) or await self._directory.find(account_id) is None:
            return AccountFacts()
        chain, tagged = await asyncio.gather(
            self._ous(account_id) if ous else _nothing(),
            self._tags.of(account_id) if tags else _nothing(),
        )
        return AccountFacts(ous=chain, tags=tagged)

    async def _ous(self, account_id: str) -> tuple[str, ...]:
        chain = [await self._parents.of(account_id)]
        while not chain[0].startswith("r-"):
            chain.insert(0, await self._parents.of(chain[0]))
        root, *units = chain
        names = await asyncio.gather(*(self._names.of(unit) for unit in units))
        paths = accumulate(names, "{}/{}".format)
        return (root, *(word for both in zip(units, paths, strict=True) for word in both))

    async def _parent(self, child: str) -> str:
        # A page may be empty and another one follow.
        found = await self._all("ListParents", "Parents", child, ChildId=child)
        if not found:
            raise _NotThere(f"Organizations tells no parent of {child}")
        return str(found[0]["Id"])

    async def _name(self, unit: str) -> str:
        answer = await self._call("DescribeOrganizationalUnit", unit, OrganizationalUnitId=unit)
        return str(answer["OrganizationalUnit"]["Name"])

    async def _tagged(self, account_id: str) -> Mapping[str, str]:
        found = await self._all("ListTagsForResource", "Tags", account_id, ResourceId=account_id)
        return {each["Key"]: each["Value"] for each in found}

    async def _all(self, operation: str, items: str, about: str, **params: Any) -> list[Any]:
        """The items of all pages."""
        found: list[Any] = []
        while True:
            answer = await self._call(operation, about, **params)
            found += answer.get(items, ())
            if not answer.get("NextToken"):
                return found
            params["NextToken"] = answer["NextToken"]

    async def _call(self, operation: str, about: str, **params: Any) -> dict[str, Any]:
        tries = 0
        while True:
            tries += 1
            await self._pace.admit()
            try:
                organizations = await self._identity.kept("organizations")
                answer: dict[str, Any] = await getattr(organizations, xform_name(operation))(**params)
            except (ClientError, BotoCoreError) as error:
                region = self._identity.settings.region
                told = from_botocore(error, service="organizations", operation=operation, region=region)
                if told.code in THROTTLED:
                    self._pace.slow_down()
                    if tries < TRIES:
                        continue
                if told.code in _ABSENT:
                    raise _NotThere(f"Organizations does not know {about}") from error
                raise spoke_error(told, f"Organizations was asked about {about} ({operation})") from error
            return answer


async def _nothing() -> None:
    """What nobody wants to know."""


class _Remembered(Generic[T]):
    """Answers by key, each asked for once however many wait for it."""

    def __init__(self, ask: Callable[[str], Awaitable[T]]) -> None:
        self._ask = ask
        self._known: dict[str, tuple[T, float]] = {}
        self._asking: dict[str, asyncio.Task[T]] = {}
        self._failures: dict[str, tuple[SpokeError, float]] = {}

    async def of(self, key: str) -> T:
        """
        Raises:
            SpokeError: Organizations did not answer, now or a few seconds ago.
        """
        known = self._known.get(key)
        # By the clock on the wall: the monotonic one may stand still while Lambda has the process frozen.
        if known is not None and 0 <= time.time() - known[1] <= FACTS_SECONDS:
            return known[0]
        asking = self._asking.get(key)
        if asking is None:
            for about in (key, _EVERYTHING):
                error, failed_at = self._failures.get(about, (None, 0.0))
                if error is not None and 0 <= time.time() - failed_at <= ASK_AGAIN_SECONDS:
                    raise error
            asking = self._asking[key] = asyncio.create_task(self._look(key))
            asking.add_done_callback(lambda task: self._ended(key, task))
        return await asyncio.shield(asking)

    def _ended(self, key: str, task: asyncio.Task[T]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            # Whoever waited may be gone by now, and then nobody would ever have looked at it.
            task.exception()

    async def _look(self, key: str) -> T:
        try:
            found = await self._ask(key)
        except SpokeError as error:
            self._failures[key if isinstance(error, _NotThere) else _EVERYTHING] = error, time.time()
            raise
        self._known[key] = found, time.time()
        return found
