"""One server for all plans of the oracle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from recorded_requests import Recording, recording_server


@pytest.fixture(scope="session")
def recording() -> Iterator[Recording]:
    with recording_server() as kept:
        yield kept
