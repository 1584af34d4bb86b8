"""What the tests of the documentation share: a mark for those that run whole walks."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "slow: walks through a whole page with real processes; leave out with -m 'not slow'"
    )
