"""What tests of several sinks start from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from hub.aws.accounts import HubIdentity
from hub.settings import OutputMode, Settings
from hub.sinks.sns import SnsSink
from tests.fake_aws.server import FakeAws, allow
from tests.hub.sinks.topic import Publish


@pytest.fixture
async def sink_on(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Publish]:
    """Makes started sinks whose hub may publish."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    for name, value in aws.hub_credentials(allow("sns:Publish"), role="publisher").items():
        monkeypatch.setenv(name, value)
    async with AsyncExitStack() as stack:

        async def make(arn: str, mode: OutputMode = OutputMode.JSON, **more: Any) -> SnsSink:
            sink = SnsSink(HubIdentity(Settings()), arn, mode, **more)
            await sink.start()
            stack.push_async_callback(sink.stop)
            return sink

        yield make
