"""Tell somebody by e-mail of events that the CIS benchmark wants watched.

After: for every named event class the trail's log group has a metric filter, the metric an alarm, and
the alarm a topic that the address is subscribed to.
Caution: the address must confirm by the link AWS mails to it. Somebody's filter or alarm that bears the
name but does something else is replaced; such an alarm keeps its other actions. Metrics and alarms
have a price.
Finding: cloudwatch_create_metric_filter secops@example.com RootAccountLogins
"""

from typing import Annotated, Literal

from pydantic import Field

from bots import _alarm_topic, _alarms
from bots._alarm_topic import Listening, listening, refuse_to_silence_others, topic_arn
from bots._alarms import Watch, alarm_name, tells, watches
from bots._all_or_none import Change, make, unmake
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._cis_filters import NAMES, FilterName
from bots._log_groups import GROUPS
from bots._trail_logs import filtered_group
from bots._trails import LOOK_UP, TRAIL, trail_of
from bots._words import Word

ADDRESS = r"^[^@\s,:=]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"


class Wish(Params):
    email_address: Annotated[str, Field(pattern=ADDRESS, description="who is told"), Word(aliases=("email",))]
    filters: Annotated[
        tuple[Literal[FilterName, "all"], ...],
        Field(min_length=1, description=f"event classes to watch: {', '.join(NAMES)}, or all"),
        Word(rest=True),
    ]

    @property
    def names(self) -> tuple[FilterName, ...]:
        return tuple(name for name in NAMES if name in self.filters or "all" in self.filters)


class Watched(Before):
    region: str
    log_group: str
    listening: Listening
    watches: tuple[Watch, ...]


bot = Bot(
    name="cloudwatch_create_metric_filter",
    acts_on="AWS::CloudTrail::Trail",
    target=entity("id", "name"),
    params=Wish,
    before=Watched,
    reads=(
        LOOK_UP,
        *_alarms.READS,
        *_alarm_topic.READS,
        *on(TRAIL, "cloudtrail:GetTrailStatus"),
        *on(GROUPS, "logs:DescribeLogGroups"),
    ),
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
    group = await filtered_group(trail)
    status = await trail.home.call("cloudtrail", "GetTrailStatus", Name=trail.arn)
    state, notes = await listening(trail.home, params.email_address)
    now = await watches(trail.home, group, params.names)
    topic = topic_arn(trail.home)
    silent = [watch.name for watch in now if not tells(watch, topic)]
    notes += () if trail.all_regions else (f"trail {trail.name} records one region only",)
    notes += () if status["IsLogging"] else (f"trail {trail.name} is switched off: nothing can be seen",)
    return Check(
        compliant=state.subscribed and not silent,
        before=Watched(region=trail.home.region, log_group=group, listening=state, watches=now),
        why=f"of {len(now)} event classes in log group {group}, {len(now) - len(silent)} are told on {topic}"
        + (f", not {', '.join(silent)}" if silent else "")
        + ("" if state.subscribed else f"; {params.email_address} is not subscribed"),
        region=trail.home.region,
        notes=notes,
        target_id=trail.arn,
        touches=(("AWS::SNS::Topic", topic),),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Watched) -> None:
    topic, watching, subscription = _changes(aws, before)
    # The mail goes out last: it cannot be called back.
    await make([*topic, *watching, *subscription])


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Watched) -> None:
    own = {alarm_name(watch.name) for watch in before.watches}
    await refuse_to_silence_others(aws.at(before.region), before.listening, own)
    topic, watching, subscription = _changes(aws, before)
    await unmake([*topic, *subscription, *watching])


def _changes(aws: Aws, before: Watched) -> tuple[list[Change], list[Change], list[Change]]:
    home = aws.at(before.region)
    topic, subscription = _alarm_topic.changes(home, before.listening)
    watching = [
        change
        for watch in before.watches
        for change in _alarms.changes(home, before.log_group, watch, topic_arn(home))
    ]
    return topic, watching, subscription
