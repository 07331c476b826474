"""One event class watched: the metric filter that counts it and the alarm that tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from bots._all_or_none import Change
from bots._aws import Aws
from bots._bot import Before, on
from bots._cis_filters import PATTERNS, FilterName, same_pattern
from bots._log_groups import GROUPS

NAMESPACE = "CISBenchmark"
_ALARMS = ("arn:{partition}:cloudwatch:*:{account}:alarm:* Alarm",)
READS = (*on(GROUPS, "logs:DescribeMetricFilters"), "cloudwatch:DescribeAlarms")
WRITES = (
    *on(GROUPS, "logs:PutMetricFilter", "logs:DeleteMetricFilter"),
    *on(_ALARMS, "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"),
)
# What PutMetricFilter and PutMetricAlarm take of what AWS tells.
_OF_FILTERS = ("filterPattern", "metricTransformations", "applyOnTransformedLogs")
_OF_ALARMS = (
    "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName",
    "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
    "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile",
    "Metrics", "ThresholdMetricId",
)  # fmt: skip
_ONE_IS_ENOUGH = {
    "Statistic": "Sum",
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 1.0,
    "ActionsEnabled": True,
}


class Watch(Before):
    """``filter`` and ``alarm``: what bears our names, None if nothing does. ``metric``: namespace and name
    of the metric that some filter of the log group counts this event class with."""

    name: FilterName
    filter: dict[str, Any] | None
    alarm: dict[str, Any] | None
    metric: tuple[str, str] | None


def _alarm_name(name: FilterName) -> str:
    return f"{name} Alarm"


def alarm_names(watches: Iterable[Watch]) -> set[str]:
    """The names of our alarms of these event classes."""
    return {_alarm_name(watch.name) for watch in watches}


async def watches(home: Aws, group: str, names: tuple[FilterName, ...]) -> tuple[Watch, ...]:
    """How the event classes are watched in the log group now."""
    found = home.pages("logs", "DescribeMetricFilters", items="metricFilters", logGroupName=group)
    filters = [each async for each in found]
    # AWS answers with as many alarms as can be named, so there is one page.
    answer = await home.call(
        "cloudwatch", "DescribeAlarms", AlarmNames=[_alarm_name(name) for name in names], MaxRecords=100
    )
    alarms = {each["AlarmName"]: _kept(each, _OF_ALARMS) for each in answer.get("MetricAlarms", ())}
    by_name = {each["filterName"]: _kept(each, _OF_FILTERS) for each in filters}
    return tuple(
        Watch(
            name=name,
            filter=by_name.get(name),
            alarm=alarms.get(_alarm_name(name)),
            metric=_metric(filters, name),
        )
        for name in names
    )


def _kept(found: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: found[key] for key in keys if found.get(key) not in (None, [], "")}


def _metric(filters: list[dict[str, Any]], name: FilterName) -> tuple[str, str] | None:
    right = [each for each in filters if same_pattern(each.get("filterPattern", ""), PATTERNS[name])]
    metrics = [
        (metric["metricNamespace"], metric["metricName"])
        for each in sorted(right, key=lambda each: bool(each["filterName"] != name))
        for metric in each["metricTransformations"]
        if metric["metricValue"] == "1"
    ]
    return metrics[0] if metrics else None


def tells(watch: Watch, topic: str) -> bool:
    """Whether an event leads to a message on the topic."""
    if watch.metric is None or watch.alarm is None:
        return False
    wanted = {"Namespace": watch.metric[0], "MetricName": watch.metric[1], **_ONE_IS_ENOUGH}
    plain = not watch.alarm.get("Dimensions") and topic in watch.alarm.get("AlarmActions", ())
    return plain and all(watch.alarm.get(key) == value for key, value in wanted.items())


def changes(home: Aws, group: str, watches: Iterable[Watch], topic: str) -> list[Change]:
    """What is missing of filters and alarms. Somebody's alarm of that name keeps what it does besides."""
    found = []
    for watch in watches:
        if watch.metric is None:
            found.append(_filter_change(home, group, watch))
        if not tells(watch, topic):
            found.append(_alarm_change(home, watch, topic))
    return found


def _filter_change(home: Aws, group: str, watch: Watch) -> Change:
    which = {"logGroupName": group, "filterName": watch.name}
    metric = {"metricNamespace": NAMESPACE, "metricName": watch.name, "metricValue": "1"}
    put = partial(home.call, "logs", "PutMetricFilter", **which)
    return Change(
        partial(put, filterPattern=PATTERNS[watch.name], metricTransformations=[metric]),
        partial(put, **watch.filter)
        if watch.filter is not None
        else partial(home.call, "logs", "DeleteMetricFilter", **which),
    )


def _alarm_change(home: Aws, watch: Watch, topic: str) -> Change:
    name, was = _alarm_name(watch.name), watch.alarm or {}
    namespace, metric = watch.metric or (NAMESPACE, watch.name)
    kept = {key: was[key] for key in ("OKActions", "InsufficientDataActions") if key in was}
    put = partial(home.call, "cloudwatch", "PutMetricAlarm", AlarmName=name)
    return Change(
        partial(
            put,
            AlarmDescription=was.get("AlarmDescription", f"CIS: {watch.name} in CloudTrail's log"),
            AlarmActions=list(dict.fromkeys([*was.get("AlarmActions", ()), topic])),
            Namespace=namespace,
            MetricName=metric,
            Period=300,
            EvaluationPeriods=1,
            TreatMissingData="notBreaching",
            **_ONE_IS_ENOUGH,
            **kept,
        ),
        partial(put, **watch.alarm)
        if watch.alarm is not None
        else partial(home.call, "cloudwatch", "DeleteAlarms", AlarmNames=[name]),
    )
