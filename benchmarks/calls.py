"""Calls per finding: in an account that was entered before, nothing but what the bots declare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from benchmarks import sides
from benchmarks.estate import VERSIONING, message, plant
from benchmarks.figure import Figure
from bots._catalogue import bot_named
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather
from tests.fake_aws.server import HUB_ACCOUNT

BOTS = (VERSIONING, "s3_block_all_public_access")
REPORT = "sns:Publish"


def figures(emulator: Emulator) -> Iterator[Figure]:
    estate = plant(emulator, accounts=1, buckets=2)
    [spoke] = estate.spokes
    first, second = (message(spoke.account_id, bucket, *BOTS) for bucket in spoke.buckets)
    emulator.weather(Weather(record=True))
    sides.only(sides.hub(estate, [second], warm=[first])["outcomes"], "fixed", len(BOTS))
    recorded = emulator.counts()["recorded"]
    mine = [call for call in recorded if spoke.buckets[1] in str(call["params"])]
    inside = Counter(f"{call['service']}:{call['operation']}" for call in mine if call["service"] != "sns")
    entries = sum(call["service"] in ("sts", "organizations") for call in recorded)
    # One entry for each bot and one look at who the hub is, all of them for the first finding.
    late = entries - len(BOTS) - 1
    declared = sum(len(bot_named(name).actions) for name in BOTS)
    hub = Counter(call["operation"] for call in recorded if call["account_id"] == HUB_ACCOUNT)
    yield Figure(
        name="calls of a warm finding that no bot declares",
        value=f"{late} of STS or Organizations",
        floor=f"{inside.total()} calls in the account by two bots that declare {declared} actions",
        ratio=float(late),
        target=0,
        note=", ".join(f"{name} {count}" for name, count in sorted(inside.items()))
        + f"; beside them one {REPORT} ({hub['Publish']} for two findings)",
    )
