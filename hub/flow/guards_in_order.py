"""Which guards are asked, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

from hub.aws.account import utc_now
from hub.aws.accounts import HubIdentity
from hub.aws.actors import last_actors
from hub.aws.directory import Directory
from hub.aws.live_tags import live_tags
from hub.flow.kit import RulesInForce
from hub.guards import ChangeGuard, Guard
from hub.guards.approval import Approval
from hub.guards.breaker import Breakers
from hub.guards.budget import Budgets
from hub.guards.exempt import Exempt, ExemptNow
from hub.guards.flapping import Flapping
from hub.guards.managed import ManagedResources
from hub.guards.mode import Mode
from hub.guards.opted_out import OptedOut, OptedOutNow
from hub.guards.optional import Optional
from hub.guards.own_resources import OwnResources, OwnResourcesNow
from hub.guards.repeat import Repeat
from hub.guards.resource_memory import Recall
from hub.guards.ruled_out import RuledOut
from hub.guards.scope import Scope
from hub.guards.tags_now import TagsNow
from hub.guards.taken_back import TakenBack
from hub.guards.window import Windows
from hub.journals import Journal
from hub.rules.guard_model import GuardRules
from hub.settings import DeploymentMode, Settings


@dataclass(frozen=True, slots=True)
class Guards:
    """Guards by when they are asked.

    Attributes:
        before_undo: of those before a look. Not asked are such as hold back fixes: the way back is always open.
    """

    before_look: tuple[Guard, ...]
    before_undo: tuple[Guard, ...]
    before_change: tuple[ChangeGuard, ...]


def guards_of(
    settings: Settings, identity: HubIdentity, directory: Directory, journal: Journal, rules: RulesInForce
) -> Guards:
    """The guards of a hub."""

    def current() -> GuardRules:
        return rules.current().rules.guards

    tags_now, recall = TagsNow(current, live_tags), Recall(journal)
    own = OwnResources(settings, identity)
    # Organizations knows the tags of accounts, a list of accounts does not.
    account_tags = settings.deployment_mode is DeploymentMode.MULTI and not settings.accounts
    opted_out = OptedOut()
    others: tuple[Guard, ...] = (
        Scope(current, settings, identity, directory),
        Optional(settings.optional_bots),
        own,
        Mode(current, dry_run=settings.dry_run),
    )
    return Guards(
        # First those that ask nobody.
        before_look=(RuledOut(), opted_out, Exempt(current, utc_now, account_tags=account_tags), *others),
        before_undo=(opted_out, *others),
        before_change=(
            # First those that end a step for good, then those that let it wait; last what counts.
            OptedOutNow(tags_now),
            OwnResourcesNow(own, tags_now),
            ExemptNow(tags_now),
            ManagedResources(current, tags_now),
            TakenBack(recall),
            Flapping(current, recall, last_actors),
            Repeat(journal),
            Approval(current),
            Windows(current),
            Breakers(current, journal),
            Budgets(current, journal),
        ),
    )
