"""Lock a domain against being transferred to another registrar.

After: the registry shows clientTransferProhibited for the domain; nobody can move it away before it is
unlocked.
Caution: the registry takes minutes, at times hours, to set or lift the lock, and mails the registrant when
it fails. A transfer that is under way already is not stopped.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TryLater, Undo, entity
from bots._domains import NO_SUCH_SETTING, domain_name, not_offered, registration

LOCKED = "clientTransferProhibited"
LEAVING = "pendingTransfer"
RUNNING = ("SUBMITTED", "IN_PROGRESS")
FAILED = ("ERROR", "FAILED")
# A failure older than this may have had its cause removed: the registry is asked again.
RECENT = timedelta(hours=1)
ASK_AGAIN_SECONDS = 120


class Lock(Before):
    locked: bool


bot = Bot(
    name="route53domain_enable_transfer_lock",
    acts_on="AWS::Route53Domains::Domain",
    target=entity("name", "id"),
    params=NoParams,
    before=Lock,
    reads=("route53domains:GetDomainDetail", "route53domains:ListOperations"),
    writes=("route53domains:EnableDomainTransferLock", "route53domains:DisableDomainTransferLock"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Lock]:
    status = (await registration(aws, target)).get("StatusList", [])
    name, locked = domain_name(target), LOCKED in status
    if LEAVING in status and not locked:
        raise CannotFix(
            f"domain {name} is being transferred to another registrar right now, so it cannot be locked: "
            "if nobody asked for that, stop the transfer in Route 53 at once"
        )
    latest = None if locked else await _latest(aws, name)
    return Check(
        compliant=locked,
        before=Lock(locked=locked),
        why=f"domain {name} is {'' if locked else 'not '}locked against transfers"
        + (f"; operation {latest['OperationId']} is {latest['Status']}" if latest else ""),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Lock) -> None:
    name = domain_name(target)
    _wait_for(await _latest(aws, name), name)
    await _submit(aws, name, "EnableDomainTransferLock")
    _wait_for(await _latest(aws, name), name)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Lock) -> None:
    await _submit(aws, domain_name(target), "DisableDomainTransferLock")


async def _submit(aws: Aws, name: str, operation: str) -> None:
    try:
        await aws.call("route53domains", operation, DomainName=name)
    except AwsError as error:
        if error.code in NO_SUCH_SETTING:
            raise not_offered(name, "transfer lock") from error
        if error.code in ("DuplicateRequest", "OperationLimitExceeded"):
            raise TryLater(f"the registry is busy with {name}", seconds=ASK_AGAIN_SECONDS) from error
        raise


async def _latest(aws: Aws, name: str) -> Mapping[str, Any] | None:
    """The last locking or unlocking of the domain, if it was not long ago. AWS calls both by one name."""
    found = aws.pages(
        "route53domains",
        "ListOperations",
        items="Operations",
        SubmittedSince=aws.now - RECENT,
        Type=["DOMAIN_LOCK"],
    )
    ours = [operation async for operation in found if operation.get("DomainName") == name]
    return max(ours, key=lambda operation: operation["SubmittedDate"], default=None)


def _wait_for(operation: Mapping[str, Any] | None, name: str) -> None:
    """
    Raises:
        TryLater: the registry is still at it.
        CannotFix: it has failed; asking again at once would only mail the registrant again.
    """
    if operation is None:
        return
    told = f"operation {operation['OperationId']}"
    if operation["Status"] in RUNNING:
        raise TryLater(f"{told} on the lock of {name} is {operation['Status']}", seconds=ASK_AGAIN_SECONDS)
    if operation["Status"] in FAILED:
        raise CannotFix(
            f"the registry did not lock {name} ({told}): {operation.get('Message') or 'it gave no reason'}. "
            "Remove the cause and send the finding again in an hour"
        )
