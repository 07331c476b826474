"""Reads of one API about several targets of one account and region go out as one call.

Many findings of one account ask the same API, each about its own target, and wait for the same bucket of
requests. Those that wait together ask together, and each gets only what is about its own targets. Nobody
waits for company while the account is quiet: a read goes out at once unless another of its kind is on
its way.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bots._aws import AwsError
from hub.aws.errors import THROTTLED
from hub.noting import Notes, current, noting

GATHER_SECONDS = 0.003
MOST_IDS = 50
# Parameters that do not choose what is read.
_HARMLESS = ("IncludeDisabled", "MaxResults")

Params = Mapping[str, Any]
Answer = dict[str, Any]
Send = Callable[[Callable[[], Params]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Api:
    """How an API is asked about several targets.

    Attributes:
        ids: the parameter that lists them.
        by_filter: the filter that lists them, of an API that has no such parameter.
        items: the list in the answer.
        about: the key of an item that says which target it is about.
        inner: the items are groups of these.
    """

    ids: str = ""
    by_filter: str = ""
    items: str
    about: str
    inner: str = ""


_APIS = {
    ("ec2", "DescribeImages"): _Api(ids="ImageIds", items="Images", about="ImageId"),
    ("ec2", "DescribeInstances"): _Api(
        ids="InstanceIds", items="Reservations", inner="Instances", about="InstanceId"
    ),
    ("ec2", "DescribeSecurityGroupRules"): _Api(
        by_filter="group-id", items="SecurityGroupRules", about="GroupId"
    ),
    ("ec2", "DescribeSecurityGroups"): _Api(ids="GroupIds", items="SecurityGroups", about="GroupId"),
    ("ec2", "DescribeTags"): _Api(by_filter="resource-id", items="Tags", about="ResourceId"),
    ("ec2", "DescribeVpcs"): _Api(ids="VpcIds", items="Vpcs", about="VpcId"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A read that others can join.

    Attributes:
        kind: what two reads must have in common to go out together, besides whose they are.
        ids: the targets it is about.
    """

    kind: Hashable
    ids: frozenset[str]
    api: _Api
    rest: Params

    def about(self, ids: frozenset[str]) -> Params:
        """The same read about these targets."""
        listed = sorted(ids)
        if self.api.ids:
            return {**self.rest, self.api.ids: listed}
        return {**self.rest, "Filters": [{"Name": self.api.by_filter, "Values": listed}]}

    def own(self, answer: Answer) -> Answer:
        """The part of the answer that is about its own targets."""
        api = self.api
        if not api.inner:
            own = [item for item in answer.get(api.items, ()) if item.get(api.about) in self.ids]
            return {**answer, api.items: own}
        groups = []
        for group in answer.get(api.items, ()):
            inside = [item for item in group.get(api.inner, ()) if item.get(api.about) in self.ids]
            if inside:
                groups.append({**group, api.inner: inside})
        return {**answer, api.items: groups}


def question(service: str, operation: str, params: Params) -> Question | None:
    """The call as one that others can join; None for those that go alone."""
    api = _APIS.get((service, operation))
    if api is None or not params.keys() <= {api.ids or "Filters", *_HARMLESS}:
        return None
    if api.ids:
        asked, ids = api.ids, params.get(api.ids)
    else:
        asked, filters = "Filters", params.get("Filters", ())
        if len(filters) != 1 or filters[0]["Name"] != api.by_filter:
            return None
        ids = filters[0]["Values"]
    # A filter's value may be a pattern, and an answer to it is about other ids than were asked for.
    if not ids or any("*" in each or "?" in each for each in ids):
        return None
    rest = {name: value for name, value in params.items() if name != asked}
    return Question((service, operation, repr(sorted(rest.items()))), frozenset(ids), api, rest)


@dataclass(slots=True)
class _Batch:
    """Reads that go out together.

    ``outcome``: the answer, an error that all have in common, or None. ``notes``: the requests it took.
    """

    ids: frozenset[str]
    members: int = 1
    notes: Notes = field(default_factory=Notes)
    outcome: asyncio.Future[Answer | AwsError | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Merger:
    """Brings reads together. What it knows of an account is gone when nothing of it is on its way."""

    def __init__(self) -> None:
        self._open: dict[Hashable, _Batch] = {}
        self._on_the_way: Counter[Hashable] = Counter()

    async def ask(self, whose: Hashable, asked: Question, send: Send) -> Answer | None:
        """The answer about the question's own targets.

        Args:
            whose: what shares a session and a region.
            send: makes the call; takes the parameters at the last moment, when nothing can join any more.

        Returns:
            None: they must be asked about alone, for what AWS said is true of the whole batch only (one of
            its targets does not exist, or the answer has more than a page).

        Raises:
            AwsError: AWS throttled the call, or refused it and nobody else was asked about.
        """
        key = (whose, asked.kind)
        batch = self._open.get(key)
        if batch is not None and len(batch.ids | asked.ids) <= MOST_IDS:
            batch.ids |= asked.ids
            batch.members += 1
            outcome = await asyncio.shield(batch.outcome)
        else:
            batch = self._open[key] = _Batch(asked.ids)
            outcome = await self._lead(key, batch, asked, send)
        if (mine := current()) is not None:
            mine.of_many(batch.notes, shared=batch.members > 1)
        if isinstance(outcome, AwsError):
            raise outcome
        if outcome is None or batch.members == 1:
            return outcome
        # Of many targets one page may not hold everything about each.
        return None if outcome.get("NextToken") else asked.own(outcome)

    async def _lead(
        self, key: Hashable, batch: _Batch, asked: Question, send: Send
    ) -> Answer | AwsError | None:
        def sealed() -> Params:
            self._close(key, batch)
            return asked.about(batch.ids)

        quiet = not self._on_the_way[key]
        self._on_the_way[key] += 1
        outcome: Answer | AwsError | None = None
        try:
            if not quiet:
                await asyncio.sleep(GATHER_SECONDS)
            with noting() as batch.notes:
                outcome = await send(sealed)
        except AwsError as error:
            if batch.members == 1 or error.code in THROTTLED:
                outcome = error
        finally:
            self._close(key, batch)
            self._on_the_way[key] -= 1
            if not self._on_the_way[key]:
                del self._on_the_way[key]
            batch.outcome.set_result(outcome)
        return outcome

    def _close(self, key: Hashable, batch: _Batch) -> None:
        if self._open.get(key) is batch:
            del self._open[key]
