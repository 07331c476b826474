"""A clock that is off is found out before AWS refuses what it signs."""

from __future__ import annotations

import time

import pytest

from hub.aws.accounts import HubIdentity
from hub.doctor import Wish, clock, look
from hub.doctor.words import Line, State
from tests.conftest import MakeSettings
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws


async def seen(settings: MakeSettings, *, off: float) -> Line:
    identity = HubIdentity(settings())
    try:
        return await clock.look(identity, now=lambda: time.time() + off)
    finally:
        await identity.close()


@pytest.mark.parametrize(
    ("off", "state", "told"),
    [
        (0, State.OK, "within"),
        (40, State.OK, "within"),
        (-90, State.WARNING, "90 s behind AWS's"),
        (200, State.WARNING, "ahead of AWS's"),
        (-400, State.FAILED, "400 s behind AWS's; AWS refuses signatures from 300 s on"),
        (400, State.FAILED, "ahead of AWS's"),
    ],
)
async def test_how_far_the_clock_is_off_is_told(
    off: float, state: State, told: str, hub_settings: MakeSettings
) -> None:
    line = await seen(hub_settings, off=off)
    assert line.state is state
    # The Date header has full seconds.
    assert any(text in line.seen for text in (told, told.replace("0 s", "1 s"), told.replace("90 s", "89 s")))


async def test_a_refusal_tells_the_time_too(aws: FakeAws, hub_settings: MakeSettings) -> None:
    aws.fail(HUB_ACCOUNT, "sts:GetCallerIdentity", "SignatureDoesNotMatch", status=403)
    assert (await seen(hub_settings, off=1000)).state is State.FAILED


async def test_with_a_clock_that_aws_refuses_doctor_says_so_and_nothing_else(
    hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = clock.look
    monkeypatch.setattr(clock, "look", lambda identity: real(identity, now=lambda: time.time() - 3600))
    health = await look(hub_settings("222233334444"), Wish())
    assert [line.subject for line in health.hub] == ["clock"]
    assert (health.accounts, health.well) == ((), False)
