"""Accounts with spoke roles from the real template, and doctor's look at them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bots._bot import AnyBot
from hub.doctor import Wish, look
from hub.doctor.words import AccountHealth, Line, State
from hub.settings import Settings
from spoke_role.current import VERSION
from spoke_role.template import render
from tests.deploy.estate import spoke_stack
from tests.fake_aws.server import EXTERNAL_ID, HUB_ACCOUNT, SPOKE_ROLE, FakeAws
from tests.spoke_role.reading import ROOT

CURRENT = Path(ROOT, "spoke_role/role.yaml").read_text(encoding="utf-8")


async def protected(
    aws: FakeAws, *, account_id: str | None = None, hub: str = HUB_ACCOUNT, **more: str
) -> str:
    """An account with the spoke role deployed from the template; its id."""
    account = account_id or aws.fresh_account().account_id
    await spoke_stack(aws, account, hub=hub, **({"ExternalId": EXTERNAL_ID, "template": CURRENT} | more))
    return account


def made_for(bots: Sequence[AnyBot]) -> str:
    """The template for these bots."""
    return render(bots)


def older(version: str, *, without: str) -> str:
    """The template as a hub would have made it that had no bot yet that needs the action."""
    lines = [line for line in CURRENT.splitlines(keepends=True) if line.strip() != f"- {without}"]
    return "".join(lines).replace(VERSION, version)


async def examined(settings: Settings, account_id: str, *, deep: bool = False) -> AccountHealth:
    """What doctor says of one account."""
    health = await look(settings, Wish(only=(account_id,), deep=deep))
    [account] = health.accounts
    return account


def about(lines: Sequence[Line], subject: str) -> Line:
    """The only line of a subject."""
    found = [line for line in lines if line.subject == subject]
    assert len(found) == 1, [line.subject for line in lines]
    return found[0]


def states(account: AccountHealth) -> dict[str, State]:
    """Of every subject."""
    return {line.subject: line.state for line in account.lines}


def iam(aws: FakeAws, account_id: str) -> Any:
    """The account's administrator's IAM."""
    return aws.admin(account_id).client("iam")


def policy_arn(account_id: str, suffix: str) -> str:
    """Of a managed policy of the spoke role."""
    return f"arn:aws:iam::{account_id}:policy/{SPOKE_ROLE}-{suffix}"
