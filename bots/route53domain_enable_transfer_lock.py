"""Lock a domain against being transferred to another registrar.

After: the registry shows clientTransferProhibited for the domain; nobody can move it away before it is
unlocked.
Caution: the registry takes minutes, at times hours, to set or lift the lock, and mails the registrant when
it fails. A transfer that is under way already is not stopped.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity
from bots._domain_locks import latest_operation, submit, wait_for
from bots._domains import domain_name, registration

LOCKED = "clientTransferProhibited"
LEAVING = "pendingTransfer"


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
    latest = None if locked else await latest_operation(aws, name)
    return Check(
        compliant=locked,
        before=Lock(locked=locked),
        why=f"domain {name} is {'' if locked else 'not '}locked against transfers"
        + (f"; operation {latest['OperationId']} is {latest['Status']}" if latest else ""),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Lock) -> None:
    name = domain_name(target)
    wait_for(await latest_operation(aws, name), name)
    await submit(aws, name, "EnableDomainTransferLock")
    wait_for(await latest_operation(aws, name), name)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Lock) -> None:
    await submit(aws, domain_name(target), "DisableDomainTransferLock")
