"""Fixtures of the tests of the fake AWS."""

from __future__ import annotations

import pytest

from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.fake_aws.stack_set_estate import Estate, new_estate


@pytest.fixture
def admin(aws: FakeAws) -> Admin:
    """The administrator of an account of the test's own."""
    return aws.fresh_account()


@pytest.fixture
def estate(aws: FakeAws) -> Estate:
    """An organization of the test's own."""
    return new_estate(aws)
