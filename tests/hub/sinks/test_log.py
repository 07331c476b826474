"""The one line a report leaves in the log."""

from __future__ import annotations

import json
import logging

import pytest

from hub.log import JsonLines
from hub.model import Outcome, Report
from hub.sinks.log import LogSink
from tests.hub.sample_reports import KEY, a_report, a_run, wanting_feedback


async def logged(caplog: pytest.LogCaptureFixture, report: Report) -> logging.LogRecord:
    with caplog.at_level(logging.INFO, logger="hub.sinks.log"):
        await LogSink().publish(report)
    [record] = caplog.records
    return record


async def test_a_report_is_one_line_that_says_which_and_how_it_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    report = a_report(
        a_run(1), a_run(2), a_run(3, bot="tag_ec2_resource", outcome=Outcome.GONE, changed=False)
    )
    record = await logged(caplog, report)
    line = json.loads(JsonLines().format(record))
    assert line.pop("time")
    assert line == {
        "level": "INFO",
        "logger": "hub.sinks.log",
        "message": "report",
        "report": report.report_id,
        "finding": "5lIxe4s1b+rAiwGSEF5d4Q",
        "account": "222233334444",
        "status": "skipped",
        "outcomes": {"fixed": 2, "gone": 1},
        "bots": ["s3_enable_versioning", "tag_ec2_resource"],
        "runs": ["00000000000000000001", "00000000000000000002", "00000000000000000003"],
        "changed": 2,
    }


async def test_a_report_with_a_failure_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert (await logged(caplog, a_report(a_run(1), a_run(2, outcome=Outcome.DENIED)))).levelname == "WARNING"


async def test_a_message_that_failed_as_a_whole_says_why(caplog: pytest.LogCaptureFixture) -> None:
    record = await logged(caplog, a_report(error="the message is not JSON"))
    assert vars(record)["error"] == "the message is not JSON"


async def test_no_secret_no_message_and_no_snapshot_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    run = a_run(message="what happened", before={"x": "a snapshot"}, bot=KEY)
    feedback = wanting_feedback("https://feedback.example.invalid/")
    record = await logged(caplog, a_report(run, key=f"{KEY}-1", error=KEY, feedback=feedback))
    line = JsonLines().format(record)
    for absent in (KEY, "what happened", "a snapshot", "feedback.example.invalid"):
        assert absent not in line


async def test_a_line_stays_a_line_however_long_the_report_is(caplog: pytest.LogCaptureFixture) -> None:
    runs = (a_run(n, bot=f"bot_{n}" * 500) for n in range(500))
    record = await logged(caplog, a_report(*runs, key="k" * 100_000, account_id="a\nb"))
    line = JsonLines().format(record)
    assert len(line) < 60_000
    assert "\n" not in line
    assert vars(record)["outcomes"] == {"fixed": 500}
