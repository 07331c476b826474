"""The role a Lambda function runs as."""

from __future__ import annotations

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone
from bots._identities import PATHS_OF_AWS, Identity, bare_name

_GONE = ("ResourceNotFoundException",)


async def execution_role(aws: Aws, target: Target) -> tuple[Aws, Identity]:
    """The account in the function's region, and the role the function has now, whatever the finding says.

    Raises:
        TargetGone: there is no such function.
        CannotFix: it is another account's, or its role is AWS's own.
    """
    home = aws
    if target.id.startswith("arn:"):
        _, _, _, region, owner, _ = target.id.split(":", 5)
        if owner != aws.account_id:
            raise CannotFix(f"function {target.id} belongs to account {owner}, not to {aws.account_id}")
        home = aws.at(region)
    found = await home.find("lambda", "GetFunctionConfiguration", absent=_GONE, FunctionName=target.id)
    if found is None:
        raise TargetGone(f"function {target.id} does not exist in {home.region}")
    if any(f":role{path}" in found["Role"] for path in PATHS_OF_AWS):
        raise CannotFix(f"role {bare_name(found['Role'])} is kept by AWS: nobody else can change it")
    return home, Identity("Role", bare_name(found["Role"]))
