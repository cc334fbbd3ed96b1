"""The emulator of the walks, and what tests arrange at it over its guarded control API."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from examples.run import Ports


@dataclass(frozen=True, slots=True)
class Tenant:
    """A running emulator."""

    ports: Ports
    data: Path
    """The folder that an application beside it is told; the emulator's own is below."""

    def lets_fail(self, endpoint: str, *, status: int) -> None:
        """The next request to an endpoint gets this status."""
        self._control("faults", {"endpoint": endpoint, "kind": "status", "status": status})

    @contextmanager
    def tells_a_profile(self) -> Iterator[None]:
        """At the end of the block, wait until the application has asked Graph about whoever signed in meanwhile."""
        self._control("requests", method="DELETE")
        yield
        give_up = time.monotonic() + 20
        while not self._control("requests?endpoint=graph", method="GET")["requests"]:
            assert time.monotonic() < give_up, "nobody has asked Graph"
            time.sleep(0.05)

    def ends_refresh_tokens(self) -> None:
        """Whatever refresh token there is has reached its age."""
        self._control("expire", {"what": "refresh_tokens"})

    def _control(self, path: str, body: dict[str, Any] | None = None, *, method: str = "POST") -> Any:
        key = (self.data / "emulator" / "control-key").read_text("ascii")
        url = f"http://localhost:{self.ports.pages}/_emulator/{path}"
        headers = {"authorization": f"Bearer {key}"}
        with httpx2.Client(trust_env=False) as client:
            return client.request(method, url, json=body, headers=headers).raise_for_status().json()
