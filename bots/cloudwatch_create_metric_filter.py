"""Tell somebody by e-mail of events that the CIS benchmark wants watched.

After: for every named event class the trail's log group has a metric filter, the metric an alarm, and
the alarm a topic that the address is subscribed to.
Caution: the address must confirm by the link AWS mails to it. Somebody's filter or alarm that bears the
name but does something else is replaced; such an alarm keeps its other actions. Metrics and alarms
have a price.
Finding: cloudwatch_create_metric_filter secops@example.com RootAccountLogins
"""

from typing import Annotated

from pydantic import Field

from bots import _alarm_topic, _alarms, _trail_logs
from bots._alarm_topic import EmailAddress, Listening, topic_arn
from bots._all_or_none import make, unmake
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity
from bots._cis_filters import FilterNames, chosen
from bots._trails import LOOK_UP, trail_of
from bots._words import Word


class Wish(Params):
    email_address: Annotated[EmailAddress, Field(description="who is told"), Word(aliases=("email",))]
    filters: FilterNames


class Watched(Before):
    region: str
    log_group: str
    listening: Listening
    watches: tuple[_alarms.Watch, ...]


bot = Bot(
    name="cloudwatch_create_metric_filter",
    acts_on="AWS::CloudTrail::Trail",
    target=entity("id", "name"),
    params=Wish,
    before=Watched,
    reads=(LOOK_UP, *_alarms.READS, *_alarm_topic.READS, *_trail_logs.READS),
    writes=(*_alarm_topic.WRITES, *_alarms.WRITES),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    creates=(
        f"the SNS topic {_alarm_topic.PREFIX}<region> with an e-mail subscription",
        f"per event class a metric filter, a metric in {_alarms.NAMESPACE} and an alarm",
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Watched]:
    trail = await trail_of(aws, target)
    group = await _trail_logs.filtered_group(trail)
    state, notes = await _alarm_topic.listening(trail.home, params.email_address)
    now = await _alarms.watches(trail.home, group, chosen(params.filters))
    topic = topic_arn(trail.home)
    silent = [watch.name for watch in now if not _alarms.tells(watch, topic)]
    return Check(
        compliant=state.subscribed and not silent,
        before=Watched(region=trail.home.region, log_group=group, listening=state, watches=now),
        why=f"of {len(now)} event classes in log group {group}, {len(now) - len(silent)} are told on {topic}"
        + (f", not {', '.join(silent)}" if silent else "")
        + ("" if state.subscribed else f"; {params.email_address} is not subscribed"),
        region=trail.home.region,
        notes=(*notes, *await _trail_logs.unseen(trail)),
        target_id=trail.arn,
        touches=(("AWS::SNS::Topic", topic),),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Watched) -> None:
    home = aws.at(before.region)
    topic, subscription = _alarm_topic.changes(home, before.listening)
    watching = _alarms.changes(home, before.log_group, before.watches, topic_arn(home))
    # The mail goes out last: it cannot be called back.
    await make([*topic, *watching, *subscription])


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Watched) -> None:
    home = aws.at(before.region)
    await _alarm_topic.refuse_to_silence_others(home, before.listening, _alarms.alarm_names(before.watches))
    topic, subscription = _alarm_topic.changes(home, before.listening)
    watching = _alarms.changes(home, before.log_group, before.watches, topic_arn(home))
    await unmake([*topic, *subscription, *watching])
