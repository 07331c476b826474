"""What the spoke role of an account says of itself: whose permissions it has, by its tags."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bots._aws import AwsError
from bots._bot import Before, Bot, NoParams, Risk, Undo, account, on
from hub.aws.accounts import Accounts
from hub.errors import SpokeError
from hub.model import Run
from hub.settings import Settings
from spoke_role.tags import BOTS_TAG, VERSION_TAG

KNOWN_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class SpokeRole:
    """``version`` of its permissions and ``bots`` they are for, as rendered; "" where the role has no such tag."""

    version: str
    bots: str


class SpokeRoles:
    """Reads roles when somebody asks, each at most once in a while, however many ask."""

    def __init__(self, settings: Settings, accounts: Accounts) -> None:
        self._settings = settings
        self._accounts = accounts
        self._known: dict[str, tuple[asyncio.Task[SpokeRole | None], float]] = {}
        # A session has the rights of a bot; this one only looks at the role it came in by.
        role = (f"arn:{{partition}}:iam::{{account}}:role/{settings.role_name}",)
        self._looker = Bot(
            name="about_the_role",
            acts_on="AWS::IAM::Role",
            target=account(),
            params=NoParams,
            before=Before,
            reads=on(role, "iam:GetRole"),
            writes=(),
            risk=Risk.ADDITIVE,
            undo=Undo.none("it only looks"),
        )

    async def of(self, run: Run) -> SpokeRole | None:
        """The role of the run's account; None if it may not be read, or could not be."""
        task, read_at = self._known.get(run.account_id, (None, 0.0))
        if task is None or not 0 <= time.time() - read_at <= KNOWN_SECONDS:
            task = asyncio.create_task(self._read(run))
            self._known[run.account_id] = (task, time.time())
        return await asyncio.shield(task)

    async def _read(self, run: Run) -> SpokeRole | None:
        try:
            spoke = await self._accounts.enter(
                run.account_id, run.region, run.partition, bot=self._looker, run_id=run.run_id
            )
            answer = await spoke.call("iam", "GetRole", RoleName=self._settings.role_name)
        except (SpokeError, AwsError):
            return None
        tags = {tag["Key"]: tag["Value"] for tag in answer["Role"].get("Tags", ())}
        return SpokeRole(tags.get(VERSION_TAG, ""), tags.get(BOTS_TAG, ""))
