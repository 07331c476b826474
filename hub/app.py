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
from hub.aws.organization_facts import OrganizationFacts
from hub.aws.rules_sources import remote
from hub.aws.spoke_roles import SpokeRoles
from hub.aws.throttle import Pacer
from hub.errors import SettingsWrong
from hub.flow.guards_in_order import guards_of
from hub.flow.kit import Kit, RulesInForce
from hub.flow.undo import Wish, preview_undo, undo
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

WISH = Wish()


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub; made by `open_hub`."""

    kit: Kit

    async def settle(self, message: Message) -> Report | None:
        """See `hub.flow.settle`; None when nothing was due or it was settled before."""
        return (await flow.settle(self.kit, message)).report

    async def undo(self, run_id: str, wish: Wish = WISH) -> Report:
        """See `hub.flow.undo.undo`."""
        return await undo(self.kit, run_id, wish)

    async def preview_undo(self, run_id: str, wish: Wish = WISH) -> Run:
        """See `hub.flow.undo.preview_undo`."""
        return await preview_undo(self.kit, run_id, wish)

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
    async with AsyncExitStack() as stack:
        identity = HubIdentity(settings)
        stack.push_async_callback(identity.close)
        rules = await _rules(settings.rules, bots, metrics, identity)
        clients = Clients()
        stack.push_async_callback(clients.close)
        journal = await stack.enter_async_context(open_journal(settings, identity))
        directory = Directory(settings, identity)
        accounts = Accounts(settings, identity, clients=clients, pacer=Pacer(settings.calls_per_second))
        leases = await stack.enter_async_context(Leases(journal, seconds=settings.lease_seconds))
        asked = guards_of(settings, identity, directory, journal, rules)
        yield Hub(
            Kit(
                settings=settings,
                identity=identity,
                directory=directory,
                accounts=accounts,
                roles=SpokeRoles(settings, accounts),
                journal=journal,
                leases=leases,
                facts=OrganizationFacts(identity, directory),
                guards=asked.before_look,
                undo_guards=asked.before_undo,
                change_guards=asked.before_change,
                sinks=(*await _sinks(settings, identity, stack), metrics, *sinks),
                metrics=metrics,
                rules=rules,
                catalogue=bots,
            )
        )


async def _rules(address: str, bots: Catalogue, metrics: MetricsSink, identity: HubIdentity) -> RulesInForce:
    if not address:
        return Decider(RuleSet(file=""), bots)
    # YAML costs a cold start without rules too much.
    from hub.rules.live import LiveRules, RulesFile  # noqa: PLC0415

    source = remote(address, identity) or RulesFile(address)
    return await LiveRules.start(source, bots, on_broken=metrics.rules_broken)


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
