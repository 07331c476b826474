"""Clients of the account that deploys, with credentials from where every AWS tool looks for them."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.loaders import Loader, create_loader

from deploy.calls import PATIENCE, Patience
from deploy.errors import InputWrong

# A deployment is one process with few calls: botocore's own pacing and retries are enough.
CONFIG = AioConfig(
    retries={"mode": "adaptive", "max_attempts": 10},
    connect_timeout=10,
    read_timeout=60,
    parameter_validation=True,
)


@functools.cache
def _loader() -> Loader:
    # Reading a service's model from disk costs more than making a client of it; it never changes.
    return create_loader()


class Aws:
    """Clients of one account and region, each made when it is first asked for, and how long to wait for AWS."""

    def __init__(self, session: AioSession, region: str, opened: AsyncExitStack, patience: Patience) -> None:
        self.region = region
        self.patience = patience
        self._session = session
        self._opened = opened
        self._clients: dict[str, Any] = {}
        self._account_id = ""

    async def client(self, service: str) -> Any:
        """A client of that service."""
        if service not in self._clients:
            made = self._session.create_client(service, region_name=self.region, config=CONFIG)
            self._clients[service] = await self._opened.enter_async_context(made)
        return self._clients[service]

    async def account_id(self) -> str:
        """The account the credentials are of."""
        if not self._account_id:
            sts = await self.client("sts")
            self._account_id = str((await sts.get_caller_identity())["Account"])
        return self._account_id


@asynccontextmanager
async def open_aws(*, profile: str | None = None, region: str | None = None) -> AsyncIterator[Aws]:
    """Clients with the credentials of ``profile`` or, without one, of the environment.

    Args:
        region: None: as the environment or the profile says.

    Raises:
        InputWrong: nobody says which region.
    """
    session = AioSession(profile=profile)
    session.register_component("data_loader", _loader())
    chosen = region or session.get_config_variable("region")
    if not chosen:
        raise InputWrong("no region: give --region, or set AWS_REGION")
    async with AsyncExitStack() as opened:
        yield Aws(session, chosen, opened, PATIENCE)
