"""Doctor: 1,000 accounts, all but a few with the spoke role as its template makes it, in a minute."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.estate import FIRST
from benchmarks.figure import Figure
from benchmarks.measured import cpu_seconds
from benchmarks.sides import surroundings
from spoke_role.policy import about_itself
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather
from tests.fake_aws.server import EXTERNAL_ID, HUB_ACCOUNT, SPOKE_ROLE, allow, policy
from tests.spoke_role.reading import ROOT, filled, parsed, substituted

ACCOUNTS = 1000
MOST_SECONDS = 60.0
WRONG = 20  # of them without the role: doctor has to say so


def figures(emulator: Emulator) -> Iterator[Figure]:
    accounts = [f"{FIRST + number}" for number in range(ACCOUNTS)]
    template = parsed((ROOT / "spoke_role/role.yaml").read_text(encoding="utf-8"))["Resources"]
    role = template["Role"]["Properties"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda account: _deploy(emulator, account, role), accounts[WRONG:]))
    keys = emulator.hub_credentials(allow("organizations:ListAccounts"))
    environment = {
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HUB_DEPLOYMENT_MODE": "multi",
        "HUB_EXTERNAL_ID": EXTERNAL_ID,
        "HUB_ACCOUNTS": ",".join(accounts),
        **keys,
    }
    emulator.weather(Weather(enforce=True))
    wall, cpu = _doctor(environment)
    calls = Counter[str](emulator.counts()["calls"])
    yield Figure(
        name=f"doctor: {ACCOUNTS:,} accounts",
        value=f"{wall:.1f} s, of it {cpu:.1f} CPU-s of doctor's own",
        floor=f"{MOST_SECONDS:.0f} s, the emulator on the same machine",
        ratio=wall / MOST_SECONDS,
        target=1.0,
        note=f"{calls.total():,} calls: {', '.join(f'{call} {n:,}' for call, n in calls.most_common(4))}",
    )


def _doctor(environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds on the clock and of CPU, the interpreter's start among them.

    Raises:
        RuntimeError: it saw something else than is there, so the figure would be about something else.
    """
    began, cpu = time.perf_counter(), cpu_seconds(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "hub", "doctor", "--json"],
        env=surroundings(environment),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began, cpu_seconds(resource.RUSAGE_CHILDREN) - cpu
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    standing = found.get("summary", {}).get("standing", {})
    if (standing.get("protected"), standing.get("not protected")) != (ACCOUNTS - WRONG, WRONG):
        raise RuntimeError(f"doctor saw {standing} and ended with {done.returncode}")
    states = Counter(account["state"] for account in found["accounts"])
    if states["ok"] + states["unknown"] != ACCOUNTS - WRONG:
        raise RuntimeError(f"doctor saw roles that are not right: {dict(states)}")
    return took


def _deploy(emulator: Emulator, account: str, role: Mapping[str, Any]) -> None:
    """The template's role, and of its policies what doctor needs: it takes the tag's word for the rest."""
    iam = emulator.admin(account).client("iam")
    names = {
        "AWS::Partition": "aws",
        "AWS::AccountId": account,
        "HubAccountId": HUB_ACCOUNT,
        "HubRoleName": "remediation-hub",
        "RoleName": SPOKE_ROLE,
        "ExternalId": EXTERNAL_ID,
    }
    made = filled(
        {key: role[key] for key in ("AssumeRolePolicyDocument", "Tags")}, names, InOrganization=False
    )
    iam.create_role(
        RoleName=SPOKE_ROLE,
        AssumeRolePolicyDocument=json.dumps(made["AssumeRolePolicyDocument"]),
        Tags=made["Tags"],
    )
    rights = policy(*(json.loads(substituted(json.dumps(each), names)) for each in about_itself()))
    iam.put_role_policy(RoleName=SPOKE_ROLE, PolicyName="itself", PolicyDocument=rights)
