"""Put a tag on any EC2 resource.

After: the resource carries the key with exactly the value.
Caution: tags can decide about access, costs and automation; know who reacts to the key. EC2 does not
tell a resource without tags from one that does not exist; except for instances, a dry run cannot either.
Finding: tag_ec2_resource Owner platform
Finding: tag_ec2_resource "Cost Center" "R and D"
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._tag_words import TagKey
from bots._tags import TAGGABLE, Tag, look_for, put, put_back, tags_on


class Wish(Params):
    key: TagKey
    value: Annotated[str, Field(max_length=256, description='tag value, "" for none')]


bot = Bot(
    name="tag_ec2_resource",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=Wish,
    before=Tag,
    reads=("ec2:DescribeTags", "ec2:DescribeInstances"),
    writes=on(TAGGABLE, "ec2:CreateTags", "ec2:DeleteTags"),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Tag]:
    await look_for(aws, target)
    tags = await tags_on(aws, target.id)
    found = tags.get(params.key)
    alike = [key for key in tags if key != params.key and key.lower() == params.key.lower()]
    has = "no value" if found is None else f"the value {found!r}"
    return Check(
        compliant=found == params.value,
        before=Tag(key=params.key, value=found),
        why=f"{target.id} has {has} for the tag {params.key!r}",
        notes=tuple(
            f"{target.id} also has the tag {key!r}: AWS tells upper from lower case" for key in alike
        ),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Tag) -> None:
    await put(aws, target, params.key, params.value)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Tag) -> None:
    await put_back(aws, target, before)
