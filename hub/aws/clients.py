"""One client per service and region for the whole organization; credentials chosen per task.

Making a client costs more CPU than a call, so a client per account would cost more than the work.
Instead each client signs with whatever account the running task is in. A task that is in no account
signs with nothing and fails: the hub's own keys are never a fallback.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from aioboto3 import Session
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import __version__ as botocore_version
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from botocore.loaders import Loader, create_loader

from hub import __version__
from hub.aws.errors import THROTTLED
from hub.aws.tls import SharedTlsSession
from hub.errors import InternalError

# What CloudTrail shows of a call, beside the session.
_USER_AGENT = f"remediation-hub/{__version__} Botocore/{botocore_version}"


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials of one account. The repr hides them."""

    account_id: str
    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return f"Keys({self.account_id})"


@dataclass(frozen=True, slots=True)
class _Task:
    """In whose name the running task calls, and whom to tell when AWS throttles it."""

    keys: Keys
    throttled: Callable[[], None] | None


_current: ContextVar[_Task | None] = ContextVar("hub_aws_task", default=None)


@contextmanager
def signing_as(keys: Keys, *, throttled: Callable[[], None] | None = None) -> Iterator[None]:
    """Calls of this task are signed with ``keys`` inside the block.

    Args:
        throttled: called when AWS throttles; the call then ends with that error, which nobody tries again.
    """
    token = _current.set(_Task(keys, throttled))
    try:
        yield
    finally:
        _current.reset(token)


def _end_throttled(parsed_response: dict[str, Any] | None, event_name: str, **_: Any) -> None:
    """botocore would try a throttled call again by itself: at once, past the account's pace, and out of a
    small budget of retries that all accounts of the client share. Whoever called does it better."""
    task = _current.get()
    if task is None or task.throttled is None or parsed_response is None:
        return
    if parsed_response.get("Error", {}).get("Code") in THROTTLED:
        task.throttled()
        raise ClientError(parsed_response, event_name.rsplit(".", 1)[-1])


def _never_redirected(context: dict[str, Any], **_: Any) -> None:
    """Let botocore believe that the request was sent on already, which it does only once.

    By itself it follows S3 to a bucket's own region without a word, and keeps that of every bucket it ever
    met. Bots must know the region, the hub paces by it, and a client here lives as long as the hub.
    """
    context["s3_redirect"] = {**context.get("s3_redirect", {}), "redirected": True}


class TaskCredentials:
    """What botocore asks for keys at signing time; answers with the running task's account."""

    method = "hub-task"
    token = None
    account_id = None

    @property
    def access_key(self) -> str:
        return self._keys().access_key

    @property
    def secret_key(self) -> str:
        return self._keys().secret_key

    @staticmethod
    def _keys() -> Keys:
        task = _current.get()
        if task is None:
            raise InternalError("an AWS call was made outside any account; nothing was sent")
        return task.keys

    def get_deferred_property(self, _name: str) -> Callable[[], Awaitable[None]]:
        """What botocore may put into an endpoint's name: nothing, for one endpoint serves all accounts."""
        return self.get_account_id

    async def get_account_id(self) -> None:
        """See `get_deferred_property`."""

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        keys = self._keys()
        return ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token, None)


@functools.cache
def _loader() -> Loader:
    # Reading a service's model from disk costs more than making a client of it; it never changes.
    return create_loader()


def new_session(credentials: TaskCredentials | None = None) -> Session:
    """A session that shares the models this process has read.

    Args:
        credentials: what to sign with; None: what the environment gives, as every AWS tool finds it.
    """
    session = get_session()
    session.register_component("data_loader", _loader())
    # The environment may ask for the old, global endpoint, whose sessions opt-in regions do not take.
    session.set_config_variable("sts_regional_endpoints", "regional")
    if credentials is not None:
        # AioSession offers no public way to hand in a credentials object of one's own.
        session._credentials = credentials
    return Session(botocore_session=session)


def client_config(**more: Any) -> AioConfig:
    """Limits every client of the hub has: times out, retries a little, never for long."""
    return AioConfig(
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=100,
        retries={"mode": "standard", "total_max_attempts": 4},
        account_id_endpoint_mode="disabled",
        # Built whole by us: botocore builds its own, longer one anew for every call, 8 % of all CPU.
        user_agent=_USER_AGENT,
        http_session_cls=SharedTlsSession,
        **more,
    )


class Clients:
    """The pool. Clients are made on first use, one at a time per kind, and closed together."""

    def __init__(self) -> None:
        self._session = new_session(TaskCredentials())
        self._stack = AsyncExitStack()
        self._clients: dict[tuple[str, str], asyncio.Task[Any]] = {}

    async def get(self, service: str, region: str) -> Any:
        """The shared client of ``service`` in ``region``."""
        key = (service, region)
        making = self._clients.get(key)
        if making is None:
            making = self._clients[key] = asyncio.create_task(self._make(service, region))
        try:
            return await asyncio.shield(making)
        except Exception:
            self._clients.pop(key, None)
            raise

    async def _make(self, service: str, region: str) -> Any:
        context = self._session.client(service, region_name=region, config=client_config())
        client = await self._stack.enter_async_context(context)
        client.meta.events.register("response-received", _end_throttled)
        if service == "s3":
            client.meta.events.register_last("before-parameter-build.s3", _never_redirected)
        return client

    async def close(self) -> None:
        """Close all clients and their connections."""
        self._clients.clear()
        await self._stack.aclose()
