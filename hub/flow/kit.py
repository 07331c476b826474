"""What the stages work with, put together once by `hub.app` and handed down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bots._catalogue import Catalogue
from hub.aws.account import utc_now
from hub.aws.accounts import Accounts, HubIdentity
from hub.aws.directory import Directory
from hub.aws.organization_facts import OrganizationFacts
from hub.aws.spoke_roles import SpokeRoles
from hub.guards import ChangeGuard, Guard
from hub.journals import Journal
from hub.leases import Leases
from hub.rules.decide import Decider
from hub.settings import Settings
from hub.sinks import Sink
from hub.sinks.metrics import MetricsSink


class RulesInForce(Protocol):
    """Where rules come from."""

    def current(self) -> Decider:
        """The rules in force."""
        ...

    async def refresh(self) -> None:
        """See whether they have changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """Dependencies of the flow. ``now`` gives aware datetimes."""

    settings: Settings
    identity: HubIdentity
    directory: Directory
    accounts: Accounts
    roles: SpokeRoles
    journal: Journal
    leases: Leases
    facts: OrganizationFacts
    guards: tuple[Guard, ...]
    undo_guards: tuple[Guard, ...]
    sinks: tuple[Sink, ...]
    metrics: MetricsSink
    rules: RulesInForce
    change_guards: tuple[ChangeGuard, ...] = ()
    catalogue: Catalogue = field(default_factory=Catalogue)
    now: Callable[[], datetime] = utc_now
