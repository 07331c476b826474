"""Who is calling: administrators, IAM users and sessions of assumed roles."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from moto.iam.models import get_account_id_from, iam_backends

# Twenty characters, as the fake server expects of an access key id, the last twelve the account.
_ADMINISTRATOR = "ADMINKEY"


def administrator_key(account_id: str) -> str:
    """The access key id of the administrator of an account. Only test set-up knows it."""
    return f"{_ADMINISTRATOR}{account_id}"


def administered_account(access_key: str) -> str | None:
    """The account an administrator's key is for; None for any other key."""
    return access_key.removeprefix(_ADMINISTRATOR) if access_key.startswith(_ADMINISTRATOR) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller who is not an administrator.

    ``arn`` is what CloudTrail shows; ``entity_arn`` the role or user behind it, which is what policies
    see as ``aws:PrincipalArn``. ``session_policies`` are None outside sessions that have any.
    """

    account_id: str
    partition: str
    arn: str
    entity_arn: str
    session_policies: tuple[str, ...] | None = None
    source_identity: str | None = None
    is_session: bool = False

    @property
    def name(self) -> str:
        """Name of the role or user, without its path."""
        return self.entity_arn.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What AssumeRole handed out."""

    principal: Principal
    token: str
    expires_at: datetime


class Unrecognised(Exception):
    """The credentials are not valid; ``code`` is AWS's word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Principals:
    """All sessions handed out so far. IAM users are looked up where they live."""

    _sessions: dict[str, Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def remember(self, access_key: str, session: Session) -> None:
        with self._lock:
            self._sessions[access_key] = session

    def identify(self, access_key: str, token: str | None, partition: str) -> Principal:
        """Who the credentials belong to.

        Signatures are not checked: a test that signs with one account's secret and another account's
        key id would not be noticed, but one that mixes key id and session token is.

        Raises:
            Unrecognised: unknown, expired, inactive or mixed-up credentials.
        """
        session = self._sessions.get(access_key)
        if session is not None:
            if token != session.token:
                raise Unrecognised("InvalidClientTokenId", "the session token does not go with the key")
            if session.expires_at <= datetime.now(UTC):
                raise Unrecognised("ExpiredToken", "The security token included in the request is expired")
            return session.principal
        account_id = get_account_id_from(access_key)
        for user in iam_backends[account_id][partition].users.values():
            for key in user.access_keys:
                if key.access_key_id == access_key and key.status == "Active" and token is None:
                    return Principal(
                        account_id=account_id, partition=partition, arn=user.arn, entity_arn=user.arn
                    )
        raise Unrecognised("InvalidClientTokenId", "The security token included in the request is invalid")
