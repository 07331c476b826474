"""Clients of the fake AWS, and administrators, who may do anything in one account unrecorded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from tests.fake_aws.principals import administrator_key

# One attempt: an administrator's call that fails is a mistake in a test and must show at once.
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
# Reading a service's model takes longer than most calls; all sessions share what has been read.
_LOADER = Loader()


def client(
    endpoint: str, service: str, region: str, *, access_key: str, secret_key: str, token: str | None = None
) -> Any:
    """A client of the fake AWS that asks nobody else for credentials or configuration."""
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    return session.create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        aws_session_token=token,
        config=ONCE,
    )


_acting_for: ContextVar[str] = ContextVar("fake_aws_administered_account")


@contextmanager
def _acting(account_id: str) -> Iterator[None]:
    token = _acting_for.set(account_id)
    try:
        yield
    finally:
        _acting_for.reset(token)


class _AdministratorKeys:
    """Signs as the administrator of whichever account the call is made for."""

    method = "fake-aws-administrator"
    token = None
    account_id = None

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return ReadOnlyCredentials(administrator_key(_acting_for.get()), "administrator", None)

    def get_deferred_property(self, _name: str) -> Any:
        return lambda: None


@functools.cache
def _shared(endpoint: str, service: str, region: str) -> Any:
    """One client for the administrators of all accounts: making one costs more than the calls of a test."""
    made = client(endpoint, service, region, access_key="nobody", secret_key="nobody")
    made._request_signer._credentials = _AdministratorKeys()
    return made


def _of_account(shared: Any, account_id: str) -> Any:
    """The same client, calling for one account. Its paginators and waiters do, too."""
    # `copy.copy` would ask the half-made client for attributes, which it looks up as operations.
    mine = object.__new__(type(shared))
    mine.__dict__.update(shared.__dict__)
    call = shared._make_api_call

    def make_api_call(operation: str, params: dict[str, Any]) -> Any:
        with _acting(account_id):
            return call(operation, params)

    mine._make_api_call = make_api_call
    return mine


@dataclass(frozen=True, slots=True)
class Admin:
    """All rights in one account.

    Attributes:
        account_id: the 12-digit account.
        endpoint: the fake AWS's address.
        region: where `client` works unless told otherwise.
    """

    account_id: str
    endpoint: str
    region: str = "us-east-1"
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str, region: str | None = None) -> Any:
        """A synchronous client; made once per service and region."""
        key = (service, region or self.region)
        if key not in self._clients:
            self._clients[key] = _of_account(_shared(self.endpoint, *key), self.account_id)
        return self._clients[key]


def code(call: Callable[..., object], **params: Any) -> str | None:
    """AWS's error code, None if the call went through."""
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None
