"""How to get into an account."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from aioboto3 import Session
from botocore.exceptions import BotoCoreError, ClientError

from bots._aws import AwsError
from bots._bot import AnyBot
from bots._grants import grants, session_of
from hub.aws.account import SpokeAccount
from hub.aws.clients import Clients, Keys, client_config, new_session
from hub.aws.errors import from_botocore, outcome_of
from hub.aws.merging import Merger
from hub.aws.sts import assume_role
from hub.aws.throttle import Pacer
from hub.errors import SpokeDenied, SpokeError, SpokeThrottled, SpokeUnreachable
from hub.model import Outcome
from hub.settings import Settings
from spoke_role.guard_reads import GUARD_ACTIONS, GUARD_READS

SESSION_SECONDS = 3600
SESSION_POLICY_CHARACTERS = 2048
REFRESH_BEFORE_SECONDS = 300.0


class HubIdentity:
    """The hub's own session and clients (queue, topic, journal, STS, Organizations)."""

    def __init__(self, settings: Settings, session: Session | None = None) -> None:
        self.settings = settings
        self.session = session or new_session()
        self._caller: dict[str, str] | None = None
        self._lock = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._kept: dict[tuple[str, str], asyncio.Task[Any]] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """An async context manager giving a client that signs as the hub."""
        return self.session.client(
            service, region_name=region or self.settings.region, config=client_config()
        )

    async def kept(self, service: str, region: str | None = None) -> Any:
        """A client that signs as the hub, made once and open until `close`."""
        key = (service, region or self.settings.region)
        making = self._kept.get(key)
        if making is None:
            making = self._kept[key] = asyncio.create_task(self._keep(*key))
        try:
            return await asyncio.shield(making)
        except Exception:
            self._kept.pop(key, None)
            raise

    async def _keep(self, service: str, region: str) -> Any:
        return await self._stack.enter_async_context(self.client(service, region))

    async def close(self) -> None:
        """Close the kept clients."""
        self._kept.clear()
        await self._stack.aclose()

    async def caller(self) -> dict[str, str]:
        """``Account`` and ``Arn`` of the hub, asked once per process."""
        async with self._lock:
            if self._caller is None:
                try:
                    answer = await (await self.kept("sts")).get_caller_identity()
                except (ClientError, BotoCoreError) as error:
                    told = from_botocore(
                        error, service="sts", operation="GetCallerIdentity", region=self.settings.region
                    )
                    raise spoke_error(told, "who the hub itself is") from error
                self._caller = {"Account": answer["Account"], "Arn": answer["Arn"]}
            return self._caller

    async def account_id(self) -> str:
        return (await self.caller())["Account"]

    async def partition(self) -> str:
        return (await self.caller())["Arn"].split(":")[1]


def spoke_error(error: AwsError, doing: str) -> SpokeError:
    """The hub's error for an AWS error met while ``doing`` something in words."""
    text = f"{doing}: {error.code}: {error.message}"
    match outcome_of(error):
        case Outcome.THROTTLED:
            return SpokeThrottled(text, service=error.service, region=error.region)
        case Outcome.DENIED:
            return SpokeDenied(text, action=f"{error.service}:{error.operation}")
        case _:
            return SpokeUnreachable(text)


@dataclass(slots=True)
class _Session:
    keys: Keys
    name: str
    expires_at: float  # time.time() seconds


_NAME = re.compile(r"hub\.[^.]+\.[0-9a-f]{12}")


def _name_of(bot: str) -> str:
    """Of a role session: whose it is, and something that no other has."""
    return f"{session_of(bot)}.{secrets.token_hex(6)}"


def is_the_hubs(session: str) -> bool:
    """Whether a role session is called as the hub calls its own in the accounts it enters."""
    return _NAME.fullmatch(session) is not None


class Accounts:
    """Enters accounts. Sessions are cached per account and bot until shortly before they expire,
    and opened once even if many findings wait for the same one."""

    def __init__(self, settings: Settings, identity: HubIdentity, *, clients: Clients, pacer: Pacer) -> None:
        self._settings = settings
        self._identity = identity
        self._clients = clients
        self._pacer = pacer
        self._merger = Merger()
        self._sessions: dict[tuple[str, str], _Session] = {}
        self._opening: dict[tuple[str, str], asyncio.Task[_Session]] = {}

    @property
    def throttles(self) -> int:
        """How many calls AWS has throttled in all accounts so far."""
        return self._pacer.throttles.count

    def fresh_throttles(self) -> int:
        """How many since this was asked last, for metrics that are added up."""
        return self._pacer.throttles.fresh()

    async def enter(
        self, account_id: str, region: str, partition: str, *, bot: AnyBot, run_id: str
    ) -> SpokeAccount:
        """The account in ``region``, with the rights ``bot`` declares and those guards want.

        Raises:
            SpokeError: the account cannot be entered; the text says what to check. Where AWS refused, its
                cause is the `AwsError`.
        """
        key = (account_id, bot.name if self._settings.narrow_sessions else "")
        session = self._sessions.get(key)
        if session is None or session.expires_at - time.time() < REFRESH_BEFORE_SECONDS:
            opening = self._opening.get(key)
            if opening is None:
                opening = asyncio.create_task(self._open(account_id, region, partition, bot, run_id))
                self._opening[key] = opening
                opening.add_done_callback(lambda _task: self._opening.pop(key, None))
            session = self._sessions[key] = await asyncio.shield(opening)
        return SpokeAccount(
            account_id,
            region,
            partition,
            session.keys,
            session.name,
            self._clients,
            self._pacer,
            expired=partial(self._forget, key, session),
            merger=self._merger,
        )

    def _forget(self, key: tuple[str, str], session: _Session) -> None:
        # Somebody revoked it, or this machine's clock is wrong: whoever comes next enters anew.
        if self._sessions.get(key) is session:
            del self._sessions[key]

    async def _open(self, account_id: str, region: str, partition: str, bot: AnyBot, run_id: str) -> _Session:
        if account_id == await self._identity.account_id() and not self._settings.own_account_by_role:
            return await self._own(account_id)
        arn = f"arn:{partition}:iam::{account_id}:role/{self._settings.role_name}"
        # A session that all bots share is nobody's.
        name = _name_of(bot.name if self._settings.narrow_sessions else "any")
        request: dict[str, Any] = {
            "RoleArn": arn,
            "RoleSessionName": name,
            "DurationSeconds": SESSION_SECONDS,
            "SourceIdentity": re.sub(r"[^\w+=,.@-]", "-", run_id, flags=re.ASCII)[:64],
        }
        if self._settings.external_id:
            request["ExternalId"] = self._settings.external_id
        # A bot that does not say what it needs gets what the role may do.
        if self._settings.narrow_sessions and bot.actions:
            request["Policy"] = session_policy(bot, account_id, partition)
        try:
            answer = await assume_role(self._identity, region, **request)
        except AwsError as told:
            raise spoke_error(
                told,
                f"role {self._settings.role_name} of account {account_id} could not be entered "
                f"(is the spoke stack deployed there, with this hub's ExternalId?)",
            ) from told
        found = answer["Credentials"]
        owner = answer["AssumedRoleUser"]["Arn"].split(":")[4]
        if owner != account_id:
            raise SpokeUnreachable(f"STS answered with a session of account {owner}, not {account_id}")
        keys = Keys(account_id, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        return _Session(keys, name, found["Expiration"].timestamp())

    async def _own(self, account_id: str) -> _Session:
        credentials = await self._identity.session.get_credentials()
        if credentials is None:
            raise SpokeUnreachable("the hub has no AWS credentials of its own")
        frozen = await credentials.get_frozen_credentials()
        keys = Keys(account_id, frozen.access_key or "", frozen.secret_key or "", frozen.token)
        arn = (await self._identity.caller())["Arn"]
        # botocore refreshes its own credentials; asking again after a minute is cheap.
        return _Session(keys, arn.rsplit("/", 1)[-1], time.time() + REFRESH_BEFORE_SECONDS + 60)


def session_policy(bot: AnyBot, account_id: str, partition: str) -> str:
    """The bot's declared actions, and what guards read, as a session policy.

    AWS lets 2,048 characters through. Where the resources do not fit they are left out: a session
    policy never adds to the role's own rights, which hold them.
    """
    statements = [
        grant.statement(partition=partition, account=account_id) for grant in grants([bot], also=GUARD_READS)
    ]
    text = _policy(statements)
    if len(text) > SESSION_POLICY_CHARACTERS:
        text = _policy(
            [{"Effect": "Allow", "Action": sorted({*bot.actions, *GUARD_ACTIONS}), "Resource": "*"}]
        )
    return text


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
