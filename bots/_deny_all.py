"""A user or role that is denied everything: by the account's shared policy or, failing that, inline."""

from __future__ import annotations

from typing import Literal

from bots._attachments import FULL, attach, detach
from bots._aws import Aws, AwsError
from bots._bot import Before, CannotFix, Check, on
from bots._identities import Identity
from bots._inline import have, inline_document
from bots._managed import attached, policy_facts, version_document
from bots._policies import Statement, listed, statements

NAME = "quarantine_deny_all_policy"
POLICY = (f"arn:{{partition}}:iam::{{account}}:policy/{NAME}",)
POLICY_READS = on(POLICY, "iam:GetPolicy", "iam:GetPolicyVersion")
_DENY_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
_EXISTS = ("EntityAlreadyExists",)

Shared = Literal["missing", "sound", "changed"]


class Barred(Before):
    """What holds the user or role back. The shared policy itself stays in the account after an undo."""

    attached: bool
    inline: str | None  # document of the inline policy of our name


async def look(aws: Aws, who: Identity, *, notes: tuple[str, ...] = ()) -> Check[Barred]:
    """Is the user or role denied everything?"""
    shared = await _shared(aws)
    before = await _barred(aws, who)
    by_policy = before.attached and shared == "sound"
    by_inline = before.inline is not None and denies_everything(before.inline)
    if shared == "changed":
        notes += (
            f"the default version of policy {NAME} does not deny everything: it was tampered with, so it is not "
            "used; whoever carries it is not in quarantine",
        )
    how = f"the policy {NAME}" if by_policy else f"its inline policy {NAME}"
    return Check(
        compliant=by_policy or by_inline,
        before=before,
        why=f"{who} is denied everything by {how}"
        if by_policy or by_inline
        else f"{who} is not in quarantine",
        notes=notes,
        target_id=who.name,
    )


async def bar(aws: Aws, who: Identity) -> None:
    """Deny everything, by the shared policy if it can be trusted and there is room, else inline.

    Raises:
        CannotFix: there is no room for either.
    """
    if await _usable(aws) and await _attach(aws, who):
        return
    try:
        await have(aws, who, NAME, _DENY_ALL)
    except AwsError as error:
        if error.code != FULL:
            raise
        raise CannotFix(
            f"{who} has no room for a policy, neither attached nor inline: make its access keys inactive and "
            "take away its console password, or detach a policy first"
        ) from error


async def unbar(aws: Aws, who: Identity, before: Barred) -> None:
    """Put back what was attached and inline."""
    now = await _barred(aws, who)
    if before.inline != now.inline:
        await have(aws, who, NAME, before.inline)
    if now.attached and not before.attached:
        await detach(aws, who, _arn(aws))


def denies_everything(document: str) -> bool:
    """Whether a statement denies everything always, and none allows anything."""
    found = statements(document)
    return any(_is_deny_all(each) for each in found) and all(each.get("Effect") == "Deny" for each in found)


def _is_deny_all(statement: Statement) -> bool:
    return (
        statement.get("Effect") == "Deny"
        and "*" in listed(statement.get("Action", []))
        and "*" in listed(statement.get("Resource", []))
        and not statement.get("Condition")
    )


def _arn(aws: Aws) -> str:
    return POLICY[0].format(partition=aws.partition, account=aws.account_id)


async def _shared(aws: Aws) -> Shared:
    """The shared policy as it is now; its name alone is no proof."""
    facts = await policy_facts(aws, _arn(aws))
    if facts is None:
        return "missing"
    document = await version_document(aws, _arn(aws), facts["DefaultVersionId"])
    return "sound" if denies_everything(document) else "changed"


async def _usable(aws: Aws) -> bool:
    """The shared policy can be attached; made now if there was none."""
    shared = await _shared(aws)
    if shared == "missing":
        made = await aws.find(
            "iam",
            "CreatePolicy",
            absent=_EXISTS,
            PolicyName=NAME,
            PolicyDocument=_DENY_ALL,
            Description="Denies everything to whoever it is attached to: quarantine by the remediation hub",
        )
        # Somebody may have made one of that name at the same time; it is looked at like any other.
        shared = await _shared(aws) if made is None else "sound"
    return shared == "sound"


async def _attach(aws: Aws, who: Identity) -> bool:
    """False if the quota is used up."""
    try:
        await attach(aws, who, _arn(aws))
    except AwsError as error:
        if error.code != FULL:
            raise
        return False
    return True


async def _barred(aws: Aws, who: Identity) -> Barred:
    inline = await inline_document(aws, who, NAME)
    return Barred(attached=_arn(aws) in await attached(aws, who), inline=inline)
