"""A whole hub without AWS, for tests of any order of events: accounts in memory, workers that die, time that flies.

Bots change `Thing`s. At every change the world looks whether it was allowed: the journal must hold the open record
with what was there before, and every guard must have let it pass.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bots._aws import Aws
from bots._bot import AnyBot, Before, Bot, Check, NoParams, Risk, Target, TryLater, Undo, entity_or_account
from bots._catalogue import Catalogue
from hub.flow.kit import Kit
from hub.guards import ChangeGuard, Guard
from hub.guards.approval import Approval
from hub.guards.breaker import Breakers
from hub.guards.budget import Budgets
from hub.guards.flapping import Actor, Flapping
from hub.guards.mode import Mode
from hub.guards.repeat import Repeat
from hub.guards.resource_memory import Recall
from hub.guards.ruled_out import RuledOut
from hub.guards.taken_back import TakenBack
from hub.guards.window import Windows
from hub.journals.memory import MemoryJournal
from hub.leases import Leases
from hub.model import Message, Report, Run
from hub.noting import current
from hub.rules.decide import Decider
from hub.rules.guard_model import GuardRules
from hub.rules.model import RuleSet
from hub.settings import Settings
from hub.sinks.metrics import MetricsSink
from tests.virtual_time import VirtualLoop

ACCOUNT = "222233334444"
WORKER = "arn:aws:sts::111122223333:assumed-role/hub/worker"
EPOCH = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
LEASE_SECONDS = 60.0
SETTINGS = Settings.load(
    deployment_mode="multi", proof_seconds=0, lease_seconds=LEASE_SECONDS, patience_seconds=600
)
GOOD = 2
BAD = 0
HALF = 1


class Dead(BaseException):
    """The worker's process has ended: nothing of it runs or writes from here on."""


class Value(Before):
    value: int
    shade: int


@dataclass
class Thing:
    """``value`` is what bots mind; ``shade`` is what only people change."""

    value: int = BAD
    shade: int = 0


@dataclass
class Life:
    """How many calls a worker makes before it dies; None: it lives."""

    calls: int | None = None

    def one_more(self) -> None:
        if self.calls is not None:
            self.calls -= 1
            if self.calls < 0:
                raise Dead


class MortalJournal:
    """The journal as one worker reaches it."""

    def __init__(self, journal: MemoryJournal, life: Life, opened: Counter[str]) -> None:
        self._journal = journal
        self._opened = opened
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._journal, name)
        if name in ("runs", "shelf"):
            return method

        async def called(*args: Any, **more: Any) -> Any:
            # It may die before the writing, or before it learns of it.
            self._life.one_more()
            answer = await method(*args, **more)
            if name == "open":
                self._opened[args[0].run_id] += 1
            self._life.one_more()
            return answer

        return called


@dataclass(frozen=True)
class Entered:
    """An account somebody is in. Only what bots and the flow use of it."""

    account_id: str
    region: str
    partition: str
    run_id: str
    world: World
    life: Life
    session: str = "session"

    @property
    def now(self) -> datetime:
        return self.world.now()

    def note(self, operation: str) -> None:
        """As a real account notes what it sends."""
        notes = current()
        assert notes is not None
        notes.sent(self.now.timestamp(), "s3", operation, self.region)


@dataclass
class World:
    """Everything that is there but the workers."""

    loop: VirtualLoop
    things: dict[str, Thing] = field(default_factory=lambda: {name: Thing() for name in ("one", "two")})
    guards: GuardRules = field(default_factory=GuardRules)
    reports: list[Report] = field(default_factory=list)
    changes: list[tuple[str, str]] = field(default_factory=list)
    stubborn: bool = False
    wrong: list[str] = field(default_factory=list)
    opened: Counter[str] = field(default_factory=Counter)
    put_off: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.journal = MemoryJournal(now=self.now)
        self.catalogue = Catalogue({bot.name: _just(bot) for bot in (self.bot("mend"), self.bot("wipe"))})
        self.decider = Decider(RuleSet(file=""), self.catalogue)

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.loop.time())

    def bot(self, name: str) -> AnyBot:
        """``mend`` is harmless, ``wipe`` destructive; else they are the same."""
        bot = Bot(
            name=name,
            acts_on="AWS::S3::Bucket",
            target=entity_or_account("id"),
            params=NoParams,
            before=Value,
            reads=("s3:GetBucketVersioning",),
            writes=("s3:PutBucketVersioning",),
            risk=Risk.ADDITIVE if name == "mend" else Risk.DESTRUCTIVE,
            undo=Undo.exact(),
        )

        @bot.check
        async def check(aws: Aws, target: Target, params: NoParams) -> Check[Value]:
            there = cast("Entered", aws)
            there.life.one_more()
            thing = self.things[target.id]
            seen = Value(value=thing.value, shade=thing.shade)
            return Check(compliant=thing.value == GOOD, before=seen, why=f"the value is {thing.value}")

        @bot.fix
        async def fix(aws: Aws, target: Target, params: NoParams, before: Value) -> None:
            there = cast("Entered", aws)
            thing = self.things[target.id]
            with self.noted():
                await self.allowed(there.run_id, bot, thing)
            for value in (HALF, GOOD):
                there.life.one_more()
                self.changes.append((there.run_id, target.id))
                thing.value = value
                there.note("PutBucketVersioning")
                there.life.one_more()
                if value == HALF and self.stubborn:
                    self.put_off.add(there.run_id)
                    raise TryLater("it takes its time", seconds=30)

        @bot.undo_with
        async def undo(aws: Aws, target: Target, before: Value) -> None:
            there = cast("Entered", aws)
            there.life.one_more()
            with self.noted():
                await self.recorded(there.run_id)
            self.changes.append((there.run_id, target.id))
            self.things[target.id].value = before.value
            self.things[target.id].shade = before.shade
            there.life.one_more()

        return bot

    @contextmanager
    def noted(self) -> Iterator[None]:
        """What is asserted inside a bot would only become the outcome of its run."""
        try:
            yield
        except AssertionError as error:
            self.wrong.append(str(error).splitlines()[0])

    async def recorded(self, run_id: str) -> Run:
        """The open record that must be there before anything is changed."""
        run = await self.journal.get(run_id)
        assert run is not None, "changed without an entry in the journal"
        assert run.outcome is None, "changed under a run that has ended"
        assert run.before is not None, "changed without the state from before"
        return run

    async def allowed(self, run_id: str, bot: AnyBot, thing: Thing) -> None:
        """Whether a fix may begin now."""
        run = await self.recorded(run_id)
        seen = {"value": thing.value, "shade": thing.shade}
        # Of what was opened before nobody can tell who has changed it since, so the first state stays.
        if self.opened[run_id] == 1:
            assert run.before == seen, "the journal keeps another state than the one that is changed"
        assert not any(entry.mode == "off" for entry in self.guards.modes), "the hub is off"
        if run_id in self.put_off:
            return
        frozen = [each for each in self.guards.freezes if each.starts <= self.now() < each.ends]
        assert not frozen, "changed in a freeze"
        if bot.risk is Risk.DESTRUCTIVE:
            await self.approved(run, seen)

    async def approved(self, run: Run, seen: Mapping[str, int]) -> None:
        """A person must have said yes to this very state, and no other than the worker asked for it."""
        assert run.approved_by not in ("", WORKER), "destroyed without a person's yes"
        waited = run.resumes and await self.journal.get(run.resumes)
        assert waited, "approved, but nothing waited for it"
        assert (waited.after or waited.before) == seen, "approved was another state"

    def message(self, bot: str, thing: str, number: int) -> Message:
        """A finding; another number is another occurrence of it."""
        told = {
            "status": "Failed",
            "reportTime": f"2026-11-02T08:14:27.{number:03}Z",
            "findingKey": f"key-{thing}",
            "rule": {"name": "a rule", "severity": "High", "complianceTags": ""},
            "account": {"id": ACCOUNT, "name": "workload", "vendor": "AWS"},
            "entity": {"type": "S3Bucket", "region": "", "id": thing},
            "remediationActions": [bot],
        }
        return Message(body=json.dumps(told))


class Worker:
    """A process of the hub; it may die after some calls."""

    def __init__(self, world: World, life: Life) -> None:
        self._world = world
        self._life = life
        self._stack = AsyncExitStack()
        journal: Any = MortalJournal(world.journal, life, world.opened)
        self._leases = Leases(journal, seconds=LEASE_SECONDS)
        current = lambda: world.guards  # noqa: E731 - as a hub hands its rules to guards
        recall = Recall(journal)
        always: tuple[Guard, ...] = (Mode(current, dry_run=False),)
        change: tuple[ChangeGuard, ...] = (
            TakenBack(recall),
            Flapping(current, recall, _nobody_knows),
            Repeat(journal),
            Approval(current),
            Windows(current),
            Breakers(current, journal),
            Budgets(current, journal),
        )
        self.kit = Kit(
            settings=SETTINGS,
            identity=cast("Any", self),
            directory=cast("Any", self),
            accounts=cast("Any", self),
            roles=cast("Any", self),
            facts=cast("Any", self),
            journal=journal,
            leases=self._leases,
            guards=(RuledOut(), *always),
            undo_guards=always,
            change_guards=change,
            sinks=(cast("Any", self),),
            metrics=MetricsSink(""),
            rules=world.decider,
            catalogue=world.catalogue,
            now=world.now,
        )

    async def __aenter__(self) -> Worker:
        await self._stack.enter_async_context(self._leases)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def caller(self) -> dict[str, str]:
        return {"Account": "111122223333", "Arn": WORKER}

    async def account_id(self) -> str:
        return "111122223333"

    async def partition(self) -> str:
        return "aws"

    async def enter(
        self, account_id: str, region: str, partition: str, *, bot: AnyBot, run_id: str
    ) -> Entered:
        self._life.one_more()
        return Entered(account_id, region, partition, run_id, self._world, self._life)

    async def publish(self, report: Report) -> None:
        self._life.one_more()
        self._world.reports.append(report)
        self._life.one_more()


async def _nobody_knows(*_: object) -> tuple[Actor, ...]:
    return ()


def _just(bot: AnyBot) -> Any:
    return lambda: bot


def by_person(kit: Kit, who: str) -> Kit:
    """The hub as a person runs it on the command line."""

    class Person:
        async def caller(self) -> dict[str, str]:
            return {"Account": "111122223333", "Arn": who}

        async def partition(self) -> str:
            return "aws"

    return replace(kit, identity=cast("Any", Person()))
