"""The container: its file, followed line by line, gives a worker that fixes findings and stops when told to."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from deploy import package
from deploy.locked import LOCK, ROOT, read, runtime
from hub import __version__
from tests.deploy import image
from tests.deploy.image import Image
from tests.deploy.packages import Built
from tests.fake_aws.server import FakeAws, allow, policy, trust
from tests.hub.estate import make_estate, until, worker
from tests.hub.messages import finding, notification


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, packages: Built) -> Image:
    return image.build(tmp_path_factory.mktemp("image"), packages.offline)


def test_the_containers_command_is_a_worker_that_fixes_and_reports_and_stops_when_told(
    built: Image, aws: FakeAws, tmp_path: Path
) -> None:
    estate = make_estate(aws)
    estate.credentials()
    rights = policy(allow("s3:GetBucketVersioning", "s3:PutBucketVersioning", resource="arn:aws:s3:::*"))
    spoke = aws.spoke({"remediation": rights}, trusts=trust(estate.role_arn))
    bucket = f"data-{spoke.account_id}"
    spoke.client("s3").create_bucket(Bucket=bucket)
    estate.send(notification(json.dumps(finding(spoke.account_id, "s3_enable_versioning", id=bucket))))
    environment = estate.environment(spoke.account_id, **built.environment)
    command = [built.executable(), *built.command[1:]]
    with worker(environment, tmp_path / "log", command, cwd=tmp_path) as running:
        until(lambda: bool(estate.read_reports()), "the report")
        running.process.send_signal(signal.Signals[built.words["STOPSIGNAL"]])
        assert running.process.wait(timeout=60) == 0, running.log.read_text(encoding="utf-8")
    [entry] = estate.reports[0]["Rules violations found"]
    assert entry["Outcome"] == "fixed"
    assert spoke.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert [path.name for path in tmp_path.iterdir()] == ["log"], "it writes no file of its own"


LOOK = """
import json, re
from importlib.metadata import distributions
from importlib.resources import files

installed = [[re.sub(r"[-_.]+", "-", each.name).lower(), each.version] for each in distributions()]
data = ["deploy/hub.yaml", "spoke_role/role.yaml", "hub/dashboard/page.html"]
missing = [name for name in data if not files(name.split("/")[0]).joinpath(*name.split("/")[1:]).is_file()]
print(json.dumps([installed, missing]))
"""


def test_only_what_the_lock_says_the_hub_needs_is_installed_and_nothing_of_the_hub_is_left_out(
    built: Image,
) -> None:
    python = str(built.folder / "opt/hub/bin/python")
    looked = subprocess.run([python, "-I", "-c", LOOK], capture_output=True, text=True, check=True)
    listed, missing = json.loads(looked.stdout)
    installed = dict(listed)
    wanted = {each.name: each.version for each in read(ROOT / LOCK).needed(runtime(ROOT))}
    assert installed.pop("remediation-hub") == __version__
    assert installed == wanted
    assert missing == []


def test_it_is_not_root_has_no_shell_and_python_is_the_packages() -> None:
    lines = image.instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    last = lines[max(number for number, (name, _) in enumerate(lines) if name == "FROM") :]
    words = dict(last)
    assert int(words["USER"].partition(":")[0]) > 0
    assert json.loads(words["ENTRYPOINT"]) == ["hub"]
    assert json.loads(words["CMD"]) == ["work"]
    assert words["STOPSIGNAL"] == "SIGTERM"
    assert [name for name, _ in last if name == "RUN"] == [], "nothing is made where it runs"
    bases = [told for name, told in lines if name == "ARG"]
    digest = "(@sha256:[0-9a-f]{64})?"
    assert len(bases) == 1
    assert re.fullmatch(rf"PYTHON=python:{package.PYTHON}-slim-[a-z]+{digest}", bases[0])
    assert {told.split()[0] for name, told in lines if name == "FROM"} == {"${PYTHON}"}
    for name, told in lines:
        if name == "RUN":
            for step in told.split("&&"):
                assert " install " not in step or "--require-hashes" in step or "--no-index" in step, step
