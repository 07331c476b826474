"""Delete a topic with all its subscriptions.

After: nobody can publish to it or receive from it.
Caution: messages on their way are lost, and publishers get errors or none at all: alerts go silent. A topic
that CloudWatch alarms notify is refused; other publishers (events, backups, scaling groups) cannot be found
out. The saved attributes, subscriptions and tags are for whoever makes it anew.
"""

from pydantic import Field

from bots import _saved_topics
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._policies import services_let_in
from bots._topics import TOPIC, notifying_alarms, topic_attributes, topic_home

NAMED_AT_MOST = 5


class Topic(Before):
    exists: bool
    topic_arn: str
    attributes: dict[str, str] = Field(default_factory=dict)
    subscriptions: tuple[dict[str, str], ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    data_protection_policy: str = ""


bot = Bot(
    name="sns_topic_delete",
    acts_on="AWS::SNS::Topic",
    target=entity("topicArn", "id"),
    params=NoParams,
    before=Topic,
    reads=(
        "sns:GetSubscriptionAttributes",
        "cloudwatch:DescribeAlarms",
        *on(TOPIC, "sns:GetTopicAttributes", *_saved_topics.READS),
    ),
    writes=on(TOPIC, "sns:DeleteTopic"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none(
        "messages are lost and subscribers by e-mail or HTTP would have to confirm again; make the topic anew "
        "from the saved settings"
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Topic]:
    home, arn = topic_home(aws, target)
    try:
        attributes = await topic_attributes(home, arn)
    except TargetGone as gone:
        return Check(
            compliant=True, before=Topic(exists=False, topic_arn=arn), why=str(gone), region=home.region
        )
    if alarms := await notifying_alarms(home, arn):
        some = ", ".join(alarms[:NAMED_AT_MOST])
        raise CannotFix(
            f"{len(alarms)} CloudWatch alarms notify topic {arn}: {some}; point them elsewhere first"
        )
    saved = await _saved_topics.settings_of(home, arn, attributes)
    services = sorted(services_let_in(attributes.get("Policy")))
    return Check(
        compliant=False,
        before=Topic(exists=True, topic_arn=arn, **saved),
        why=f"topic {arn} exists, with {len(saved['subscriptions'])} subscriptions",
        region=home.region,
        notes=(f"its policy lets {', '.join(services)} publish, which will fail",) if services else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Topic) -> None:
    home, arn = topic_home(aws, target)
    await home.call("sns", "DeleteTopic", TopicArn=arn)
