"""An account entered by the hub, where the role has what guards want to read and no bot's rights."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bots._bot import AnyBot, Before, Bot, NoParams, Risk, Target, Undo, account
from hub.aws.account import SpokeAccount
from hub.aws.accounts import Accounts, HubIdentity
from hub.aws.clients import Clients
from hub.aws.throttle import Pacer
from hub.settings import Settings
from spoke_role.guard_reads import GUARD_READS
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, policy

BOT: AnyBot = Bot(
    name="made_up",
    acts_on="AWS::::Account",
    target=account(),
    params=NoParams,
    before=Before,
    reads=("ec2:DescribeVpcs",),
    writes=(),
    risk=Risk.ADDITIVE,
    undo=Undo.none("a test"),
)


def spoke(aws: FakeAws, *, without: Sequence[str] = ()) -> Admin:
    """A spoke account whose role may read what guards want, but for some actions."""
    admin = aws.fresh_account()
    allowed = [grant.statement(partition="aws", account=admin.account_id) for grant in GUARD_READS]
    for statement in allowed:
        statement["Action"] = [action for action in statement["Action"] if action not in without]
    kept = [statement for statement in allowed if statement["Action"]]
    nothing = {"Effect": "Deny", "Action": "kms:ListKeys", "Resource": "*"}
    return aws.spoke({"guards": policy(*kept, nothing)}, account_id=admin.account_id)


@asynccontextmanager
async def entered(
    settings: Settings, account_id: str, *, region: str = "us-east-1"
) -> AsyncIterator[SpokeAccount]:
    """The account in a session of `BOT`."""
    identity, clients = HubIdentity(settings), Clients()
    try:
        accounts = Accounts(settings, identity, clients=clients, pacer=Pacer(1000))
        yield await accounts.enter(account_id, region, "aws", bot=BOT, run_id="run-1")
    finally:
        await clients.close()
        await identity.close()


def target(admin: Admin, kind: str, named: str, *, region: str = "us-east-1") -> Target:
    """A resource of the account."""
    return Target(account_id=admin.account_id, region=region, partition="aws", type=kind, id=named)
