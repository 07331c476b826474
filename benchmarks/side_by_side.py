"""Side by side: the same fixes by `hub work` and by c7n-org, both cold, whole processes with their defaults.

The hub takes its findings from a queue and keeps its journal in a file, as c7n-org its output. Needs PyPI
for the first run, see `benchmarks.c7n_side`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import c7n_side, sides, tree
from benchmarks.estate import FIRST, Estate, Spoke, findings, plant
from benchmarks.figure import Figure
from benchmarks.workers_side import fill
from tests.emulator.running import ROOT, Emulator
from tests.emulator.weather import Weather
from tests.fake_aws.server import HUB_ACCOUNT

ACCOUNTS, BUCKETS, GROUPS = 100, 5, 5
WEATHER = Weather(latency=0.05, record=True)
APART = 1_000_000  # between the account ids of estates


@dataclass(frozen=True, slots=True)
class Side:
    """What one side cost.

    Attributes:
        calls: into the accounts, in their names, and to STS to enter them.
        entries: those to STS among them.
        server: CPU seconds of the emulator meanwhile.
    """

    spent: tree.Spent
    calls: int
    entries: int
    server: float


def figures(emulator: Emulator) -> Iterator[Figure]:
    c7n_side.installed()
    estates = [
        plant(emulator, accounts=ACCOUNTS, buckets=BUCKETS, groups=GROUPS, first=FIRST + number * APART)
        for number in range(3)
    ]
    usual = _side(estates[0], lambda folder: c7n_side.run(estates[0], folder, detect=False))
    lean = _side(estates[1], lambda folder: c7n_side.run(estates[1], folder, detect=True))
    queue = _queue(estates[2])
    hub = _side(estates[2], lambda folder: _hub(estates[2], queue, folder))
    for each in estates:
        _right(each)
    calls = [call for call in emulator.counts()["recorded"] if _into_accounts(call)]
    bare = _side(estates[2], lambda folder: _bare(estates[2], calls, folder))
    return _told(hub, usual, lean, bare)


def _side(estate: Estate, run: Callable[[Path], tree.Spent]) -> Side:
    """Run one side under the weather all sides have."""
    emulator = estate.emulator
    emulator.weather(WEATHER)
    busy = _cpu_of(emulator.pid)
    with tempfile.TemporaryDirectory() as folder:
        spent = run(Path(folder))
    server = _cpu_of(emulator.pid) - busy
    counts = emulator.counts()
    entries = counts["calls"].get("sts:AssumeRole", 0)
    inside = sum(counts["accounts"].get(spoke.account_id, 0) for spoke in estate.spokes)
    return Side(spent, inside + entries, entries, server)


def _queue(estate: Estate) -> str:
    """A queue with all findings in it."""
    sqs = estate.emulator.admin(HUB_ACCOUNT).client("sqs")
    queue = str(sqs.create_queue(QueueName="findings")["QueueUrl"])
    fill(sqs, queue, list(findings(estate.spokes)))
    return queue


def _hub(estate: Estate, queue: str, folder: Path) -> tree.Spent:
    """A worker consumes the queue; when it is empty, everything is settled and reported."""
    sqs = estate.emulator.admin(HUB_ACCOUNT).client("sqs")
    left = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    def empty() -> bool:
        # Naming them would cost the emulator several times as much.
        told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        return not any(int(told[name]) for name in left)

    given = estate.hub_environment(HUB_QUEUE_URL=queue, HUB_JOURNAL=f"sqlite:{folder / 'journal.sqlite'}")
    return tree.run(
        [sys.executable, "-m", "hub", "work"],
        environment=sides.surroundings({**given, "PYTHONPATH": str(ROOT)}),
        folder=folder,
        seconds=sides.MOST_SECONDS,
        done=empty,
    )


def _bare(estate: Estate, calls: list[dict[str, Any]], folder: Path) -> tree.Spent:
    """A bare loop makes the hub's calls into the accounts again."""
    recording = folder / "calls.json"
    recording.write_text(json.dumps(calls), encoding="utf-8")
    return tree.run(
        [sys.executable, "-m", "benchmarks.floor_side", str(recording), str(sides.AT_ONCE)],
        environment=sides.surroundings({**estate.hub_environment(), "PYTHONPATH": str(ROOT)}),
        folder=folder,
        seconds=sides.MOST_SECONDS,
    )


def _into_accounts(call: Mapping[str, Any]) -> bool:
    return bool(call["account_id"] != HUB_ACCOUNT or call["operation"] == "AssumeRole")


def _right(estate: Estate) -> None:
    """
    Raises:
        RuntimeError: something is not fixed in an account, so its side did less than the other.
    """
    wrong = [spoke.account_id for spoke in estate.spokes if not _is_right(estate, spoke)]
    if wrong:
        raise RuntimeError(f"{len(wrong)} accounts are not right, {wrong[0]} among them")


def _is_right(estate: Estate, spoke: Spoke) -> bool:
    admin = estate.emulator.admin(spoke.account_id)
    s3, ec2 = admin.client("s3"), admin.client("ec2")
    versioned = (s3.get_bucket_versioning(Bucket=name).get("Status") for name in spoke.buckets)
    groups = ec2.describe_security_groups(GroupIds=list(spoke.groups))["SecurityGroups"]
    if len(groups) != len(spoke.groups) or any(group["IpPermissions"] for group in groups):
        return False
    return all(status == "Enabled" for status in versioned)


def _cpu_of(pid: int) -> float:
    """User and system seconds of a process so far (proc(5))."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _told(hub: Side, usual: Side, lean: Side, bare: Side) -> Iterator[Figure]:
    work = f"{ACCOUNTS * (BUCKETS + GROUPS):,} fixes in {ACCOUNTS} accounts"

    def figure(name: str, target: float, said: str, of: Callable[[Side], float], note: str = "") -> Figure:
        return Figure(
            name=f"side by side: {name}",
            value=f"{said.format(of(hub))} for {work}",
            floor=f"{said.format(of(usual))} of c7n-org",
            ratio=of(hub) / of(usual),
            target=target,
            note=f"c7n-org with `augment-keys: detect` {said.format(of(lean))} (ratio {of(hub) / of(lean):.2f}), "
            f"a bare loop of the hub's calls {said.format(of(bare))}{note}",
        )

    servers = ", ".join(f"{each.server:.0f}" for each in (hub, usual, lean, bare))
    entries = ", ".join(f"{each.entries:,}" for each in (hub, usual, lean, bare))
    yield figure(
        *("wall", 1 / 4, "{:.1f} s", lambda side: side.spent.wall),
        f"; CPU-s of the emulator in these four: {servers}",
    )
    yield figure("CPU", 1 / 6, "{:.1f} CPU-s", lambda side: side.spent.cpu)
    yield figure(
        *("memory", 1 / 5, "{:.0f} MB", lambda side: side.spent.peak),
        "; peak of the PSS of all processes",
    )
    yield figure(
        *("calls", 2 / 3, "{:,.0f} calls", lambda side: float(side.calls)),
        f"; AssumeRole among them: {entries}",
    )
