"""Lambda functions: which one a finding means, and changes of it that overwrite nobody else's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone, TryLater

FUNCTION = ("arn:{partition}:lambda:*:{account}:function:*",)
GONE = ("ResourceNotFoundException",)
# Another update is under way, or came between reading and writing.
_MOVED_ON = ("ResourceConflictException", "PreconditionFailedException")
_UPDATE_SECONDS = 30.0
# A name, account:function:name or a whole ARN, each with or without a version or alias behind it.
_NAMED = re.compile(
    r"((arn:[a-z-]+:lambda:(?P<region>[a-z]+(-[a-z]+)+-[0-9]):)?(?P<account>[0-9]{12}):function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,64})(:(\$LATEST|[A-Za-z0-9_-]{1,128}))?"
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function by its name. ``home`` is the account in the function's region."""

    home: Aws
    name: str

    @property
    def arn(self) -> str:
        """Without a version or an alias, as the settings of a function ask for."""
        start = f"arn:{self.home.partition}:lambda:{self.home.region}:{self.home.account_id}"
        return f"{start}:function:{self.name}"

    @property
    def touches(self) -> tuple[tuple[str, str], ...]:
        """For `Check.touches`: the finding may have named a version or an alias."""
        return (("AWS::Lambda::Function", self.name),)

    def gone(self) -> TargetGone:
        return TargetGone(f"function {self.name} does not exist in {self.home.region}")


def the_function(aws: Aws, target: Target) -> Function:
    """The function a finding names in any of Lambda's forms; the region of an ARN wins.

    Raises:
        CannotFix: it names none, or one of another account.
    """
    found = _NAMED.fullmatch(target.id)
    if found is None:
        raise CannotFix(f"{target.id[:80]!r} is neither the name nor the ARN of a Lambda function")
    if found["account"] not in (None, aws.account_id):
        raise CannotFix(
            f"function {target.id} belongs to account {found['account']}, not to {aws.account_id}"
        )
    return Function(aws.at(found["region"] or aws.region), found["name"])


async def configuration(function: Function) -> dict[str, Any]:
    """The configuration of $LATEST.

    Raises:
        TargetGone: there is no such function.
    """
    found = await function.home.find(
        "lambda", "GetFunctionConfiguration", absent=GONE, FunctionName=function.name
    )
    if found is None:
        raise function.gone()
    return found


def failed(found: dict[str, Any]) -> bool:
    """Whether the last update failed: the configuration is written down but not what runs."""
    return found.get("LastUpdateStatus") == "Failed"


def wait_for_update(function: Function, found: dict[str, Any]) -> None:
    """
    Raises:
        TryLater: the function is being made or updated, and AWS takes no change meanwhile.
    """
    if found.get("LastUpdateStatus") == "InProgress" or found.get("State") == "Pending":
        raise TryLater(f"function {function.name} is being updated by somebody else", seconds=_UPDATE_SECONDS)


async def update(function: Function, found: dict[str, Any], **change: Any) -> None:
    """Change the configuration ``found``, if it is still what is there.

    Raises:
        TryLater: it is not, or an update is under way; nothing was changed.
    """
    wait_for_update(function, found)
    answer = await function.home.find(
        "lambda",
        "UpdateFunctionConfiguration",
        absent=_MOVED_ON,
        FunctionName=function.name,
        RevisionId=found["RevisionId"],
        **change,
    )
    if answer is None:
        raise TryLater(
            f"somebody else is changing function {function.name} at the same time", seconds=_UPDATE_SECONDS
        )
