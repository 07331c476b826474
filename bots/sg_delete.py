"""Delete a security group that nothing uses.

After: the group is gone. A group in use and the default group of a VPC are left alone.
Caution: launch templates, launch configurations and stopped services may still name the group and then
fail to start. The journal keeps its rules, but a group made anew has another id.
"""

from bots import _group_uses
from bots._aws import Aws, AwsError, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._groups import GROUP, NOT_THERE, READS, all_rules, own_group
from bots._rules import Rule
from bots._sentences import some


class Group(Before):
    """All that is needed to make the group again, None once it is gone."""

    name: str
    description: str
    vpc: str
    tags: tuple[tuple[str, str], ...]
    inbound: tuple[Rule, ...]
    outbound: tuple[Rule, ...]


class Existence(Before):
    group: Group | None


bot = Bot(
    name="sg_delete",
    acts_on="AWS::EC2::SecurityGroup",
    target=entity("id"),
    params=NoParams,
    before=Existence,
    reads=(*dict.fromkeys((*READS, *_group_uses.READS)),),
    writes=on(GROUP, "ec2:DeleteSecurityGroup"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("a group made again has another id; the snapshot holds its name, tags and rules"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Existence]:
    try:
        found = await own_group(aws, target)
    except TargetGone as gone:
        return Check(compliant=True, before=Existence(group=None), why=str(gone))
    if found["GroupName"] == "default":
        raise CannotFix(
            f"{target.id} is the default group of {found['VpcId']}, which AWS never deletes: sg_rules_delete empties it"
        )
    rules, uses = await together(all_rules(aws, target.id), _group_uses.uses_of(aws, target.id))
    if uses:
        raise CannotFix(f"{target.id} is in use by {some(uses, between='; ')}: free it of these first")
    group = Group(
        name=found["GroupName"],
        description=found["Description"],
        vpc=found["VpcId"],
        tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in found.get("Tags", ()))),
        inbound=tuple(sorted(rules["inbound"].values())),
        outbound=tuple(sorted(rules["outbound"].values())),
    )
    return Check(
        compliant=False,
        before=Existence(group=group),
        why=f"security group {target.id} ({group.name}) exists and nothing uses it",
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Existence) -> None:
    try:
        await aws.find("ec2", "DeleteSecurityGroup", absent=NOT_THERE, GroupId=target.id)
    except AwsError as error:
        if error.code != "DependencyViolation":
            raise
        raise CannotFix(
            f"{target.id} is in use by something this account is not shown, such as an interface another account "
            "has in a shared VPC, or came into use just now"
        ) from error
