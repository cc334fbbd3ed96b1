"""One request from any address, as a server would hand it to the application: for floods, without a client's work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

HOST = "portal.birch.example"


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int = 0
    lines: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode("latin-1") for name, value in self.lines}


async def visit(
    app: ASGIApp,
    path: str,
    *,
    address: str | None = "192.0.2.1",
    method: str = "GET",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    query: bytes = b"",
    parts: Iterable[bytes] = (),
    root_path: str = "",
    host: str = HOST,
) -> Answer:
    """Send it: `parts` are the pieces of its body, in their order."""
    lines = list(headers.items() if isinstance(headers, Mapping) else headers)
    pieces = iter([*parts, None])
    answer = Answer()
    following = next(pieces)

    async def receive() -> Message:
        nonlocal following
        piece, following = following, next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": following is not None}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.lines = int(message["status"]), list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method,
        "scheme": "https", "path": path, "raw_path": path.encode(), "query_string": query, "root_path": root_path,
        "headers": [(b"host", host.encode()), *((name.encode(), value.encode("latin-1")) for name, value in lines)],
        "client": (address, 50000) if address is not None else None, "server": ("192.0.2.2", 443),
    }  # fmt: skip
    await app(scope, receive, send)
    return answer
