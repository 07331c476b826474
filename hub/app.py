"""Puts a hub together from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from bots._catalogue import Catalogue
from bots._own import catalogue
from hub import flow
from hub.aws.accounts import Accounts, HubIdentity
from hub.aws.clients import Clients
from hub.aws.directory import Directory
from hub.aws.old_bots import run_in_thread
from hub.aws.spoke_roles import SpokeRoles
from hub.aws.throttle import Pacer
from hub.errors import SettingsWrong
from hub.flow.kit import Kit, RulesInForce
from hub.flow.undo import undo
from hub.guards.approval import Approval
from hub.guards.mode import Mode
from hub.guards.opted_out import OptedOut
from hub.guards.optional import Optional
from hub.guards.own_resources import OwnResources
from hub.guards.ruled_out import RuledOut
from hub.guards.scope import Scope
from hub.journals.choose import open_journal
from hub.leases import Leases
from hub.model import Message, Report, Run
from hub.rules.decide import Decider
from hub.rules.model import RuleSet
from hub.settings import Settings
from hub.sinks import Sink
from hub.sinks.feedback import FeedbackSink
from hub.sinks.log import LogSink
from hub.sinks.metrics import MetricsSink
from hub.sinks.sns import SnsSink


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub; made by `open_hub`."""

    kit: Kit

    async def settle(self, message: Message) -> Report | None:
        """See `hub.flow.settle`; None when nothing was due or it was settled before."""
        return (await flow.settle(self.kit, message)).report

    async def undo(self, run_id: str, *, force: bool = False) -> Report:
        """See `hub.flow.undo.undo`."""
        return await undo(self.kit, run_id, force=force)

    async def preview(self, message: Message) -> tuple[Run, ...]:
        """See `hub.flow.preview`."""
        return await flow.preview(self.kit, message)

    def also_to(self, sink: Sink) -> Hub:
        """The same hub publishing to one more sink."""
        return Hub(replace(self.kit, sinks=(*self.kit.sinks, sink)))


@asynccontextmanager
async def open_hub(settings: Settings, *, sinks: Sequence[Sink] = ()) -> AsyncIterator[Hub]:
    """A hub ready to settle messages; closes everything it opened.

    Raises:
        JournalUnwritable, SettingsWrong: it cannot run as the settings say.
        RulesWrong: the rules file cannot be used; all its mistakes are listed.
    """
    bots = _catalogue(settings)
    metrics = MetricsSink(settings.metrics_namespace)
    rules = _rules(settings.rules, bots, metrics)
    async with AsyncExitStack() as stack:
        identity = HubIdentity(settings)
        stack.push_async_callback(identity.close)
        clients = Clients()
        stack.push_async_callback(clients.close)
        journal = await stack.enter_async_context(open_journal(settings, identity))
        directory = Directory(settings, identity)
        accounts = Accounts(settings, identity, clients=clients, pacer=Pacer(settings.calls_per_second))
        leases = await stack.enter_async_context(Leases(journal, seconds=settings.lease_seconds))
        yield Hub(
            Kit(
                settings=settings,
                identity=identity,
                directory=directory,
                accounts=accounts,
                roles=SpokeRoles(settings, accounts),
                journal=journal,
                leases=leases,
                guards=(
                    # First, because they ask nobody.
                    RuledOut(),
                    OptedOut(),
                    Scope(settings, identity, directory),
                    Optional(settings.optional_bots),
                    OwnResources(settings, identity),
                    Mode(settings.dry_run),
                ),
                change_guards=(Approval(lambda: rules.current().rules.guards),),
                sinks=(*await _sinks(settings, identity, stack), metrics, *sinks),
                metrics=metrics,
                rules=rules,
                catalogue=bots,
            )
        )


def _rules(path: str, bots: Catalogue, metrics: MetricsSink) -> RulesInForce:
    if not path:
        return Decider(RuleSet(file=""), bots)
    from hub.rules.live import LiveRules  # noqa: PLC0415 - YAML costs a cold start without rules too much

    return LiveRules(path, bots, on_broken=metrics.rules_broken)


def _catalogue(settings: Settings) -> Catalogue:
    try:
        return catalogue(settings.bots_folder, runner=run_in_thread)
    except NotADirectoryError as error:
        raise SettingsWrong(f"HUB_BOTS_FOLDER: {error}") from error


async def _sinks(settings: Settings, identity: HubIdentity, stack: AsyncExitStack) -> tuple[Sink, ...]:
    sinks: list[Sink] = [LogSink()]
    if settings.report_topic_arn:
        topic = SnsSink(identity, settings.report_topic_arn, settings.output_mode)
        await topic.start()
        stack.push_async_callback(topic.stop)
        sinks.append(topic)
    if settings.feedback_hosts:
        sinks.append(FeedbackSink(settings.feedback_hosts, settings.feedback_seconds))
    return tuple(sinks)
