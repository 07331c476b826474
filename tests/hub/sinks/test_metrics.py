"""Metrics as CloudWatch reads them out of log lines, and no more of them than somebody wants to pay for."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.log import JsonLines
from hub.model import Outcome, Report, Run
from hub.sinks.metrics import MetricsSink
from tests.hub.sample_reports import a_report, a_run


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        json.loads(JsonLines().format(record)) for record in caplog.records if record.message == "metrics"
    ]


def lasting(run: Run, seconds: float) -> Run:
    return replace(run, closed_at=run.opened_at + timedelta(seconds=seconds))


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hub.sinks.metrics")


async def test_runs_are_counted_by_bot_and_outcome_with_their_durations(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = MetricsSink("Hub")
    await sink.publish(a_report(lasting(a_run(1), 0.5), lasting(a_run(2), 1.5)))
    await sink.publish(a_report(a_run(3, outcome=Outcome.DENIED)))
    sink.emit(Throttles=3, Waiting=7, QueueAge=12.5)
    everything, *each = lines(caplog)
    [about] = everything["_aws"]["CloudWatchMetrics"]
    assert about["Namespace"] == "Hub"
    assert about["Dimensions"] == [[]]
    assert {metric["Name"]: everything[metric["Name"]] for metric in about["Metrics"]} == {
        "Findings": 2, "Failed": 1, "Unreachable": 0, "Throttled": 0, "Throttles": 3, "Waiting": 7, "QueueAge": 12.5,
    }  # fmt: skip
    told = {(line["Bot"], line["Outcome"]): line for line in each if "Bot" in line}
    assert set(told) == {("s3_enable_versioning", "fixed"), ("s3_enable_versioning", "denied")}
    fixed = told["s3_enable_versioning", "fixed"]
    assert (fixed["Runs"], fixed["Duration"]) == (2, [0.5, 1.5])
    assert fixed["accounts"] == {"222233334444": 2}
    [about] = fixed["_aws"]["CloudWatchMetrics"]
    assert about["Dimensions"] == [["Bot", "Outcome"]]
    assert about["Metrics"] == [{"Name": "Runs", "Unit": "Count"}, {"Name": "Duration", "Unit": "Seconds"}]


async def test_outcomes_are_added_up_over_all_bots(caplog: pytest.LogCaptureFixture) -> None:
    sink = MetricsSink("Hub")
    await sink.publish(a_report(a_run(1), a_run(2, bot="tag_ec2_resource"), a_run(3, outcome=Outcome.DENIED)))
    sink.emit()
    added = [line for line in lines(caplog) if "Outcome" in line and "Bot" not in line]
    assert [(line["Outcome"], line["Runs"]) for line in added] == [("denied", 1), ("fixed", 2)]
    for line in added:
        [about] = line["_aws"]["CloudWatchMetrics"]
        assert about["Dimensions"] == [["Outcome"]]
        assert about["Metrics"] == [{"Name": "Runs", "Unit": "Count"}]


async def test_what_was_written_down_is_not_counted_again(caplog: pytest.LogCaptureFixture) -> None:
    sink = MetricsSink("Hub")
    await sink.publish(a_report(a_run(1)))
    sink.emit()
    caplog.clear()
    sink.emit()
    assert [line["Findings"] for line in lines(caplog)] == [0]


async def totals(caplog: pytest.LogCaptureFixture, *reports: Report) -> dict[str, float]:
    """What alarms see of these reports."""
    sink = MetricsSink("Hub")
    for report in reports:
        await sink.publish(report)
    sink.emit()
    everything, *_ = lines(caplog)
    [about] = everything["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: everything[metric["Name"]] for metric in about["Metrics"]}


async def test_an_alarm_sees_findings_not_bots(caplog: pytest.LogCaptureFixture) -> None:
    two_of_one = a_report(a_run(1, outcome=Outcome.UNREACHABLE), a_run(2, outcome=Outcome.UNREACHABLE))
    slow_and_done = a_report(a_run(3, outcome=Outcome.THROTTLED), a_run(4))
    assert await totals(caplog, two_of_one, slow_and_done, a_report(a_run(5))) == {
        "Findings": 3, "Failed": 2, "Unreachable": 1, "Throttled": 1,
    }  # fmt: skip


async def test_a_finding_nobody_could_handle_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    assert (await totals(caplog, a_report(error="not JSON")))["Failed"] == 1


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome.well])
async def test_what_needs_no_help_does_not_count_as_failed(
    outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await totals(caplog, a_report(a_run(1, outcome=outcome))))["Failed"] == 0


async def test_a_hub_with_nothing_to_do_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert await totals(caplog) == {"Findings": 0, "Failed": 0, "Unreachable": 0, "Throttled": 0}


async def test_a_broken_rules_file_is_told_until_it_is_right(caplog: pytest.LogCaptureFixture) -> None:
    sink = MetricsSink("Hub")
    sink.rules_broken()
    sink.rules_broken()
    sink.emit()
    sink.emit()
    first, second = lines(caplog)
    assert first["RulesBroken"] == 2
    assert {"Name": "RulesBroken", "Unit": "Count"} in first["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert "RulesBroken" not in second


async def test_a_line_holds_a_hundred_values_at_most(caplog: pytest.LogCaptureFixture) -> None:
    sink = MetricsSink("Hub")
    await sink.publish(a_report(*(a_run(number) for number in range(250))))
    sink.emit()
    assert [len(line["Duration"]) for line in lines(caplog) if "Bot" in line] == [100, 100, 50]


async def test_words_somebody_wrote_into_a_finding_become_no_metric(caplog: pytest.LogCaptureFixture) -> None:
    sink = MetricsSink("Hub")
    await sink.publish(a_report(*(a_run(n, bot=f"made_up_{n}", outcome=Outcome.INVALID) for n in range(5))))
    sink.emit()
    assert [(line["Bot"], line["Runs"]) for line in lines(caplog) if "Bot" in line] == [("invalid", 5)]


async def test_without_a_namespace_nothing_is_written(caplog: pytest.LogCaptureFixture) -> None:
    sink = MetricsSink("")
    await sink.publish(a_report(a_run(1)))
    sink.emit(Throttles=1)
    assert lines(caplog) == []
