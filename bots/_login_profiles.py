"""Console passwords of users, which IAM calls login profiles."""

from __future__ import annotations

from typing import Any

from bots._aws import Aws
from bots._bot import TryLater
from bots._identities import NO_SUCH, Identity

READS = ("iam:GetUser", "iam:GetLoginProfile")
_TEMPORARILY = ("EntityTemporarilyUnmodifiable",)


async def login_profile(aws: Aws, user: Identity) -> dict[str, Any] | None:
    """None for a user without a console password. Says the same of users that do not exist."""
    answer = await aws.find("iam", "GetLoginProfile", absent=NO_SUCH, **user.words)
    return None if answer is None else answer["LoginProfile"]


async def change(aws: Aws, user: Identity, operation: str, **words: Any) -> None:
    """Change or delete the password of a user, who is always named: AWS takes the caller otherwise.

    Raises:
        TryLater: AWS is still at an earlier change, or the password went meanwhile; look again.
    """
    answer = await aws.find("iam", operation, absent=(*_TEMPORARILY, *NO_SUCH), **user.words, **words)
    if answer is None:
        raise TryLater(f"AWS is still at an earlier change of the password of {user}", seconds=30)
