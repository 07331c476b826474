"""Fixtures of the whole suite: a fake AWS per worker process, and an environment that knows nothing else."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from typing import Protocol

import pytest
from hypothesis import settings as hypothesis_settings

# Set before moto is imported: without its own images a new account's first EC2 call takes 0.1 s, not 0.75 s.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "false"

from hub.collecting import collect_seldom
from hub.settings import DeploymentMode, Settings
from tests.fake_aws.server import EXTERNAL_ID, FakeAws, fake_aws

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


collect_seldom()


def pytest_collection_finish() -> None:
    """What is imported by now stays: moto's models alone are a million objects to look through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def aws() -> Iterator[FakeAws]:
    """The fake AWS of this worker. Tests share it and keep apart by accounts of their own."""
    with fake_aws() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_but_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the developer's AWS configuration, credentials or hub settings."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "HUB_")) or name in ("ACCOUNT_MODE", "SNS_TOPIC_ARN", "OUTPUT_TYPE"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("CROSS_ACCOUNT_ROLE_NAME", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """The command line and the Lambda handler configure logging for their whole process; tests share one."""
    loggers = [logging.getLogger(name) for name in ("", "hub", "bots")]
    levels = [logger.level for logger in loggers]
    handlers = list(loggers[0].handlers)
    yield
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def hub_environment(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """The environment of a hub process in the hub account, with rights to enter spoke roles only."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    for name, value in aws.hub_credentials().items():
        monkeypatch.setenv(name, value)
    return aws


class MakeSettings(Protocol):
    def __call__(self, *accounts: str, **more: object) -> Settings: ...


@pytest.fixture
def hub_settings(hub_environment: FakeAws) -> MakeSettings:
    """`spoke_settings`, in the environment of a hub process."""
    return spoke_settings


def spoke_settings(*accounts: str, **more: object) -> Settings:
    """Settings of a multi-account hub that may enter the given accounts and keeps its journal in memory."""
    given: dict[str, object] = {
        "deployment_mode": DeploymentMode.MULTI,
        "accounts": accounts,
        "external_id": EXTERNAL_ID,
        "journal": "memory",
        "proof_seconds": 0.0,
        # The fake AWS meters nothing; a test that is about pacing says so itself.
        "calls_per_second": 1000,
    }
    return Settings.load(**(given | more))
