"""Fixtures for tests: an emulator in process under the true Microsoft host names, or served over TLS."""

import asyncio
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette

from entrada_emulator import jwt, seeds
from entrada_emulator.app import create_app
from entrada_emulator.codes import CodeGrant
from entrada_emulator.instance import Emulator
from entrada_emulator.keys import KEYS_AT_START, KeyRing, SigningKey, new_signing_key
from entrada_emulator.model import Application, User
from entrada_emulator.origins import MICROSOFT_LOGIN
from entrada_emulator.scopes import parse_scopes
from entrada_emulator.seeds import default_world
from entrada_emulator.serving import Address, Service, prepare
from entrada_emulator.state import State, issue_code
from entrada_emulator.world import World

if TYPE_CHECKING:
    from starlette.testclient import TestClient

START_LIMIT = 10.0  # seconds
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

    def http_client(self, origin: str = MICROSOFT_LOGIN) -> "TestClient":
        """A synchronous client that reaches the emulator in process; MSAL takes it as `http_client`."""
        from entrada_emulator.http_client import HttpClient

        return HttpClient(self.app, base_url=origin, follow_redirects=False)

    def user(self, name: str = "mia@birch.example") -> User:
        """The person with this user principal name; raises LookupError."""
        found = self.world.user_by_name(name)
        if found is None:
            raise LookupError(name)
        return found

    def application(self, client_id: str = seeds.WEB_APP) -> Application:
        """The application with this client id; raises LookupError."""
        found = self.world.application(client_id)
        if found is None:
            raise LookupError(client_id)
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
