"""The emulator of the walks, and what tests arrange at it over its guarded control API."""

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

    def ends_refresh_tokens(self) -> None:
        """Whatever refresh token there is has reached its age."""
        self._control("expire", {"what": "refresh_tokens"})

    def _control(self, path: str, body: dict[str, Any]) -> None:
        key = (self.data / "emulator" / "control-key").read_text("ascii")
        url = f"http://localhost:{self.ports.pages}/_emulator/{path}"
        headers = {"authorization": f"Bearer {key}"}
        with httpx2.Client(trust_env=False) as client:
            client.post(url, json=body, headers=headers).raise_for_status()
