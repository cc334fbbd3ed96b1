"""The token clients and the authorities that the contract runs them against, three pairs with one face."""

import base64
import hashlib
import json
import secrets
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from pydantic import SecretStr

from entrada.provider.authority import Authority
from entrada.provider.authorization import authorize_url, code_challenge
from entrada.provider.clients.clients import credentials_of, token_client
from entrada.provider.clients.token_client import CodeGrant, TokenClient, sent_nonce
from entrada.provider.egress import Egress
from entrada.provider.metadata import Metadata, parse
from entrada.settings import Settings
from tests.internet import Application, Internet, Message
from tests.providers.django_provider import DjangoProvider

JSON = (b"content-type", b"application/json")


@dataclass
class MovableClock:
    """Our clock in a test's hands: the machine's, moved."""

    offset: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def move(self, **by: float) -> None:
        self.offset += timedelta(**by)


@dataclass(frozen=True)
class TokenRequest:
    """What came to the token endpoint."""

    query: bytes
    headers: dict[bytes, bytes]
    form: dict[str, list[str]]


def canned(
    body: bytes = b"", *, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = (JSON,), after: float = 0
) -> Application:
    """Return an application that answers so, whatever it is asked, after so many seconds."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await anyio.sleep(after)
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return app


async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
    """End the connection without an answer."""


@dataclass
class TokenEndpoint:
    """Stands before the authority: notes each token request, and answers the next ones itself when told so."""

    app: Application
    requests: list[TokenRequest] = field(default_factory=list)
    instead: deque[Application] = field(default_factory=deque)

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        if not scope["path"].rstrip("/").endswith("/token"):
            await self.app(scope, receive, send)
            return
        message = await receive()
        body = message["body"]
        form = parse_qs(body.decode(), keep_blank_values=True)
        self.requests.append(TokenRequest(scope["query_string"], dict(scope["headers"]), form))

        read_ahead = deque([message])

        async def again() -> Any:
            return read_ahead.popleft() if read_ahead else await receive()

        app = self.instead.popleft() if self.instead else self.app
        await app(scope, again, send)


class Peer(ABC):
    """One token client at one authority."""

    scopes: tuple[str, ...]
    """What a sign-in asks for beside the reserved words."""
    unknown_client_word: str
    host: str
    client_id: str
    secret: str | None
    redirect_uri: str

    def __init__(self, app: Application) -> None:
        self.endpoint = TokenEndpoint(app)
        self.internet = Internet({self.host: self.endpoint})
        self.clock = MovableClock()
        self.egress = Egress(transport=self.internet, private_addresses_allowed=False, total_seconds=2)
        self._documents: dict[str, Any] = {}

    @abstractmethod
    def settings(self, **values: Any) -> Settings:
        """Return the settings of an application at this authority."""

    @abstractmethod
    async def code(self, url: str) -> str:
        """Return the code that a person's sign-in brings, for the address of an authorization request."""

    @abstractmethod
    async def revoke(self) -> None:
        """Take back every refresh token."""

    def client(self, *, client_id: str | None = None, secret: str | None = None, **values: Any) -> TokenClient:
        """Return a token client as the application builds it; by default with the right credentials."""
        chosen = secret if secret is not None else self.secret
        settings = self.settings(
            client_id=client_id or self.client_id,
            client_secret=SecretStr(chosen) if chosen is not None else None,
            base_url="https://portal.birch.example",
            **values,
        )
        return token_client(
            settings,
            credentials=credentials_of(settings, assertion=None, clock=self.clock),
            egress=self.egress,
            metadata=lambda: self.metadata(settings),
            clock=self.clock,
        )

    async def metadata(self, settings: Settings) -> Metadata:
        """Return the authority's document, which is asked for once, as an application does."""
        authority = Authority.from_settings(settings)
        if authority.metadata_url not in self._documents:
            self._documents[authority.metadata_url] = (await self.egress.get(authority.metadata_url)).json_object()
        return parse(self._documents[authority.metadata_url], authority, production=False)

    async def grant(self, **changed: Any) -> CodeGrant:
        """Return a fresh code with all that belongs to it, as after a person's sign-in."""
        verifier, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        scopes = ("openid", "profile", "offline_access", *self.scopes)
        url = authorize_url(
            await self.metadata(self.settings(client_id=self.client_id)),
            client_id=self.client_id,
            redirect_uri=self.redirect_uri,
            scopes=scopes,
            state="a-state",
            nonce=sent_nonce(nonce),
            code_challenge=code_challenge(verifier),
        )
        values: dict[str, Any] = {
            "code": await self.code(url),
            "code_verifier": verifier,
            "redirect_uri": self.redirect_uri,
            "scopes": scopes,
            "nonce": nonce,
        }
        self.endpoint.requests.clear()
        return CodeGrant(**(values | changed))

    async def signed_in(self, client: TokenClient) -> bytes:
        """Return the tokens of a fresh session; the endpoint's count begins anew."""
        redeemed = await client.redeem(await self.grant())
        self.endpoint.requests.clear()
        return redeemed.tokens


class EmulatorPeer(Peer):
    """The emulator under Microsoft's own host name."""

    host = "login.microsoftonline.com"
    scopes = ("User.Read",)
    unknown_client_word = "unauthorized_client"
    client_id = seeds.WEB_APP
    secret: str | None = "emulator-secret-birch-portal"
    redirect_uri = "https://portal.birch.example/api/auth/callback"

    def __init__(self, entra: Entra) -> None:
        super().__init__(entra.app)
        self.entra = entra

    async def code(self, url: str) -> str:
        asked = parse_qs(urlsplit(url).query)
        return self.entra.code(
            client_id=self.client_id,
            redirect_uri=self.redirect_uri,
            scopes=tuple(asked["scope"][0].split()),
            nonce=asked["nonce"][0],
            code_challenge=asked["code_challenge"][0],
            code_challenge_method="S256",
        )

    async def revoke(self) -> None:
        self.entra.state.refresh_tokens.revoke_all()


class MsalAtEmulator(EmulatorPeer):
    def settings(self, **values: Any) -> Settings:
        return Settings.load(tenant_id=seeds.BIRCH.id, **values)


class OidcAtEmulator(EmulatorPeer):
    def settings(self, **values: Any) -> Settings:
        return Settings.load(issuer=f"https://{self.host}/{seeds.BIRCH.id}/v2.0", **values)


class MsalPublicAtEmulator(MsalAtEmulator):
    client_id = seeds.PUBLIC_CLIENT
    secret = None
    redirect_uri = "http://localhost"


class OidcAtDjango(Peer):
    """django-oauth-toolkit, which nobody here wrote."""

    host = "provider.test"
    scopes = ("read",)
    unknown_client_word = "invalid_client"

    def __init__(self, provider: DjangoProvider, *, public: bool = False) -> None:
        super().__init__(provider.app)
        self.provider = provider
        registered = provider.public if public else provider.confidential
        self.client_id, self.secret = registered.client_id, registered.secret
        self.redirect_uri = registered.redirect_uri

    def settings(self, **values: Any) -> Settings:
        return Settings.load(issuer=self.provider.issuer, **values)

    async def code(self, url: str) -> str:
        callback = await self.provider.consent(self.internet, url)
        return parse_qs(urlsplit(callback).query)["code"][0]

    async def revoke(self) -> None:
        await self.provider.revoke_refresh_tokens()


def thumbprint(token: str) -> str:
    """Return a token's at_hash for RS256 (OpenID Core section 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


PEERS = [
    pytest.param("msal", id="msal-emulator"),
    pytest.param("oidc", id="oidc-emulator"),
    pytest.param("django", id="oidc-django", marks=pytest.mark.peer),
]


def made(name: str, request: pytest.FixtureRequest) -> Peer:
    if name.startswith("django"):
        return OidcAtDjango(request.getfixturevalue("django_provider"), public=name.endswith("public"))
    kind = {"msal": MsalAtEmulator, "oidc": OidcAtEmulator, "msal-public": MsalPublicAtEmulator}[name]
    return kind(request.getfixturevalue("entra"))


@pytest.fixture(params=PEERS)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    peer = made(request.param, request)
    yield peer
    await peer.egress.aclose()


def answer(**changed: Any) -> Application:
    """A token endpoint's good answer to a renewal, changed."""
    body = {"access_token": "another", "token_type": "Bearer", "expires_in": 3600, "scope": "User.Read read"}
    return canned(json.dumps({name: value for name, value in (body | changed).items() if value != "left out"}).encode())
