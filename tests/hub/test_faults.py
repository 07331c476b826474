"""AWS on a bad day: whatever is answered, every finding is settled and no word about a resource is untrue."""

from __future__ import annotations

import pytest

from hub.app import open_hub
from hub.model import Outcome
from tests.conftest import MakeSettings
from tests.emulator.faults import Fault
from tests.emulator.front import Front
from tests.emulator.serving import served
from tests.fake_aws.server import FakeAws
from tests.hub import bad_day

ACCOUNTS = 5
BUCKETS = 60  # `python -m benchmarks faults` has a thousand findings


async def test_on_a_bad_day_every_finding_is_settled_and_every_word_is_true(
    aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    spokes = bad_day.plant(aws, accounts=ACCOUNTS, buckets=BUCKETS)
    settings = hub_settings(*sorted({admin.account_id for admin in spokes.values()}))
    front = Front(aws.gate)
    async with served(front) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with bad_day.one_attempt_a_call():
            async with open_hub(settings) as hub:
                told = await bad_day.live_through(hub, spokes, front.change, lambda: front.counts.faults)
    assert told.untrue == ()
    assert told.wrong_after == ()
    assert sum(told.outcomes.values()) == len(spokes)
    assert len(spokes) / 4 < told.outcomes[Outcome.FIXED] < len(spokes), "the day was bad, and it showed"
    assert all(told.faults[fault] for fault in Fault), "in every way"
