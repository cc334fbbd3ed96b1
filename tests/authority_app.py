"""A little authority: an ASGI application that serves metadata and keys and signs tokens with chosen claims.

It has no opinion: tests make it right or wrong by changing `metadata`, `keys`, `answers` and the claims.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from entrada.settings import Settings
from tests.internet import Message

TENANT = "11111111-2222-4333-8444-555555555555"
OBJECT = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
CLIENT = "99999999-8888-4777-8666-555555555555"
HOST = "login.microsoftonline.com"
BASE = f"https://{HOST}/{TENANT}"
ISSUER = f"{BASE}/v2.0"
NONCE = "a-nonce-of-this-sign-in"
START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the key of this name: the same one all through a run, for making one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(name: str, **changes: Any) -> dict[str, Any]:
    """Return the public key of this name as Entra publishes it; a change to None leaves the member out."""
    numbers = rsa_key(name).public_key().public_numbers()
    members = {
        "kty": "RSA",
        "use": "sig",
        "kid": name,
        "n": base64url(numbers.n.to_bytes(256)),
        "e": "AQAB",
        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
    } | changes
    return {name: value for name, value in members.items() if value is not None}


def compact(header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes, *, signer: str = "one") -> str:
    """Return a token signed with RS256 by the key of this name, whatever its header says."""
    head = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    body = claims if isinstance(claims, bytes) else json.dumps(claims, separators=(",", ":")).encode()
    signing_input = f"{base64url(head)}.{base64url(body)}"
    signature = rsa_key(signer).sign(signing_input.encode(), padding.PKCS1v15(), SHA256())
    return f"{signing_input}.{base64url(signature)}"


HEADER: dict[str, Any] = {"typ": "JWT", "alg": "RS256", "kid": "one"}


class Absent:
    """The value of a claim that is left out; it has one name in every process, so that tests have too."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()
"""As the value of a claim or header: leave it out."""


def claims(now: datetime = START, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good Entra ID token with these changes."""
    seconds = int(now.timestamp())
    members = {
        "aud": CLIENT,
        "iss": ISSUER,
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + 3600,
        "name": "Alba Torres",
        "nonce": NONCE,
        "oid": OBJECT,
        "preferred_username": "alba@contoso.example",
        "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "tid": TENANT,
        "sid": "00112233-4455-4677-8899-aabbccddeeff",
        "ver": "2.0",
    } | changes
    return {name: value for name, value in members.items() if value is not ABSENT}


def token(
    *, header: Mapping[str, Any] | None = None, signer: str = "one", now: datetime = START, **changes: Any
) -> str:
    """Return a good ID token with these changes to its claims and header."""
    members = {key: value for key, value in (HEADER | dict(header or {})).items() if value is not ABSENT}
    return compact(members, claims(now, **changes), signer=signer)


def settings(**changes: Any) -> Settings:
    """Return settings for this authority."""
    return Settings(_env_file=None, **({"tenant_id": TENANT, "client_id": CLIENT} | changes))


class Clock:
    """A clock that tests move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class AuthorityApp:
    """Serves `metadata` and `keys`; `answers` maps a path to another ASGI application that answers it instead."""

    def __init__(self, base: str = BASE) -> None:
        self.metadata: dict[str, Any] = {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        }
        self.keys: list[Any] = [jwk("one"), jwk("two")]
        self.answers: dict[str, Any] = {}
        self.hits: dict[str, int] = {"metadata": 0, "keys": 0}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        which = "metadata" if scope["path"].endswith("/.well-known/openid-configuration") else "keys"
        self.hits[which] += 1
        if app := self.answers.get(which):
            await app(scope, receive, send)
            return
        document = self.metadata if which == "metadata" else {"keys": self.keys}
        await answer(json.dumps(document).encode())(scope, receive, send)


def answer(body: bytes, *, status: int = 200, content_type: str = "application/json; charset=utf-8") -> Any:
    """Return an ASGI application that always gives this answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", content_type.encode())]
        start: Message = {"type": "http.response.start", "status": status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": body})

    return app
