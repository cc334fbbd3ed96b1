"""The parts that have to do with the authority: a token that is still held, and the emulator that stands for Entra."""

import asyncio
import base64
import json
import time
from typing import Any, ClassVar
from urllib.parse import urlencode

import msal
from entrada_emulator.app import create_app
from entrada_emulator.directory import seeds
from starlette.types import Message

from bench.signed_in import PERSON
from bench.timing import Row, micros, micros_of
from entrada.principal import User
from entrada.provider.clients.msal_cache import view_of

HOST = "login.microsoftonline.com"
AUTHORITY = f"https://{HOST}/{PERSON.tenant_id}"
CLIENT = "9c1b9a9e-0000-4000-8000-000000000003"
SCOPE = "User.Read"


def held_token() -> list[Row]:
    """Find the access token in a session's cache, beside an MSAL application built for each request."""
    blob = cache_text()

    def with_msal() -> Any:
        cache = msal.SerializableTokenCache()
        cache.deserialize(blob)
        app = msal.ConfidentialClientApplication(
            CLIENT, "secret", AUTHORITY, token_cache=cache, http_client=_Metadata(), instance_discovery=False
        )
        found = app.acquire_token_silent([SCOPE], account=app.get_accounts()[0])
        return found["access_token"]

    if with_msal() != _ours(blob.encode()):
        raise RuntimeError("not the same token")
    ours, theirs = micros(lambda: _ours(blob.encode())), micros(with_msal, calls=50)
    return [
        ("access token still held · Entrada", f"{ours:.1f}", f"{ours / theirs:.2f} × MSAL"),
        ("access token still held · MSAL built for the request", f"{theirs:.1f}", "1.00 × MSAL"),
    ]


def _ours(blob: bytes) -> str:
    held = view_of(blob).newest([SCOPE])
    if held is None:
        raise RuntimeError("nothing held")
    return held.access_token


def cache_text(
    person: User = PERSON, *, client_id: str = CLIENT, refresh_token: str = "r" * 1200, life: int = 3600
) -> str:
    """Return an MSAL cache of one person as MSAL writes it; its access token lives for `life` seconds."""
    cache, now = msal.SerializableTokenCache(), int(time.time())
    claims = {"iss": person.issuer, "aud": client_id, "sub": person.subject, "exp": now + 3600, "iat": now}
    claims |= {"tid": person.tenant_id, "oid": person.object_id, "preferred_username": person.username}
    answer = {"token_type": "Bearer", "access_token": "a" * 1800, "refresh_token": refresh_token, "expires_in": life}
    answer |= {"scope": SCOPE, "client_info": _segment({"uid": person.object_id, "utid": person.tenant_id})}
    answer |= {"id_token": f"{_segment({'alg': 'RS256'})}.{_segment(claims)}.{_segment({})}"}
    endpoint = f"https://{HOST}/{person.tenant_id}/oauth2/v2.0/token"
    cache.add({"client_id": client_id, "scope": [SCOPE], "token_endpoint": endpoint, "response": answer, "data": {}})
    return cache.serialize()


def _segment(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


class _Metadata:
    """What MSAL reads when it is built, without the network that it would take: the peer at its best."""

    status_code = 200
    headers: ClassVar[dict[str, str]] = {}
    text = json.dumps(
        {
            "issuer": PERSON.issuer,
            "authorization_endpoint": f"{AUTHORITY}/oauth2/v2.0/authorize",
            "token_endpoint": f"{AUTHORITY}/oauth2/v2.0/token",
        }
    )

    def get(self, *_: object, **__: object) -> "_Metadata":
        return self

    def raise_for_status(self) -> None:
        """It is well."""

    def close(self) -> None:
        """Nothing is open."""


def emulator() -> list[Row]:
    """Ask the emulator's token endpoint for an access token, beside the one signature that is in it."""
    app = create_app()
    key = next(iter(app.state.emulator.state.keys.published()))
    form = {"client_id": seeds.DAEMON, "client_secret": "emulator-secret-birch-night-job"}
    form |= {"grant_type": "client_credentials", "scope": f"api://{seeds.API}/.default"}
    body = urlencode(form).encode()
    statuses: set[int] = set()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        statuses.add(message.get("status", 200))

    signature = micros(lambda: key.sign(body), calls=50)
    answered = asyncio.run(micros_of(lambda: app(_token_request(len(body)), receive, send), calls=50))
    if statuses != {200}:
        raise RuntimeError(f"answered {sorted(statuses)}")
    return [
        ("emulator · one RS256 signature", f"{signature:.0f}", "1.00 × signature"),
        (
            "emulator · token endpoint, with one",
            f"{answered:.0f}",
            f"{answered / signature:.2f} × signature",
        ),
    ]


def _token_request(length: int) -> dict[str, Any]:
    path = f"/{seeds.BIRCH.id}/oauth2/v2.0/token"
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", HOST.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", str(length).encode()),
        ],
        "client": ("127.0.0.1", 50000),
        "server": (HOST, 443),
    }
