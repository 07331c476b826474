"""Looks at every account and at the hub itself, changes nothing, and says what to do.

accounts: is it to be entered -> can it be -> who else can -> what is allowed inside -> its regions
hub:      clock -> who am I, settings -> topics, queue, subscription -> journal -> function
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bots._catalogue import BrokenBot, UnknownBot
from bots._own import catalogue
from hub.abreast import abreast
from hub.aws.accounts import Accounts, HubIdentity
from hub.aws.clients import Clients
from hub.aws.directory import Directory, Member
from hub.aws.throttle import Pacer
from hub.doctor import clock, hub_side
from hub.doctor.accounts import Examiner
from hub.doctor.permissions import Permissions
from hub.doctor.stack_sets import Instances, instances
from hub.doctor.trust import Hub
from hub.doctor.versions import Versions
from hub.doctor.words import AccountHealth, Health, Line, Standing, State, failed, ok, unknown
from hub.errors import SettingsWrong, SpokeError
from hub.settings import DeploymentMode, Settings

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to look at.

    Attributes:
        only: these accounts; all when empty.
        deep: read every role's policies, for a version that a tag says can be wrong.
        stack_set: the StackSet the spoke roles come from; empty: no StackSet is asked.
    """

    only: tuple[str, ...] = ()
    deep: bool = False
    stack_set: str = ""


async def look(settings: Settings, wish: Wish, *, on_progress: Progress | None = None) -> Health:
    """See everything.

    Args:
        on_progress: told how many accounts are done, of how many.

    Raises:
        SpokeError, SettingsWrong: there is no hub to look with: no credentials, no network.
    """
    at = datetime.now(UTC)
    async with _hub(settings) as (identity, accounts):
        time = await clock.look(identity)
        if time.state is State.FAILED:
            # AWS refuses all signed calls, so there is nothing else to be seen.
            return Health(
                at=at,
                hub_account="",
                hub_arn="",
                organization="",
                region=settings.region,
                hub=(time,),
                accounts=(),
            )
        me = await hub_side.me(identity)
        facts, about_list = await _accounts(settings, identity, me.account_id)
        organization = next((each.organization for each in facts if each.organization), "")
        examiner = Examiner(
            settings=settings,
            accounts=accounts,
            partition=me.partition,
            trusted=Hub(me.account_id, me.role, organization),
            permissions=_permissions(settings, me),
            instances=_once(identity, wish.stack_set),
            deep=wish.deep,
            run_id=f"doctor-{secrets.token_hex(6)}",
        )
        hub, seen = await asyncio.gather(
            hub_side.look(settings, identity, me),
            _examine(examiner, _wanted(facts, wish.only), settings.concurrency, on_progress or _nobody),
        )
    strangers = sorted(set(wish.only) - {each.account_id for each in facts})
    return Health(
        at=at,
        hub_account=me.account_id,
        hub_arn=me.arn,
        organization=organization,
        region=settings.region,
        hub=(*about_list, *hub, time),
        accounts=tuple(sorted([*seen, *map(_stranger, strangers)], key=lambda account: account.account_id)),
    )


@asynccontextmanager
async def _hub(settings: Settings) -> AsyncIterator[tuple[HubIdentity, Accounts]]:
    identity, clients = HubIdentity(settings), Clients()
    try:
        yield identity, Accounts(settings, identity, clients=clients, pacer=Pacer(settings.calls_per_second))
    finally:
        await clients.close()
        await identity.close()


def _permissions(settings: Settings, me: hub_side.Me) -> Permissions:
    names = {
        "HubAccountId": me.account_id,
        "HubRoleName": me.role,
        "RoleName": settings.role_name,
    }
    if settings.report_topic_arn:
        names["OutputTopicName"] = settings.report_topic_arn.rsplit(":", 1)[-1]
    try:
        known = catalogue(settings.bots_folder)
        return Permissions(Versions(known, optional=settings.optional_bots), names)
    except (NotADirectoryError, BrokenBot) as error:
        raise SettingsWrong(f"HUB_BOTS_FOLDER: {error}") from error
    except UnknownBot as error:
        raise SettingsWrong(f"HUB_OPTIONAL_BOTS: {error}") from error


async def _accounts(
    settings: Settings, identity: HubIdentity, own: str
) -> tuple[tuple[Member, ...], list[Line]]:
    """The accounts there are, and what is to be said of the list itself."""
    if settings.deployment_mode is DeploymentMode.SINGLE:
        seen = "the hub acts in its own account only (HUB_DEPLOYMENT_MODE=single)"
        return (Member(own, ""),), [ok("accounts", seen)]
    listed = tuple(Member(account_id, "") for account_id in settings.accounts)
    try:
        everybody = await Directory(settings, identity).everybody()
    except SpokeError as error:
        if listed:
            seen = "the organization was not looked at; HUB_ACCOUNTS lists the accounts"
            return listed, [unknown("accounts", seen, answer=str(error))]
        return (), [
            failed(
                "accounts",
                "the organization's accounts cannot be listed, so the hub enters none",
                "run the hub in the management account or a delegated administrator's and allow it "
                "organizations:ListAccounts, or set HUB_ACCOUNTS",
                answer=str(error),
            )
        ]
    ids = {each.account_id for each in everybody}
    others = tuple(each for each in listed if each.account_id not in ids)
    return (*everybody, *others), [ok("accounts", f"the organization lists {len(everybody)}")]


def _wanted(facts: Sequence[Member], only: Sequence[str]) -> list[Member]:
    return [each for each in facts if not only or each.account_id in only]


def _stranger(account_id: str) -> AccountHealth:
    line = failed(
        "account",
        "not an account the hub knows of: neither in the organization nor in HUB_ACCOUNTS",
        "look at the number",
    )
    return AccountHealth(account_id=account_id, name="", standing=Standing.NOT_PROTECTED, lines=(line,))


def _nobody(_done: int, _all: int) -> None:
    """Told of progress."""


async def _examine(
    examiner: Examiner, facts: Sequence[Member], at_once: int, on_progress: Progress
) -> list[AccountHealth]:
    found: list[AccountHealth] = []
    on_progress(0, len(facts))

    async def examine(each: Member) -> None:
        found.append(await _examined(examiner, each))
        on_progress(len(found), len(facts))

    await abreast(facts, examine, hands=at_once)
    return found


async def _examined(examiner: Examiner, facts: Member) -> AccountHealth:
    try:
        return await examiner.examine(facts)
    except Exception as error:  # noqa: BLE001 - one account nobody foresaw must not hide the others
        line = unknown(
            "account", f"not looked: {type(error).__name__}", "run doctor with --debug", answer=str(error)
        )
        return AccountHealth(
            account_id=facts.account_id, name=facts.name, standing=Standing.NOT_KNOWN, lines=(line,)
        )


def _once(identity: HubIdentity, stack_set: str) -> Callable[[], asyncio.Task[Instances]]:
    """Asks StackSets when it is first needed, once for all accounts."""
    asking: list[asyncio.Task[Instances]] = []

    def ask() -> asyncio.Task[Instances]:
        if not asking:
            asking.append(asyncio.create_task(instances(identity, stack_set)))
        return asking[0]

    return ask
