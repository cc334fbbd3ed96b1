"""When the applications of a test have taken a changed key ring up; they look at its file once in a second."""

import anyio
import pytest

PATIENCE = 60.0  # seconds


async def taken_up(log: pytest.LogCaptureFixture, *, times: int = 1) -> None:
    """Wait until they have said so, so many times since the test began."""
    with anyio.fail_after(PATIENCE):
        while sum("keys_taken_up" in record.getMessage() for record in log.records) < times:
            await anyio.sleep(0.05)
