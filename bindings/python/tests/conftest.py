"""What the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from narthex.testing import TestPortal, portal


@pytest.fixture
def school() -> Iterator[TestPortal]:
    with portal() as opened:
        yield opened
