"""Alarms and dashboard: they watch metrics that are really written, under the names they are written with."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from hub.log import JsonLines
from hub.sinks.metrics import MetricsSink
from tests.deploy.hub_template import hub
from tests.deploy.worked_out import REGIONS, WorkedOut
from tests.hub.sample_reports import a_report, a_run

NAMESPACE = "Security/Hub"
# What AWS itself writes: the metrics' names in the user guides of SQS, SNS and Lambda.
AWS_METRICS = {
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName",)),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", ("QueueName",)),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName",)),
    ("AWS/SNS", "NumberOfNotificationsFailed", ("TopicName",)),
    ("AWS/Lambda", "Errors", ("FunctionName",)),
    ("AWS/Lambda", "Throttles", ("FunctionName",)),
    ("AWS/Lambda", "Duration", ("FunctionName",)),
    ("AWS/Lambda", "ConcurrentExecutions", ("FunctionName",)),
}
Metric = tuple[str, str, tuple[str, ...]]


@pytest.fixture
async def written(caplog: pytest.LogCaptureFixture) -> set[Metric]:
    """Every metric there is: those of AWS and those the hub writes."""
    caplog.set_level(logging.INFO, "hub.sinks.metrics")
    sink = MetricsSink(NAMESPACE)
    await sink.publish(a_report(a_run(1)))
    sink.rules_broken()
    sink.emit(Throttles=1, Waiting=1, QueueAge=1)
    found: set[Metric] = {*AWS_METRICS}
    for record in caplog.records:
        for about in json.loads(JsonLines().format(record))["_aws"]["CloudWatchMetrics"]:
            for metric in about["Metrics"]:
                for dimensions in about["Dimensions"]:
                    found.add((about["Namespace"], metric["Name"], tuple(dimensions)))
    return found


def stack(**parameters: str) -> WorkedOut:
    return hub(MetricsNamespace=NAMESPACE, **parameters)


def alarms(**parameters: str) -> dict[str, dict[str, Any]]:
    """By the end of their names."""
    found = stack(**parameters).of_type("AWS::CloudWatch::Alarm").values()
    assert all(each["AlarmName"].startswith("remediation-hub-") for each in found)
    return {each["AlarmName"].removeprefix("remediation-hub-"): each for each in found}


def watched(alarm: dict[str, Any]) -> Iterator[Metric]:
    if "Metrics" in alarm:
        for each in alarm["Metrics"]:
            if "MetricStat" in each:
                metric = each["MetricStat"]["Metric"]
                yield metric["Namespace"], metric["MetricName"], ()
    else:
        names = tuple(each["Name"] for each in alarm.get("Dimensions", []))
        yield alarm["Namespace"], alarm["MetricName"], names


def test_somebody_is_told_of_each_trouble() -> None:
    both = {
        "findings-set-aside", "findings-wait", "findings-not-delivered", "reports-not-delivered",
        "accounts-unreachable", "findings-throttled", "findings-fail", "rules-broken",
    }  # fmt: skip
    assert alarms(Compute="none").keys() == both
    assert alarms().keys() == both | {"function-fails"}


def test_every_alarm_goes_to_the_topic_of_alarms_and_says_what_to_do() -> None:
    for alarm in alarms().values():
        assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:111122223333:remediation-hub-alarms"]
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"].count(".") >= 1


def test_every_alarm_watches_a_metric_somebody_writes(written: set[Metric]) -> None:
    seen = {metric for alarm in alarms().values() for metric in watched(alarm)}
    assert seen <= written


def test_alarms_watch_this_hubs_queues_topics_and_function() -> None:
    found = {
        name: [each["Value"] for each in alarm.get("Dimensions", [])] for name, alarm in alarms().items()
    }
    assert found == {
        "findings-set-aside": ["remediation-hub-findings-dead"],
        "findings-wait": ["remediation-hub-findings"],
        "findings-not-delivered": ["d9-findings"],
        "reports-not-delivered": ["remediationOutput"],
        "accounts-unreachable": [],
        "findings-throttled": [],
        "findings-fail": [],
        "rules-broken": [],
        "function-fails": ["remediation-hub"],
    }


def test_one_dead_letter_is_enough() -> None:
    alarm = alarms()["findings-set-aside"]
    assert (alarm["Threshold"], alarm["Statistic"], alarm["EvaluationPeriods"]) == (0, "Maximum", 1)


def test_one_look_at_rules_that_cannot_be_used_is_enough() -> None:
    alarm = alarms()["rules-broken"]
    assert (alarm["Threshold"], alarm["Statistic"], alarm["EvaluationPeriods"]) == (0, "Sum", 1)
    assert "hub rules check" in alarm["AlarmDescription"]


@pytest.mark.parametrize(
    ("failed", "findings", "raised"),
    [(0, 100, False), (25, 100, False), (26, 100, True), (2, 4, False), (2, 5, True)],
)
def test_the_failure_rate_is_that_of_enough_findings(failed: int, findings: int, raised: bool) -> None:
    alarm = alarms(FailureRate="25")["findings-fail"]
    rate, *figures = alarm["Metrics"]
    assert {each["Id"] for each in figures} == {"failed", "findings"}
    assert not any(each["ReturnData"] for each in figures)
    least = re.fullmatch(r"IF\(findings >= (\d+), 100 \* failed / findings, 0\)", rate["Expression"])
    assert least is not None
    percent = 100 * failed / findings if findings >= int(least[1]) else 0
    assert (percent > int(alarm["Threshold"])) is raised


# --- the dashboard


def widgets(partition: str = "aws", **parameters: str) -> list[dict[str, Any]]:
    made = hub(partition, MetricsNamespace=NAMESPACE, **parameters)
    body = json.loads(made.properties("Dashboard")["DashboardBody"])
    found: list[dict[str, Any]] = body["widgets"]
    return found


def shown(widget: dict[str, Any]) -> Iterator[Metric]:
    """The metrics of a graph; a dot repeats what stands there in the line before."""
    before: list[str] = []
    for line in widget["properties"]["metrics"]:
        words = [word for word in line if isinstance(word, str)]
        for options in (word for word in line if isinstance(word, dict)):
            for schema, name in re.findall(
                r"SEARCH\('\{([^}]+)\} MetricName=\"(\w+)\"', '\w+'\)", options.get("expression", "")
            ):
                namespace, *dimensions = schema.split(",")
                yield namespace.strip('"'), name, tuple(dimensions)
        if words:
            before = [before[n] if word == "." else word for n, word in enumerate(words)]
            yield before[0], before[1], tuple(before[2::2])


def test_every_graph_shows_metrics_somebody_writes(written: set[Metric]) -> None:
    seen = {metric for widget in widgets() for metric in shown(widget)}
    assert seen <= written


def test_the_dashboard_shows_how_the_hub_does() -> None:
    seen = {(name, dimensions) for widget in widgets() for _, name, dimensions in shown(widget)}
    assert seen >= {
        ("Runs", ("Outcome",)), ("Findings", ()), ("Failed", ()), ("Unreachable", ()), ("Throttled", ()),
        ("Throttles", ()), ("Duration", ("Bot", "Outcome")),
        *((name, dimensions) for _, name, dimensions in AWS_METRICS if not name.startswith("NumberOf")),
    }  # fmt: skip
    queues = {line[3] for each in widgets() for line in each["properties"]["metrics"] if line[0] == "AWS/SQS"}
    assert queues == {"remediation-hub-findings", "remediation-hub-findings-dead"}


def test_without_lambda_the_dashboard_shows_no_function() -> None:
    assert len(widgets()) == len(widgets(Compute="none")) + 1
    assert "AWS/Lambda" not in json.dumps(widgets(Compute="none"))


@pytest.mark.parametrize("partition", list(REGIONS))
def test_graphs_are_of_the_stacks_region(partition: str) -> None:
    regions = {widget["properties"]["region"] for widget in widgets(partition)}
    assert regions == {REGIONS[partition]}
