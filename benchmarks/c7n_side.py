"""c7n-org, the runner of Cloud Custodian for many accounts, from PyPI in an environment of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import sides, tree
from benchmarks.estate import Estate
from tests.emulator.running import ROOT
from tests.fake_aws.server import EXTERNAL_ID, SPOKE_ROLE

LOCK = ROOT / "benchmarks" / "c7n" / "requirements.lock"
HOME = ROOT / ".bench" / "c7n"
INSTALL_SECONDS = 600
# Both as Cloud Custodian's documentation writes them.
BUCKETS = {
    "name": "versioning",
    "resource": "s3",
    "filters": [
        {
            "or": [
                {"type": "value", "key": "Versioning.Status", "value": "Suspended"},
                {"type": "value", "key": "Versioning.Status", "value": "absent"},
            ]
        }
    ],
    "actions": [{"type": "toggle-versioning", "enabled": True}],
}
GROUPS = {
    "name": "ssh",
    "resource": "security-group",
    "filters": [{"type": "ingress", "IpProtocol": "tcp", "Ports": [22], "Cidr": {"value": "0.0.0.0/0"}}],
    "actions": [{"type": "remove-permissions", "ingress": "matched"}],
}
# Without it c7n reads ten configurations of every bucket; with it those its filters name, location and tags.
DETECT = {"query": [{"augment-keys": "detect"}]}


def installed() -> Path:
    """The command; made from the locked versions at the first use, which needs PyPI.

    Raises:
        RuntimeError: it cannot be installed.
    """
    stamp = HOME / ".lock"
    lock = LOCK.read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != lock:
        shutil.rmtree(HOME, ignore_errors=True)
        pip = [str(HOME / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        for command in (
            [sys.executable, "-m", "venv", str(HOME)],
            [*pip, "--require-hashes", "-r", str(LOCK)],
        ):
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
            if done.returncode:
                raise RuntimeError(f"c7n-org could not be installed from PyPI: {done.stderr[-500:]}")
        stamp.write_text(lock, encoding="utf-8")
    return HOME / "bin" / "c7n-org"


def run(estate: Estate, folder: Path, *, detect: bool) -> tree.Spent:
    """c7n-org finds and fixes what is wrong in all accounts, with as many processes as it takes by itself.

    Args:
        detect: whether it reads no more of a bucket than its filters need, which is not its default.
    """
    command = installed()
    cache = folder / "cache"
    cache.mkdir()
    accounts = _file(
        folder / "accounts.json", {"accounts": [_account(each.account_id) for each in estate.spokes]}
    )
    policies = _file(folder / "policies.json", {"policies": [BUCKETS | (DETECT if detect else {}), GROUPS]})
    return tree.run(
        [
            *(str(command), "run", "--config", accounts, "--use", policies),
            *("--output-dir", str(folder / "output"), "--cache-path", str(cache), "--region", "us-east-1"),
        ],
        environment=sides.surroundings(estate.hub_environment()),
        folder=folder,
        seconds=sides.MOST_SECONDS,
    )


def _account(account_id: str) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "name": f"account-{account_id}",
        "role": f"arn:aws:iam::{account_id}:role/{SPOKE_ROLE}",
        "external_id": EXTERNAL_ID,
    }


def _file(path: Path, content: dict[str, Any]) -> str:
    """JSON is YAML."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)
