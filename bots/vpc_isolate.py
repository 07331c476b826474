"""Cut a VPC off: no traffic in or out of its subnets, no DNS, no EC2 calls about it by IAM users.

After: every subnet is on a network ACL that lets nothing through, DNS resolution is off, and a policy on
every IAM user of the account denies EC2 calls about the VPC and what is tied to it.
Caution: everything in the VPC stops working. Roles, single sign-on and the root user are not limited, nor
are traffic within a subnet and EC2's own addresses for metadata and time. Calls about instances as such
are not tied to a VPC and stay allowed. Subnets and users made later are open until the finding comes again.
"""

from dataclasses import replace

from bots._aws import Aws, together
from bots._bot import Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity
from bots._isolation import READS, WRITES, Isolation, Wanted, all_users, as_it_was, bring_or_take_back, look
from bots._sentences import NAMED_AT_MOST
from bots._vpcs import find_vpc

bot = Bot(
    name="vpc_isolate",
    acts_on="AWS::EC2::VPC",
    target=entity("id"),
    params=NoParams,
    before=Isolation,
    reads=READS,
    writes=WRITES,
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
    creates=("network ACL isolate-<vpc id>", "policy isolate_deny_<vpc id>_access_policy"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Isolation]:
    if await find_vpc(aws, target) is None:
        raise TargetGone(f"VPC {target.id} does not exist in {aws.region}")
    seen, users = await together(look(aws, target.id), all_users(aws))
    state = seen.state
    open_subnets = [subnet for subnet, acl in state.subnets if acl not in seen.closed]
    free = sorted(users - set(state.users))
    wrong = [
        *(["DNS resolution is on"] if state.dns_support else []),
        *([f"{len(open_subnets)} of {len(state.subnets)} subnets are open"] if open_subnets else []),
        *([] if state.has_policy else ["there is no deny policy"]),
        *([f"{len(free)} of {len(users)} IAM users are not denied"] if free else []),
    ]
    return Check(
        compliant=not wrong,
        before=state,
        why=f"VPC {target.id}: {'; '.join(wrong)}" if wrong else f"VPC {target.id} is cut off",
        notes=("roles, single sign-on and the root user are not limited",),
        touches=tuple(("AWS::IAM::User", user) for user in free),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Isolation) -> None:
    seen, users = await together(look(aws, target.id), all_users(aws))
    cut_off = Wanted(
        dns_support=False,
        subnets={subnet: acl if acl in seen.closed else None for subnet, acl in seen.state.subnets},
        keeps_acl=True,
        has_policy=True,
        users=users,
    )
    full = await bring_or_take_back(aws, target.id, cut_off, before)
    if full:
        some = ", ".join(full[:NAMED_AT_MOST])
        raise CannotFix(
            f"{len(full)} users have as many policies as AWS allows, so they are not denied: {some}; "
            "detach one of each and send the finding again. All else is cut off"
        )


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Isolation) -> None:
    seen = await look(aws, target.id)
    wanted = replace(as_it_was(before), users=frozenset(before.users) & frozenset(seen.state.users))
    await bring_or_take_back(aws, target.id, wanted, seen.state)
