"""Delete the network ACL that somebody has just made.

After: the network ACL no longer exists; its entries and tags stay in the journal.
Caution: an ACL that subnets use is left alone: moving them to the default ACL could open what it shut. If
the finding names no ACL, the one CreateNetworkAcl call at its time counts, or none if there were several.
"""

from typing import Any

from bots._acl_entries import ACL, GONE, Entry, entries_of, find_acl, is_acl
from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity_or_account, on
from bots._trail import ACTION, LoggedCall, the_call

STACK = "aws:cloudformation:stack-name"


class Acl(Before):
    exists: bool
    vpc_id: str = ""
    entries: tuple[Entry, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


bot = Bot(
    name="acl_delete",
    acts_on="AWS::EC2::NetworkAcl",
    target=entity_or_account("id"),
    params=NoParams,
    before=Acl,
    reads=("ec2:DescribeNetworkAcls", ACTION),
    writes=on(ACL, "ec2:DeleteNetworkAcl"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("a network ACL made anew has another id; its entries and tags are in the journal"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Acl]:
    acl_id = await _named(aws, target)
    found = await find_acl(aws, acl_id)
    if found is None:
        why = f"network ACL {acl_id} does not exist in {aws.region}"
        return Check(compliant=True, before=Acl(exists=False), why=why, target_id=acl_id)
    _refuse_used(acl_id, found)
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
    before = Acl(
        exists=True, vpc_id=found["VpcId"], entries=entries_of(found), tags=tuple(sorted(tags.items()))
    )
    return Check(
        compliant=False,
        before=before,
        why=f"network ACL {acl_id} of {before.vpc_id} exists, with {len(before.entries)} entries and no subnets",
        notes=(f"stack {tags[STACK]} made the ACL and will miss it",) if STACK in tags else (),
        target_id=acl_id,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Acl) -> None:
    acl_id = await _named(aws, target)
    try:
        await aws.call("ec2", "DeleteNetworkAcl", NetworkAclId=acl_id)
    except AwsError as error:
        if error.code == "DependencyViolation":
            raise CannotFix(f"a subnet has just been put on {acl_id}: {error.message}") from error
        if error.code not in GONE:
            raise


async def _named(aws: Aws, target: Target) -> str:
    """The ACL the finding names, or else the one that was made at its time."""
    if is_acl(target.id):
        return target.id
    call = await the_call(aws, target, "CreateNetworkAcl", _made)
    return str(_made(call))


def _made(call: LoggedCall) -> str | None:
    made = call.response.get("networkAcl") or {}
    return made.get("networkAclId")


def _refuse_used(acl_id: str, found: dict[str, Any]) -> None:
    if found["IsDefault"]:
        raise CannotFix(
            f"{acl_id} is the default ACL of {found['VpcId']}, which AWS deletes with the VPC only"
        )
    if subnets := sorted(each["SubnetId"] for each in found["Associations"]):
        raise CannotFix(
            f"network ACL {acl_id} guards {', '.join(subnets)}: put these subnets on another ACL first, one that "
            "is as strict, and send the finding again"
        )
