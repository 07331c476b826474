"""Renew the registration of a domain automatically.

After: the registration is renewed before it expires, every year and at the account's expense.
Caution: renewal needs a valid payment method. A domain that has expired already does not come back by this.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity
from bots._domains import NO_SUCH_SETTING, domain_name, not_offered, registration


class Renewal(Before):
    automatic: bool


bot = Bot(
    name="route53domain_enable_auto_renew",
    acts_on="AWS::Route53Domains::Domain",
    target=entity("name", "id"),
    params=NoParams,
    before=Renewal,
    reads=("route53domains:GetDomainDetail",),
    writes=("route53domains:EnableDomainAutoRenew", "route53domains:DisableDomainAutoRenew"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Renewal]:
    found = await registration(aws, target)
    automatic, ends = bool(found.get("AutoRenew")), found.get("ExpirationDate")
    notes = []
    if ends is not None and ends < aws.now:
        notes.append(
            f"the registration expired on {ends:%Y-%m-%d}: restore it by hand, if that is still possible"
        )
    return Check(
        compliant=automatic,
        before=Renewal(automatic=automatic),
        why=f"automatic renewal of domain {domain_name(target)} is {'on' if automatic else 'off'}"
        + (f"; the registration ends on {ends:%Y-%m-%d}" if ends else ""),
        notes=tuple(notes),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Renewal) -> None:
    await _set(aws, target, "EnableDomainAutoRenew")


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Renewal) -> None:
    await _set(aws, target, "DisableDomainAutoRenew")


async def _set(aws: Aws, target: Target, operation: str) -> None:
    name = domain_name(target)
    if await aws.find("route53domains", operation, absent=NO_SUCH_SETTING, DomainName=name) is None:
        raise not_offered(name, "automatic renewal")
