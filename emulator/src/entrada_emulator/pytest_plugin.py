"""Fixtures for tests: an emulator in process under the true Microsoft host names, or served over TLS."""

import asyncio
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyotp import TOTP
from starlette.applications import Starlette

from entrada_emulator import visitor
from entrada_emulator.app import create_app
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Application, User
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.faults import EndpointName, Fault, FaultKind
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing import jwt
from entrada_emulator.issuing.codes import CodeGrant
from entrada_emulator.issuing.keys import KEYS_AT_START, KeyRing, SigningKey, new_signing_key
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.state import State, issue_code
from entrada_emulator.wire.origins import MICROSOFT_LOGIN
from entrada_emulator.wire.serving import Address, Service, prepare

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response
    from starlette.testclient import TestClient

START_LIMIT = 10.0  # seconds
API_SCOPE = f"api://{seeds.API}/access_as_user"
SCOPES = ("openid", "profile", "email", "offline_access", "User.Read")


@dataclass(frozen=True, slots=True)
class Entra:
    """An emulator in a test's hands."""

    app: Starlette
    emulator: Emulator

    @property
    def world(self) -> World:
        """The directory."""
        return self.emulator.world

    @property
    def state(self) -> State:
        """What changes: clock, codes, refresh tokens, consents, faults, recorded requests."""
        return self.emulator.state

    def http_client(self, origin: str | None = None) -> "TestClient":
        """A synchronous client that reaches the emulator in process; MSAL takes it as `http_client`.

        Without an `origin` it calls the emulator by its own: Microsoft's in process, its address where it is served.
        """
        from entrada_emulator.wire.http_client import HttpClient

        return HttpClient(self.app, base_url=origin or self.emulator.origins.login, follow_redirects=False)

    def user(self, name: str = "mia@birch.example") -> User:
        """The person with this user principal name; raises LookupError."""
        found = self.world.user_by_name(name)
        if found is None:
            raise LookupError(f"nobody in this directory is called {name}")
        return found

    def application(self, client_id: str = seeds.WEB_APP) -> Application:
        """The application with this client id; raises LookupError."""
        found = self.world.application(client_id)
        if found is None:
            raise LookupError(f"no application in this directory has the client id {client_id}")
        return found

    def consent(self, user: User, client_id: str = seeds.WEB_APP, *, scopes: tuple[str, ...] = SCOPES) -> None:
        """Lets the person agree to the scopes without being asked."""
        application = self.application(client_id)
        permissions = parse_scopes(self.world, scopes).permissions(application)
        self.state.consents.grant(client_id, user=user, permissions=permissions)

    def code(
        self,
        user: User | None = None,
        *,
        client_id: str = seeds.WEB_APP,
        redirect_uri: str | None = None,
        scopes: tuple[str, ...] = SCOPES,
        **grant: Any,
    ) -> str:
        """A code, as if the person had signed in and consented; `grant` may set any field of `CodeGrant`."""
        person, application = user or self.user(), self.application(client_id)
        redirect = application.redirect_uris[0]
        self.consent(person, client_id, scopes=scopes)
        values: dict[str, Any] = {
            "client_id": client_id,
            "redirect_uri": redirect_uri or redirect.uri,
            "redirect_kind": redirect.kind,
            "path_tenant": person.tenant_id,
            "tenant_id": person.tenant_id,
            "user_id": person.id,
            "scopes": scopes,
            "sid": str(uuid.uuid4()),
            "auth_time": self.state.clock.now(),
        }
        return issue_code(self.state, CodeGrant(**(values | grant)))

    @property
    def hosts(self) -> dict[str, Starlette]:
        """What answers under which host name, for clients in process."""
        return dict.fromkeys((MICROSOFT_LOGIN.partition("://")[2], "graph.microsoft.com"), self.app)

    def now(self) -> datetime:
        """The emulated time; give it to the application as its clock, so that both move together."""
        return self.state.clock.now()

    def move_clock(self, by: timedelta) -> None:
        """Lets time pass, or go back, for everything that asks this clock."""
        self.state.clock.move(by)

    def fail(self, endpoint: EndpointName, kind: FaultKind, **how: Any) -> None:
        """Lets the next request to an endpoint suffer a fault; `how` may set any field of `Fault`, such as `times`."""
        self.state.faults.add(Fault(endpoint=endpoint, kind=kind, **how))

    def settings(self, client_id: str = seeds.WEB_APP) -> dict[str, str]:
        """What an application is set up with to be this one: tenant, client id, and a secret where it has one."""
        application = self.application(client_id)
        secret = {"client_secret": application.secrets[0].value} if application.secrets else {}
        return {"tenant_id": application.tenant_id, "client_id": client_id, **secret}

    async def sign_in(self, client: "AsyncClient", url: str, name: str = "mia@birch.example") -> "Response":
        """Signs a person in by the pages, from an application's address on; raises `visitor.SignInStopped`."""
        user = self.user(name)

        def code() -> str | None:
            return TOTP(user.totp_secret).at(self.now()) if user.totp_secret else None

        return await visitor.sign_in(client, url, name=name, origin=self.emulator.origins.pages, code=code)

    def token(self, name: str = "mia@birch.example", *, scope: str = API_SCOPE, **claims: Any) -> str:
        """An access token for a person who uses the command-line client, for the orders API unless `scope` says other.

        It comes out of the token endpoint. Chosen `claims` replace its own (None leaves one out), and the emulator's
        key signs it anew. What the tenant refuses is raised: LookupError for a person, `errors.EntraError` for a scope.
        """
        return self._with_claims(self.tokens(name, scopes=("openid", "profile", scope)), claims)

    def application_token(
        self, client_id: str = seeds.DAEMON, *, scope: str = f"api://{seeds.API}/.default", **claims: Any
    ) -> str:
        """An application's own access token, by client credentials, with chosen claims; LookupError says a refusal."""
        application = self.application(client_id)
        secret = application.secrets[0].value
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": scope}
        return self._with_claims(self._granted(form, application.tenant_id), claims)

    def tokens(self, name: str = "mia@birch.example", *, scopes: tuple[str, ...], **grant: Any) -> dict[str, Any]:
        """The token endpoint's whole answer for a person who uses the command-line client; `grant` as for `code`."""
        user, client = self.user(name), self.application(seeds.PUBLIC_CLIENT)
        form = {
            "grant_type": "authorization_code",
            "client_id": client.client_id,
            "code": self.code(user, client_id=client.client_id, scopes=scopes, **grant),
            "redirect_uri": client.redirect_uris[0].uri,
            "scope": " ".join(scopes),
        }
        return self._granted(form, user.tenant_id)

    def _granted(self, form: dict[str, str], tenant_id: str) -> dict[str, Any]:
        body: dict[str, Any] = self.http_client().post(f"/{tenant_id}/oauth2/v2.0/token", data=form).json()
        if "access_token" not in body:
            raise LookupError(f"no token: {body.get('error_description')}")
        return body

    def _with_claims(self, granted: dict[str, Any], chosen: dict[str, Any]) -> str:
        token: str = granted["access_token"]
        if not chosen:
            return token
        values = self.claims_of(token)
        key = jwt.key_of(jwt.opened(token), keys=self.state.keys)
        values = {claim: value for claim, value in (values | chosen).items() if value is not None}
        return jwt.signed(values, key=key, v1=values.get("ver") == "1.0")

    def claims_of(self, token: str) -> dict[str, Any]:
        """The claims of a token that this emulator signed; raises `jwt.NotOurToken` for every other."""
        return jwt.read(token, keys=self.state.keys)


def new_entra(world: World | None = None, *, keys: Iterable[SigningKey] = (), **origins: str) -> Entra:
    """An emulator of its own; `keys` made ahead save the time of making them."""
    app = create_app(world or default_world(), state=State(keys=KeyRing(keys)), **origins)
    emulator: Emulator = app.state.emulator
    return Entra(app, emulator)


@pytest.fixture(scope="session")
def entra_keys() -> tuple[SigningKey, ...]:
    """Signing keys made once for the whole run."""
    return tuple(new_signing_key() for _ in range(KEYS_AT_START))


@pytest.fixture
def entra(entra_keys: tuple[SigningKey, ...]) -> Entra:
    """A fresh emulator in process with the default directory."""
    return new_entra(keys=entra_keys)


@dataclass(frozen=True, slots=True)
class ServedEntra:
    """An emulator on free ports of this machine: https for clients, http for people."""

    entra: Entra
    service: Service

    @property
    def authority(self) -> str:
        """The https authority of the default application's tenant, as MSAL takes it."""
        return f"{self.service.public_origin}/{seeds.BIRCH.id}"

    @property
    def ca_file(self) -> str:
        """What a client must trust, PEM."""
        return str(self.service.files.authority)


@contextmanager
def served(
    data_dir: Path, *, world: World | None = None, keys: Iterable[SigningKey] = (), address: Address | None = None
) -> Iterator[ServedEntra]:
    """Serves an emulator from a thread while the context lasts."""
    state = State(keys=KeyRing(keys))
    service = prepare(world or default_world(), address=address or Address(), data_dir=data_dir, state=state)
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    def run() -> None:
        loop.run_until_complete(service.run(on_ready=ready.set, stop=stop))
        loop.close()

    thread = threading.Thread(target=run, name="entrada-emulator", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_LIMIT):
            raise TimeoutError("the emulator did not start")
        yield ServedEntra(Entra(service.app, service.app.state.emulator), service)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(START_LIMIT)


@pytest.fixture
def served_entra(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> Iterator[ServedEntra]:
    """A fresh emulator over TLS with the default directory."""
    with served(tmp_path / "emulator", keys=entra_keys) as running:
        yield running
