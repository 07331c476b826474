"""Clients of the fake AWS, and administrators, who may do anything in one account unrecorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.config import Config
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
            self._clients[key] = client(
                self.endpoint,
                *key,
                access_key=administrator_key(self.account_id),
                secret_key="administrator",
            )
        return self._clients[key]
