"""Copy a tag of the VPC to an instance in it that lacks the tag.

After: the instance carries the key with the value it has on the VPC of its primary interface.
Caution: an instance that has the key keeps its value, whatever the VPC says. Tags can decide about access,
costs and automation; know who reacts to the key.
Finding: ec2_tag_instance_from_vpc CostCenter
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bots._aws import Aws
from bots._bot import Bot, CannotFix, Check, Params, Risk, Target, TargetGone, Undo, entity, on
from bots._instances import INSTANCE, find_instance, tags_of
from bots._tag_words import not_reserved
from bots._tags import Tag, put, put_back, tags_on

NAMED_AT_MOST = 10


class Wish(Params):
    key: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="key of the tag to copy, in upper and lower case as it is",
        ),
        AfterValidator(not_reserved),
    ]


bot = Bot(
    name="ec2_tag_instance_from_vpc",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=Wish,
    before=Tag,
    reads=("ec2:DescribeInstances", "ec2:DescribeTags"),
    writes=on(INSTANCE, "ec2:CreateTags", "ec2:DeleteTags"),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    optional=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Tag]:
    instance = await find_instance(aws, target)
    value = tags_of(instance).get(params.key)
    if value is None:
        on_vpc = await _on_vpc(aws, target, instance, params.key)
        why = f"{target.id} lacks the tag {params.key!r}, which is {on_vpc!r} on {instance['VpcId']}"
    else:
        why = f"{target.id} has the value {value!r} for the tag {params.key!r}"
    return Check(compliant=value is not None, before=Tag(key=params.key, value=value), why=why)


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Tag) -> None:
    instance = await find_instance(aws, target)
    await put(aws, target, params.key, await _on_vpc(aws, target, instance, params.key))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Tag) -> None:
    await put_back(aws, target, before)


async def _on_vpc(aws: Aws, target: Target, instance: dict[str, Any], key: str) -> str:
    """The value of the key on the instance's VPC.

    Raises:
        TargetGone: the instance is terminated, so it is in no VPC any more.
        CannotFix: the VPC lacks the key, too.
    """
    state = instance["State"]["Name"]
    if state in ("shutting-down", "terminated"):
        raise TargetGone(f"instance {target.id} is {state}")
    vpc_id = instance["VpcId"]
    tags = await tags_on(aws, vpc_id)
    if key not in tags:
        some = ", ".join(sorted(tags)[:NAMED_AT_MOST]) or "none that this account can see"
        raise CannotFix(
            f"{vpc_id}, the VPC of {target.id}, lacks the tag {key!r} (its tags: {some}): tag the VPC first. "
            "Tags of a VPC that another account shares are seen by its owner only"
        )
    return tags[key]
