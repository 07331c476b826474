"""The demo is the main job, so it is run as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

DEMO_SECONDS = 120


def test_the_demo_ends_with_every_outcome_as_expected(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--accounts", "6", "--out", str(tmp_path / "out"), "--json"],
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
        # Whatever AWS set-up the person has must not reach the demo.
        env={**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "somebody's"},
    )
    assert done.returncode == 0, done.stderr
    assert "every outcome as expected" in done.stderr
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert json.loads((tmp_path / "out" / "reports.json").read_text()) == reports
    approved = [
        entry
        for report in reports
        for entry in report["Rules violations found"]
        if entry.get("Resumes") is not None
    ]
    assert {(entry["Remediation"], entry["Outcome"]) for entry in approved} == {
        ("ec2_stop_instance", "fixed")
    }
    assert all(entry["Approved by"] for entry in approved)
    entries = {entry["Name"]: entry for report in reports for entry in report["Rules violations found"]}
    assert entries["my-dome9-test"]["Outcome"] == "fixed"
    outcomes = {entry["Outcome"] for report in reports for entry in report["Rules violations found"]}
    assert outcomes == {"fixed", "compliant", "gone", "refused", "invalid", "restored", "waiting"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "dome9-test-sg" in page
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
