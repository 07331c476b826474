"""Reports in a file, one line each."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.flow.report import document
from hub.sinks.file import FileSink
from tests.hub.sample_reports import KEY, a_report, a_run, wanting_feedback


async def test_reports_are_appended_as_json_lines_to_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    path.write_text('{"from": "before"}\n', encoding="utf-8")
    reports = [a_report(a_run(entity_name="Prüfkübel\n語")), a_report(a_run(), occurrence="another")]
    sink = FileSink(path)
    for report in reports:
        await sink.publish(report)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"from": "before"}, *(document(each) for each in reports)]


async def test_reports_published_at_the_same_time_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    sink = FileSink(path)
    reports = [a_report(a_run(message=str(n) * 50_000), occurrence=str(n)) for n in range(20)]
    await asyncio.gather(*(sink.publish(report) for report in reports))
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert sorted(each["Report id"] for each in told) == sorted(report.report_id for report in reports)


async def test_the_feedback_key_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    feedback = wanting_feedback("https://feedback.example.invalid/")
    await FileSink(path).publish(a_report(a_run(message=f"key {KEY}"), feedback=feedback))
    assert KEY not in path.read_text(encoding="utf-8")


async def test_a_file_that_cannot_be_written_is_told_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "no-such-folder" / "reports.jsonl"
    with pytest.raises(HubError, match=r"could not be appended to .*no-such-folder.*: No such file"):
        await FileSink(path).publish(a_report(a_run()))
    assert FileSink(path).name == f"file {path}"
