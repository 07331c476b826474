from __future__ import annotations

import os

import pytest

from tests.deploy.packages import Built, built


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The packages for Lambda, and every library of the hub as a wheel."""
    base = tmp_path_factory.getbasetemp()
    return built(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
