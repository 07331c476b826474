"""The fake AWS itself: moto behind the gate, on a loopback port of its own, in this process."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.emulator.front import Front
from tests.emulator.serving import served
from tests.emulator.weather import Weather
from tests.fake_aws import moto_costs
from tests.fake_aws.admin import Admin
from tests.fake_aws.gate import Gate
from tests.fake_aws.wire import Call

HUB_ACCOUNT = "111122223333"
HUB_ROLE = "remediation-hub"
SPOKE_ROLE = "Dome9CloudBots"
EXTERNAL_ID = "fake-external-id"
POLICY_NAME = "remediation"

Credentials = Mapping[str, str]


def policy(*statements: Mapping[str, Any]) -> str:
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    """An Allow statement."""
    resources = resource if isinstance(resource, str) else list(resource)
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources, **more}


def deny(*actions: str, resource: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    """A Deny statement."""
    return {**allow(*actions, resource=resource, **more), "Effect": "Deny"}


def trust(*principals: str, external_id: str | None = EXTERNAL_ID, **conditions: Any) -> str:
    """A trust policy as the spoke stack's: the hub's role only, the ExternalId, and SetSourceIdentity."""
    condition: dict[str, Any] = {operator: dict(keys) for operator, keys in conditions.items()}
    who = {"Effect": "Allow", "Principal": {"AWS": list(principals)}}
    entry: dict[str, Any] = {**who, "Action": "sts:AssumeRole"}
    if external_id is not None:
        condition.setdefault("StringEquals", {})["sts:ExternalId"] = external_id
    if condition:
        entry["Condition"] = condition
    return policy(entry, {**who, "Action": "sts:SetSourceIdentity"})


def trust_of_the_old_project() -> str:
    """The whole account of the hub may enter, and nothing is asked; nor may it say for which run it comes."""
    root = f"arn:aws:iam::{HUB_ACCOUNT}:root"
    return policy({"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"})


@dataclass(frozen=True, slots=True)
class Arranged:
    """A fake AWS at an address, wherever it runs, and ways to set it up."""

    endpoint: str
    _admins: dict[str, Admin] = field(default_factory=dict, kw_only=True)

    def admin(self, account_id: str) -> Admin:
        """All rights in that account; arranges and observes, and is never recorded."""
        if account_id not in self._admins:
            self._admins[account_id] = Admin(account_id, self.endpoint)
        return self._admins[account_id]

    def fresh_account(self) -> Admin:
        """An account nobody has used yet."""
        # The first digit keeps it away from the documentation's account ids.
        return self.admin(f"8{secrets.randbelow(10**11):011d}")

    def spoke(
        self,
        policies: Mapping[str, str] | None = None,
        *,
        role: str = SPOKE_ROLE,
        trusts: str | None = None,
        account_id: str | None = None,
        boundary: str | None = None,
    ) -> Admin:
        """A fresh spoke account that the hub may enter.

        Args:
            policies: inline policies of the role, name to document; none: the role may do nothing.
            trusts: the trust policy, if not the hub's role with the ExternalId.
            boundary: document of a permissions boundary.
        """
        admin = self.admin(account_id) if account_id else self.fresh_account()
        iam = admin.client("iam")
        more: dict[str, Any] = {}
        if boundary is not None:
            made = iam.create_policy(PolicyName=f"{role}-boundary", PolicyDocument=boundary)
            more["PermissionsBoundary"] = made["Policy"]["Arn"]
        document = trusts or trust(f"arn:aws:iam::{HUB_ACCOUNT}:role/{HUB_ROLE}")
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document, **more)
        for name, text in (policies or {}).items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)
        return admin

    def allow_only(self, admin: Admin, document: str, *, role: str = SPOKE_ROLE) -> None:
        """Replace the rights of a spoke role made by `spoke`; felt at once, also by open sessions."""
        admin.client("iam").put_role_policy(RoleName=role, PolicyName=POLICY_NAME, PolicyDocument=document)

    def role_credentials(
        self, account_id: str, role: str, documents: Sequence[str], *, session: str = "tests", **more: Any
    ) -> Credentials:
        """Credentials of a role made on the spot, as environment variables. The account is its own trust."""
        iam = self.admin(account_id).client("iam")
        if not any(found["RoleName"] == role for found in iam.list_roles(MaxItems=1000)["Roles"]):
            root = f"arn:aws:iam::{account_id}:root"
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(root, external_id=None))
        for number, document in enumerate(documents):
            iam.put_role_policy(RoleName=role, PolicyName=f"rights-{number}", PolicyDocument=document)
        return self.enter(account_id, f"arn:aws:iam::{account_id}:role/{role}", session=session, **more)

    def enter(self, account_id: str, arn: str, *, session: str = "tests", **more: Any) -> Credentials:
        """Credentials of a role, entered by the administrator of ``account_id``, who asks nobody."""
        sts = self.admin(account_id).client("sts")
        found = sts.assume_role(RoleArn=arn, RoleSessionName=session, **more)["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }

    def hub_credentials(self, *more: Mapping[str, Any], role: str = HUB_ROLE) -> Credentials:
        """The hub's own credentials: it may enter spoke roles and nothing else, plus ``more`` statements."""
        entry = allow("sts:AssumeRole", "sts:SetSourceIdentity", resource=f"arn:aws:iam::*:role/{SPOKE_ROLE}")
        return self.role_credentials(HUB_ACCOUNT, role, [policy(entry, *more)], session="hub")


@dataclass(frozen=True, slots=True)
class FakeAws(Arranged):
    """A fake AWS in this process; made by `fake_aws`."""

    gate: Gate

    def calls(self, account_id: str | None = None) -> tuple[Call, ...]:
        """What anybody but administrators called so far, oldest first."""
        return self.gate.calls(account_id)

    def fail(self, account_id: str, name: str, code: str, *, status: int = 400, times: int = 1) -> None:
        """Let the next calls of ``name`` (as in ``iam:ListUsers``) in an account end with an error code.

        Clients try throttled calls and those with a status of 500 again by themselves, up to four times.
        """
        self.gate.fail(account_id, name, code, status=status, times=times)


def new_gate() -> Gate:
    """The gate in front of moto. moto's state is this process's."""
    moto_costs.remove()
    return Gate()


@contextmanager
def fake_aws() -> Iterator[FakeAws]:
    """Start on a free loopback port in a thread of its own, stop at the end.

    Connections stay open: moto's own server makes one and a thread for each call, a seventh of a test's time.
    """
    gate = new_gate()
    ready: Future[str] = Future()
    ended = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with served(Front(gate, Weather(enforce=True))) as endpoint:
            ready.set_result(endpoint)
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="fake-aws", daemon=True)
    thread.start()
    try:
        yield FakeAws(ready.result(timeout=30), gate)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(timeout=10)
        loop.close()
