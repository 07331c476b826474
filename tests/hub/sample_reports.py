"""Reports for tests of whatever reads or sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from hub.flow.report import report_id
from hub.model import Feedback, Finding, Outcome, Report, Run

KEY = "not-a-real-key-4711"
BEGAN = datetime(2026, 11, 2, 8, 14, 27, tzinfo=UTC)


def a_run(number: int = 1, **changes: Any) -> Run:
    """A fixed bucket; ``changes`` are fields of `Run`."""
    values: dict[str, Any] = {
        "run_id": f"{number:020x}",
        "occurrence": "occurrence-1",
        "finding_key": "5lIxe4s1b+rAiwGSEF5d4Q",
        "account_id": "222233334444",
        "account_name": "workload-dev",
        "region": "eu-west-1",
        "rule": "S3 bucket without versioning",
        "severity": "High",
        "entity_id": "my-bucket",
        "entity_name": "my-bucket",
        "bot": "s3_enable_versioning",
        "target_type": "AWS::S3::Bucket",
        "target_id": "my-bucket",
        "outcome": Outcome.FIXED,
        "message": "versioning of bucket my-bucket is Off; changed, and read again: it is Enabled",
        "changed": True,
        "undo": "nearest",
        "before": {"status": "Off"},
        "after": {"status": "Enabled"},
        "session": "hub.s3_enable_versioning.0a1b2c3d4e5f",
        "opened_at": BEGAN,
        "closed_at": BEGAN + timedelta(seconds=1.25),
    }
    return Run(**(values | changes))


def a_finding(**changes: Any) -> Finding:
    """A CloudGuard finding about that bucket; ``changes`` are fields of `Finding`."""
    values: dict[str, Any] = {
        "dialect": "cloudguard",
        "occurrence": "occurrence-1",
        "key": "5lIxe4s1b+rAiwGSEF5d4Q",
        "passed": False,
        "account_id": "222233334444",
        "account_name": "workload-dev",
        "vendor": "AWS",
        "rule": "S3 bucket without versioning",
        "severity": "High",
        "report_time": "2026-11-02T08:14:27.318Z",
    }
    return Finding(**(values | changes))


def a_report(*runs: Run, error: str | None = None, **changes: Any) -> Report:
    """A report with these runs; ``changes`` are fields of `Finding`."""
    finding = a_finding(**changes)
    return Report(report_id=report_id(finding.occurrence), finding=finding, runs=runs, error=error)


def wanting_feedback(url: str, key: str = KEY) -> Feedback:
    """What a finding with all four logsHttpEndpoint fields asks for."""
    return Feedback(url=url, key=SecretStr(key), stream="remediation_feedback", partition_key="1")
