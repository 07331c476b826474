"""Delete the network ACL that somebody has just made.

After: the network ACL no longer exists; its entries and tags stay in the journal.
Caution: an ACL that subnets use is left alone: moving them to the default ACL could open what it shut. If
the finding names no ACL, the one CreateNetworkAcl call at its time counts, or none if there were several.
"""

from bots._acl_entries import ACL, GONE, Entry, entries_of, find_acl, refuse_used
from bots._acl_history import the_acl
from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity_or_account, on
from bots._instances import tags_of
from bots._trail import ACTION

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
    acl_id = await the_acl(aws, target)
    found = await find_acl(aws, acl_id)
    if found is None:
        why = f"network ACL {acl_id} does not exist in {aws.region}"
        return Check(compliant=True, before=Acl(exists=False), why=why, target_id=acl_id)
    refuse_used(acl_id, found)
    tags = tags_of(found)
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
    acl_id = await the_acl(aws, target)
    try:
        await aws.call("ec2", "DeleteNetworkAcl", NetworkAclId=acl_id)
    except AwsError as error:
        if error.code == "DependencyViolation":
            raise CannotFix(f"a subnet has just been put on {acl_id}: {error.message}") from error
        if error.code not in GONE:
            raise
