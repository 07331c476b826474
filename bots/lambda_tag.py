"""Put a tag on a Lambda function.

After: the function carries the key with exactly the value; a version or an alias the finding names
stands for its function, as only that can be tagged.
Caution: tags can decide about access, costs and automation; know who reacts to the key.
Finding: lambda_tag reviewed yes
Finding: lambda_tag "data owner" "platform team"
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from bots._aws import Aws
from bots._bot import Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._functions import FUNCTION, GONE, Function, the_function
from bots._tag_words import PlainTagKey, plain
from bots._tags import Tag

MOST_TAGS = 50  # of a function, those of AWS not counted


class Wish(Params):
    key: PlainTagKey
    value: Annotated[
        str, Field(max_length=256, description="tag value; left out: an empty one"), AfterValidator(plain)
    ] = ""


bot = Bot(
    name="lambda_tag",
    acts_on="AWS::Lambda::Function",
    target=entity("id", "name"),
    params=Wish,
    before=Tag,
    reads=on(FUNCTION, "lambda:ListTags"),
    writes=on(FUNCTION, "lambda:TagResource", "lambda:UntagResource"),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Tag]:
    function = the_function(aws, target)
    answer = await function.home.find("lambda", "ListTags", absent=GONE, Resource=function.arn)
    if answer is None:
        raise function.gone()
    tags: dict[str, str] = answer.get("Tags", {})
    found = tags.get(params.key)
    own = [key for key in tags if not key.lower().startswith("aws:")]
    if found is None and len(own) >= MOST_TAGS:
        raise CannotFix(
            f"function {function.name} has {len(own)} tags, and AWS allows {MOST_TAGS}: remove one first"
        )
    has = "no value" if found is None else f"the value {found!r}"
    return Check(
        compliant=found == params.value,
        before=Tag(key=params.key, value=found),
        why=f"function {function.name} has {has} for the tag {params.key!r}",
        region=function.home.region,
        target_id=function.arn,
        touches=function.touches,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Tag) -> None:
    await _tag(the_function(aws, target), params.key, params.value)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Tag) -> None:
    function = the_function(aws, target)
    if before.value is None:
        await function.home.call("lambda", "UntagResource", Resource=function.arn, TagKeys=[before.key])
    else:
        await _tag(function, before.key, before.value)


async def _tag(function: Function, key: str, value: str) -> None:
    await function.home.call("lambda", "TagResource", Resource=function.arn, Tags={key: value})
