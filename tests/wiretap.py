"""Overhears what goes between people, the application and the authority, and picks out what must stay between them."""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

Message = MutableMapping[str, Any]
Application = Callable[[Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

SECRET = frozenset(
    """
    code state nonce code_verifier code_challenge client_secret refresh_token access_token id_token client_info
    session_state logout_hint sid csrf_token password
    """.split()  # noqa: SIM905
)
SHORTEST = 16  # shorter values, such as client_info=1, are found in ordinary text


class Wiretap:
    """Listens at ASGI applications; `secrets` are the values so far, by the name under which each was sent."""

    def __init__(self) -> None:
        self.secrets: dict[str, set[str]] = {}

    def at(self, app: Application) -> Application:
        """Return the application with an ear at its door."""

        async def overheard(scope: Any, receive: Any, send: Any) -> None:
            async def receive_and_note() -> Message:
                message: Message = await receive()
                self._note(parse_qsl(message.get("body", b"").decode("latin-1")))
                return message

            async def send_and_note(message: Message) -> None:
                self._hear(message)
                await send(message)

            self._note(parse_qsl(scope.get("query_string", b"").decode()))
            self._note_headers(scope.get("headers", ()))
            await app(scope, receive_and_note, send_and_note)

        return overheard

    def values(self) -> list[str]:
        """Return everything that no log may hold, a token also in its parts."""
        whole = {value for values in self.secrets.values() for value in values}
        return sorted(whole | {part for value in whole for part in value.split(".") if len(part) >= SHORTEST})

    def _hear(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._note_headers(message.get("headers", ()))
        body = message.get("body", b"").decode("latin-1")
        self._note(re.findall(r'name="(\w+)"[^>]*? value="([^"]+)"', body))
        if body.startswith("{"):
            members = json.loads(body).items()  # whose `code`, in a problem document, is no authorization code
            self._note([(name, value) for name, value in members if isinstance(value, str) and name != "code"])

    def _note_headers(self, headers: Any) -> None:
        for name, value in headers:
            text = value.decode("latin-1")
            if name == b"location":
                self._note(parse_qsl(re.split(r"[?#]", text, maxsplit=1)[-1]))
            elif name in {b"cookie", b"set-cookie"}:
                pairs = text.split(";") if name == b"cookie" else text.split(";")[:1]
                self._keep("cookie", *(pair.partition("=")[2] for pair in pairs))
            elif name == b"authorization":
                self._keep("authorization", text.split()[-1])

    def _note(self, pairs: list[tuple[str, str]]) -> None:
        for name, value in pairs:
            if name in SECRET:
                self._keep(name, value)

    def _keep(self, name: str, *values: str) -> None:
        self.secrets.setdefault(name, set()).update(value for value in values if len(value) >= SHORTEST)
