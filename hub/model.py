"""The values that travel between the stages of the flow. All frozen; nothing here knows the hub.

bytes -> Message -> Finding -> Step* -> Verdict -> Run -> Report
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import SecretStr

from bots._bot import AnyBot, Params, Target
from hub.outcome import Outcome as Outcome  # noqa: PLC0414 - one of the values that travel
from hub.verdict import Answer as Answer  # noqa: PLC0414 - and these
from hub.verdict import Decision as Decision  # noqa: PLC0414
from hub.verdict import Verdict as Verdict  # noqa: PLC0414

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that arrived, unwrapped from its envelope.

    Attributes:
        body: the finding as text.
        message_id: the sender's id (SNS or SQS), "" for files.
        origin: where it came from, for people ("queue d9-findings", "findings.json line 3").
        again: it was delivered before.
        nonce: "" when the same body must run once only (queues); a run's own mark when a person asked.
    """

    body: str
    message_id: str = ""
    origin: str = ""
    nonce: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A bot a finding or a rule asks for, in their own words."""

    bot: str
    args: tuple[str, ...] = ()
    source: Literal["compliance tag", "remediation action", "remediation rule"] = "remediation action"
    suggested_policy: str | None = None

    @property
    def text(self) -> str:
        """As a finding would write it, for people."""
        return " ".join((self.bot, *(f'"{a}"' if not a or " " in a else a for a in self.args)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Where CloudGuard wants to hear how it went. The key is a credential."""

    url: str
    key: SecretStr
    stream: str
    partition_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding of any dialect in the hub's words.

    ``occurrence`` identifies this one report of the finding: equal for redeliveries of one message,
    different when the finding comes back later. ``region`` and ``rule_document`` are as received.
    ``notes`` are remarks of the dialect about what it had to bend or leave out.
    """

    dialect: str
    occurrence: str
    key: str
    passed: bool
    account_id: str
    account_name: str = ""
    vendor: str = ""
    region: str = ""
    rule: str = ""
    rule_id: str = ""
    ruleset: str = ""
    severity: str = ""
    rule_document: Mapping[str, Any] = field(default_factory=dict)
    entity: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    report_time: str = "N.A"
    event_time: str | None = None
    execution_id: str | None = None
    dome9_account_id: str | None = None
    feedback: Feedback | None = None
    notes: tuple[str, ...] = ()

    @property
    def entity_id(self) -> str | None:
        value = self.entity.get("id")
        return None if value is None else str(value)

    @property
    def entity_name(self) -> str | None:
        value = self.entity.get("name")
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What is known of a finding's account besides its id.

    Attributes:
        ous: ids and paths of every organizational unit it is in, the outer ones too; None when not known.
        tags: the account's tags; None when not known.
    """

    ous: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One due bot of a finding, planned. Either ready (bot, params, target) or a ``problem``.

    ``run_id`` is derived from occurrence, bot and parameters: every worker that plans a message gets the same
    ids. ``refusal`` is why rules do not let it run, ``decided_by`` the rule or stance.

    Attributes:
        needs_approval: why a person has to say yes before it may change anything, "" if nobody has to.
        resumes: the run that waited, which this one goes on with.
        answer: what a person said to that.
        expected: the state of the resource that was shown to that person, or that a saved plan was made for.
        expected_at: id and region of that resource.
    """

    run_id: str
    finding: Finding
    action: Action
    bot: AnyBot | None = None
    params: Params | None = None
    target: Target | None = None
    problem: str | None = None
    decided_by: str = ""
    refusal: str | None = None
    needs_approval: str = ""
    facts: AccountFacts = field(default_factory=AccountFacts)
    resumes: str | None = None
    answer: Answer | None = None
    expected: Json | None = None
    expected_at: tuple[str, str] | None = None

    def at(self, target_id: str) -> Step:
        """The same step about the resource of that id."""
        assert self.target is not None
        return replace(self, target=replace(self.target, id=target_id))

    @property
    def lane(self) -> str:
        """What must not be worked on twice at a time: account, region and resource."""
        assert self.target is not None
        return f"{self.target.account_id}/{self.target.type}/{self.target.id}"


class Call(NamedTuple):
    """A request that went to AWS, without what was asked and answered.

    Attributes:
        at: when it was sent, in seconds since 1970.
        service: botocore's name.
        request_id: AWS's, as CloudTrail has it; "" if AWS did not answer.
        status: of HTTP; 0 if AWS did not answer.
        error: AWS's code, or the hub's (``Network``); "" if all went well.
        shared: one request answered reads of several findings.
    """

    at: float
    service: str
    operation: str
    region: str
    request_id: str
    status: int
    error: str
    shared: bool


class PlannedCall(NamedTuple):
    """A call that a fix would make. What only an earlier answer can tell stands there as ``<of Operation: Key>``."""

    service: str
    operation: str
    region: str
    params: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One step as the journal keeps it, and one entry of the report.

    Open (``outcome`` None) from before the first change until the outcome is recorded. ``before`` is the bot's
    snapshot as JSON, ``after`` the snapshot that proved the outcome. ``fence`` is the lease's number of whoever
    wrote last; older workers are refused. ``session`` is the role session name to search for in CloudTrail.
    ``undo`` is "exact", "nearest" or "none". ``undo_of`` is the run this one takes back, ``undone_by`` the run
    that took this one back. ``entity``, ``event_time`` and ``suggested_policy`` are what the bot was told of the
    finding, for an undo to look again. ``decided_by`` is the rule or stance that decided.

    Of a run that waits: ``finding`` is what is kept of it to go on with, ``planned`` what would be called.
    ``resumes`` is the run that waited before this one, ``approved_by`` who said that it may go on.
    """

    run_id: str
    occurrence: str
    finding_key: str
    account_id: str
    account_name: str = ""
    region: str = ""
    rule: str = ""
    severity: str = ""
    entity_id: str | None = None
    entity_name: str | None = None
    bot: str
    args: tuple[str, ...] = ()
    target_type: str = ""
    target_id: str = ""
    partition: str = "aws"
    entity: Json = field(default_factory=dict)
    event_time: str | None = None
    suggested_policy: str | None = None
    outcome: Outcome | None = None
    message: str = ""
    changed: bool = False
    undo: str = "none"
    before: Json | None = None
    after: Json | None = None
    notes: tuple[str, ...] = ()
    session: str = ""
    # The words of the guards that were asked, and what went to AWS: the first calls, and how many more there
    # were. None in a record of a hub that did not keep them.
    verdicts: tuple[Verdict, ...] | None = None
    calls: tuple[Call, ...] | None = None
    calls_left_out: int = 0
    fence: int = 0
    opened_at: datetime
    closed_at: datetime | None = None
    undo_of: str | None = None
    undone_by: str | None = None
    decided_by: str = ""
    finding: Json | None = None
    planned: tuple[PlannedCall, ...] | None = None
    resumes: str | None = None
    approved_by: str = ""

    @property
    def seconds(self) -> float:
        """How long the run took, 0 while it is open."""
        return (self.closed_at - self.opened_at).total_seconds() if self.closed_at else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is published about one finding: an entry for every due bot, in every outcome.

    ``report_id`` is derived from the occurrence, so a report published twice has one id.
    ``error`` is set when the finding as a whole could not be handled; ``runs`` may then be empty.
    """

    report_id: str
    finding: Finding
    runs: tuple[Run, ...]
    error: str | None = None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(run.outcome or Outcome.INTERRUPTED for run in self.runs)
