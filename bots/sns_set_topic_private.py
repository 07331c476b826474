"""Take from a topic's policy what lets everybody in, or set a given policy.

After: no statement without a restricting condition lets the whole world publish, subscribe or manage.
Caution: publishers and subscribers that came in by a wildcard are shut out. Subscriptions strangers have
made already stay; they are named. Statements with NotPrincipal or NotAction are left to a person.
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._policies import is_open, same, statements
from bots._topic_policies import PrivatePolicy, wanted_policy
from bots._topics import TOPIC, foreign_subscribers, set_attribute, topic_attributes, topic_home
from bots._words import Word


class Wish(Params):
    policy: Annotated[
        PrivatePolicy | None,
        Field(description="new policy in JSON; left out: the current one without what is open"),
        Word(rest=True),
    ] = None


class Policy(Before):
    topic_arn: str
    document: str  # as SNS keeps it


bot = Bot(
    name="sns_set_topic_private",
    acts_on="AWS::SNS::Topic",
    target=entity("topicArn", "id"),
    params=Wish,
    before=Policy,
    reads=on(TOPIC, "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"),
    writes=on(TOPIC, "sns:SetTopicAttributes"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Policy]:
    home, arn = topic_home(aws, target)
    document = (await topic_attributes(home, arn))["Policy"]
    open_ones = [statement for statement in statements(document) if is_open(statement)]
    wanted = wanted_policy(aws, arn, params.policy, document)
    compliant = not open_ones and same(document, wanted)
    return Check(
        compliant=compliant,
        before=Policy(topic_arn=arn, document=document),
        why=f"the policy of topic {arn} lets everybody in by {len(open_ones)} of its statements"
        if open_ones
        else f"the policy of topic {arn} lets nobody in unnamed"
        + ("" if compliant else ", but is not the one asked for"),
        region=home.region,
        notes=tuple(f"a subscription that stays: {each}" for each in await foreign_subscribers(home, arn))
        if open_ones
        else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Policy) -> None:
    home, arn = topic_home(aws, target)
    await set_attribute(home, arn, "Policy", wanted_policy(aws, arn, params.policy, before.document))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Policy) -> None:
    home, _ = topic_home(aws, target)
    await set_attribute(home, before.topic_arn, "Policy", before.document)
