"""Giving managed policies to users and roles: which may be given, attach and detach."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from bots._all_or_none import Change
from bots._aws import Aws, AwsError
from bots._bot import Before, CannotFix, Check, Target, TryLater
from bots._identities import ARN_START, NO_SUCH, Identity, Kind, live_identity, own_arn
from bots._managed import AWS_OWN, attached, policy_facts, version_document
from bots._wide import makes_an_administrator

# Whichever partition an ARN names, the policy of the finding's own is meant.
_ARN = ARN_START + r"(aws|[0-9]{12}|\$ACCOUNT_ID):policy/([!-~]{1,510}/)?[A-Za-z0-9_+=,.@-]{1,128}$"
PolicyArn = Annotated[
    str, Field(pattern=_ARN, description="ARN; $ACCOUNT_ID and $PARTITION stand for the finding's")
]
FULL = "LimitExceeded"
PROPAGATES_SECONDS = 15


class Attachment(Before):
    policy_arn: str
    attached: bool


def own_policy(aws: Aws, wanted: str) -> str:
    """The policy's ARN in this account and partition.

    Raises:
        CannotFix: it is a policy of another account.
    """
    arn = own_arn(aws, wanted)
    owner = arn.split(":")[4]
    if owner not in (AWS_OWN, aws.account_id):
        raise CannotFix(
            f"{wanted} belongs to account {owner}: IAM attaches policies of {aws.account_id} or of AWS only"
        )
    return arn


async def unfit(aws: Aws, arn: str) -> Literal["missing", "retired", "administrator"] | None:
    """Why a finding must not give the policy to anybody: none there, AWS has retired it, too mighty."""
    facts = await policy_facts(aws, arn)
    if facts is None:
        return "missing"
    if not facts["IsAttachable"]:
        return "retired"
    document = await version_document(aws, arn, facts["DefaultVersionId"])
    return "administrator" if makes_an_administrator(document) else None


async def refuse_unfit(aws: Aws, arn: str) -> None:
    """
    Raises:
        CannotFix: there is no such policy, AWS has retired it, or it would make an administrator.
    """
    why = await unfit(aws, arn)
    if why == "missing":
        raise CannotFix(f"there is no policy {arn}: create it first")
    if why == "retired":
        raise CannotFix(f"policy {arn} cannot be attached any more: AWS has retired it, name its successor")
    if why == "administrator":
        raise CannotFix(
            f"policy {arn} gives full control of the account, and a finding must not make administrators: "
            "attach it by hand if that is really wanted"
        )


async def attach(aws: Aws, who: Identity, arn: str) -> None:
    """
    Raises:
        AwsError: as AWS says; `FULL` when the quota is used up.
        TryLater: IAM does not know the policy or its holder everywhere yet.
    """
    answer = await aws.find("iam", f"Attach{who.kind}Policy", absent=NO_SUCH, PolicyArn=arn, **who.words)
    if answer is None:
        raise TryLater(f"IAM does not find {who} and policy {arn} everywhere yet", seconds=PROPAGATES_SECONDS)


async def detach(aws: Aws, who: Identity, arn: str) -> None:
    await aws.find("iam", f"Detach{who.kind}Policy", absent=NO_SUCH, PolicyArn=arn, **who.words)


async def look(aws: Aws, target: Target, kind: Kind, wanted: str) -> Check[Attachment]:
    """Is the one policy attached to the user or role? Only one that may be attached is found missing."""
    arn = own_policy(aws, wanted)
    who, _ = await live_identity(aws, target, kind)
    has = arn in await attached(aws, who)
    if not has:
        await refuse_unfit(aws, arn)
    return Check(
        compliant=has,
        before=Attachment(policy_arn=arn, attached=has),
        why=f"policy {arn} is {'' if has else 'not '}attached to {who}",
        target_id=who.name,
    )


async def add(aws: Aws, who: Identity, arn: str) -> None:
    """As `attach`, with words for a quota that is used up.

    Raises:
        CannotFix: it is.
    """
    try:
        await attach(aws, who, arn)
    except AwsError as error:
        if error.code != FULL:
            raise
        has = len(await attached(aws, who))
        raise CannotFix(
            f"{who} has {has} managed policies attached, as many as the account's quota allows: "
            "merge some, or have the quota raised"
        ) from error


def attaching(aws: Aws, who: Identity, arns: Iterable[str]) -> list[Change]:
    """Attaching the policies; turned, detaching them."""
    return [Change(partial(add, aws, who, arn), partial(detach, aws, who, arn)) for arn in arns]
