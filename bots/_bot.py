"""The contract of a bot: what its file must declare and the three functions it may have.

A bot is one file. Its header (a `Bot`) tells a reviewer what it reads, what it writes, how risky it is
and whether it can be undone; ``check`` is the only reader, ``fix`` and ``undo`` the only writers.
The hub runs ``check`` three times: to decide, to save what was there, and to prove the result.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from bots._aws import Aws
from bots._locate import Locate
from bots._locate import account as account  # noqa: PLC0414 - headers are written with these
from bots._locate import entity as entity  # noqa: PLC0414
from bots._locate import entity_or_account as entity_or_account  # noqa: PLC0414


class Params(BaseModel):
    """Parameters of a bot: frozen, unknown names refused. Field order is the positional order."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoParams(Params):
    """For bots that take no parameters."""


class RawWords(Params):
    """The finding's words as they came, for bots that read them by themselves."""

    words: tuple[str, ...] = ()
    suggested_policy: str | None = None


class Before(BaseModel):
    """What a bot must keep to put a resource back. Survives JSON unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Params)
B = TypeVar("B", bound=Before)


class Risk(StrEnum):
    """How much a fix can hurt, in rising order."""

    ADDITIVE = "additive"  # adds something nothing depends on (a tag)
    CONFIG_CHANGE = "config-change"  # changes how a resource behaves
    ACCESS_REMOVAL = "access-removal"  # somebody may lose access
    DISRUPTIVE = "disruptive"  # something running stops
    DESTRUCTIVE = "destructive"  # something is deleted

    @property
    def rank(self) -> int:
        """0 for the mildest; for comparing risks."""
        return list(Risk).index(self)


@dataclass(frozen=True, slots=True)
class Undo(Generic[B]):
    """How far a fix can be taken back.

    exact: the snapshot after an undo equals the one saved before the fix.
    nearest: AWS cannot go all the way back; ``expects`` says which snapshot an undo ends with.
    none: nothing can be put back by the hub; ``why`` says so, the journal keeps what a person needs.
    """

    degree: Literal["exact", "nearest", "none"]
    why: str = ""
    expects: Callable[[B], B] | None = None

    @classmethod
    def exact(cls) -> Self:
        return cls("exact")

    @classmethod
    def nearest(cls, why: str, expects: Callable[[B], B]) -> Self:
        return cls("nearest", why, expects)

    @classmethod
    def none(cls, why: str) -> Self:
        return cls("none", why)


class TargetGone(Exception):
    """The resource of the finding does not exist (any more)."""


class CannotFix(Exception):
    """The bot looked and will not change the resource; the text says why and what a person can do."""


class Unproven(Exception):
    """The fix ended, and nothing can be read that would prove it; the text says what is known."""


class TryLater(Exception):
    """AWS has not got there yet: a log that lags, a resource that is still shutting down.

    The hub puts the finding back and calls the bot again after ``seconds``, check first, until its
    patience ends. A fix may raise it halfway; called again it goes on where AWS stands by then.
    """

    def __init__(self, awaited: str, *, seconds: float = 60.0) -> None:
        super().__init__(awaited)
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The one resource a step is about, as resolved by the hub.

    ``entity`` holds what the bot's ``entity_keys`` name of the finding's entity and nothing else; it
    is somebody's word, never proof. ``event_time`` is when the logged call behind the finding was
    made (``2026-03-20T05:40:42Z``), ``occurrence`` identifies this one report of the finding,
    ``rule_document`` is the finding's rule as received, for bots in the old shape.
    """

    account_id: str
    region: str
    partition: str
    type: str  # CloudFormation type name
    id: str
    name: str = ""
    entity: Mapping[str, Any] = field(default_factory=dict)
    event_time: str | None = None
    occurrence: str = ""
    rule: str = ""
    rule_document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check(Generic[B]):
    """What a look at the live resource found.

    Attributes:
        compliant: nothing needs doing.
        before: snapshot of everything fix and undo touch.
        why: one sentence for the report, about what was seen.
        region: where the resource really lives, when the finding could not say.
        notes: things a person should know (residual exposure, costs).
        target_id: the resource's real id, when the finding named it otherwise or not at all. An undo
            gets it as the target.
        touches: what else fix will change, as pairs of CloudFormation type name and id, so that the
            hub's guards can say no to it (the role of a function, the users of an account).
    """

    compliant: bool
    before: B
    why: str
    region: str | None = None
    notes: tuple[str, ...] = ()
    target_id: str | None = None
    touches: tuple[tuple[str, str], ...] = ()


class Action(str):
    """An IAM action, ``s3:GetBucketPolicy``, that is narrowed to ARN patterns."""

    __slots__ = ("resources",)

    def __new__(cls, name: str, resources: tuple[str, ...]) -> Self:
        action = super().__new__(cls, name)
        action.resources = resources
        return action

    resources: tuple[str, ...]


def on(resources: tuple[str, ...], *actions: str) -> tuple[str, ...]:
    """The actions, narrowed to ARN patterns; ``{partition}`` and ``{account}`` are filled in later."""
    return tuple(Action(action, resources) for action in actions)


_EXAMPLE = "Finding: "
CheckFunction = Callable[[Aws, Target, P], Awaitable[Check[B]]]
FixFunction = Callable[[Aws, Target, P, B], Awaitable[None]]
UndoFunction = Callable[[Aws, Target, B], Awaitable[None]]


@dataclass(kw_only=True)
class Bot(Generic[P, B]):
    """Header of a bot. Filled in once at import, then only read.

    Attributes:
        name: the file's stem and the word in the finding.
        acts_on: CloudFormation type name.
        target: where the finding names the resource.
        reads: IAM actions that check may use (access level Read or List). Those that AWS can narrow are
            given by `on`; a plain word needs ``*``.
        writes: IAM actions that fix and undo may use besides ``reads``, in the same way.
        passes: service principal -> ARN patterns of the roles the bot hands to that service. Goes with
            ``iam:PassRole`` among the writes.
        is_global: the service has one API for all regions; the bot runs in the partition's main region.
        optional: off unless the hub's settings name it.
        entity_keys: what check reads of the finding's entity besides the target; kept for undo.
        creates: what fix may leave behind that was not there, for people.
        aliases: former or misspelt names findings use.
    """

    name: str
    acts_on: str
    target: Locate
    params: type[P]
    before: type[B]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    risk: Risk
    undo: Undo[B]
    passes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_global: bool = False
    optional: bool = False
    entity_keys: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    _check: CheckFunction[P, B] | None = field(default=None, init=False, repr=False)
    _fix: FixFunction[P, B] | None = field(default=None, init=False, repr=False)
    _undo: UndoFunction[B] | None = field(default=None, init=False, repr=False)

    def check(self, function: CheckFunction[P, B]) -> CheckFunction[P, B]:
        """Decorator: the only reader; must not write."""
        self._check = function
        return function

    def fix(self, function: FixFunction[P, B]) -> FixFunction[P, B]:
        """Decorator: makes the resource compliant; called only on a violation."""
        self._fix = function
        return function

    def undo_with(self, function: UndoFunction[B]) -> UndoFunction[B]:
        """Decorator: puts back what ``before`` holds."""
        self._undo = function
        return function

    @property
    def actions(self) -> tuple[str, ...]:
        """Every IAM action the bot declares, reads first."""
        return self.reads + self.writes

    @property
    def resources(self) -> dict[str, tuple[str, ...]]:
        """ARN patterns of every action that is narrowed."""
        narrowed: dict[str, tuple[str, ...]] = {}
        for action in self.actions:
            if isinstance(action, Action):
                narrowed[str(action)] = tuple(dict.fromkeys((*narrowed.get(action, ()), *action.resources)))
        return narrowed

    @property
    def paragraphs(self) -> list[str]:
        """The docstring of the bot's file without examples: what it does, then remarks."""
        return "\n".join(line for line in self._doc if not line.startswith(_EXAMPLE)).strip().split("\n\n")

    @property
    def examples(self) -> tuple[str, ...]:
        """The bot as findings write it: the docstring's lines ``Finding: ...``, or the mere name."""
        found = tuple(line.removeprefix(_EXAMPLE) for line in self._doc if line.startswith(_EXAMPLE))
        return found or (self.name,)

    @property
    def _doc(self) -> list[str]:
        assert self._check is not None
        return (sys.modules[self._check.__module__].__doc__ or "").splitlines()

    def kept_of(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """What `entity_keys` name of a finding's entity."""
        return {key: found[key] for key in self.entity_keys if key in found}

    async def run_check(self, aws: Aws, target: Target, params: P) -> Check[B]:
        assert self._check is not None, f"{self.name} has no check"
        return await self._check(aws, target, params)

    async def run_fix(self, aws: Aws, target: Target, params: P, before: B) -> None:
        assert self._fix is not None, f"{self.name} has no fix"
        await self._fix(aws, target, params, before)

    async def run_undo(self, aws: Aws, target: Target, before: B) -> None:
        assert self._undo is not None, f"{self.name} has no undo"
        await self._undo(aws, target, before)

    def expected_after_undo(self, before: B) -> B:
        """The snapshot an undo must end with."""
        return self.undo.expects(before) if self.undo.expects else before


AnyBot = Bot[Any, Any]
