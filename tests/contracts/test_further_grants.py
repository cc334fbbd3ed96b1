"""Client credentials and device codes at any authority: what is asked, and what is believed of the answers."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from entrada.clock import system_clock
from entrada.errors import AuthorityRefused, AuthorityUnavailable
from entrada.provider.authority import Authority
from entrada.provider.clients.clients import credentials_of
from entrada.provider.clients.further_grants import DEVICE_CODE, DeviceCode, FurtherGrants
from entrada.provider.egress import Egress
from entrada.provider.metadata import Metadata, parse
from entrada.settings import Settings
from tests.internet import Internet

ISSUER = "https://id.oak.example"
DEVICE = {
    "device_code": "the-device-code",
    "user_code": "WDJB-MJHT",
    "verification_uri": f"{ISSUER}/device",
    "expires_in": 900,
    "interval": 5,
}
TOKENS = {"access_token": "an-access-token", "token_type": "Bearer", "expires_in": 600}


class Provider:
    """A provider that answers with what is put into `device` and `answers`, and keeps what was asked."""

    def __init__(self) -> None:
        self.device: Any = dict(DEVICE)
        self.device_status = 200
        self.answers: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        routes = [Route("/device_authorization", self._device, methods=["POST"])]
        self.app = Starlette(routes=[*routes, Route("/token", self._token, methods=["POST"])])

    def client(self, *, secret: str | None = None, device: bool = True) -> FurtherGrants:
        """Return a client of this provider."""
        settings = Settings(
            _env_file=None, issuer=ISSUER, client_id="tool", client_secret=SecretStr(secret) if secret else None
        )
        document: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        if device:
            document["device_authorization_endpoint"] = f"{ISSUER}/device_authorization"
        self.egress = Egress(transport=Internet({"id.oak.example": self.app}), private_addresses_allowed=False)
        found = parse(document, Authority.from_settings(settings), production=True)

        async def metadata() -> Metadata:
            return found

        return FurtherGrants(
            client_id="tool",
            credentials=credentials_of(settings, assertion=None, clock=system_clock),
            egress=self.egress,
            metadata=metadata,
            clock=system_clock,
            refresh_buffer=timedelta(minutes=5),
        )

    async def _device(self, request: Request) -> Response:
        await self._keep(request)
        return Response(json.dumps(self.device), self.device_status, media_type="application/json")

    async def _token(self, request: Request) -> Response:
        await self._keep(request)
        answer = self.answers.pop(0)
        return JSONResponse(answer, 400 if "error" in answer else 200)

    async def _keep(self, request: Request) -> None:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.asked.append(form | {"authorization": request.headers.get("authorization", "")})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A provider in process."""
    made = Provider()
    yield made
    await made.egress.aclose()


async def test_the_application_asks_with_its_secret_in_one_place(provider: Provider) -> None:
    """Client credentials by RFC 6749 section 4.4, the secret in the header and not in the form (SEC-025)."""
    provider.answers = [TOKENS]
    granted = await provider.client(secret="a-secret-of-oak").for_the_application(("read", "write"))
    assert (granted.access_token, granted.expires_in) == ("an-access-token", 600)
    (asked,) = provider.asked
    assert asked.pop("authorization").startswith("Basic ")
    assert asked == {"grant_type": "client_credentials", "scope": "read write"}


async def test_a_public_client_asks_for_no_token_of_its_own(provider: Provider) -> None:
    """Refused before anybody is asked."""
    with pytest.raises(AuthorityRefused, match="set a secret"):
        await provider.client().for_the_application(("read",))
    assert provider.asked == []


async def test_a_device_waits_as_slowly_as_it_is_told(provider: Provider) -> None:
    """Pending keeps the interval, slow_down adds five seconds, then the tokens come (RFC 8628 section 3.5)."""
    provider.answers = [{"error": "authorization_pending"}, {"error": "slow_down"}, TOKENS]
    client = provider.client()
    device = await client.begin_device(("read",))
    assert (device.user_code, device.verification_uri, device.interval) == ("WDJB-MJHT", f"{ISSUER}/device", 5)
    first = await client.poll_device(device)
    assert first == device
    second = await client.poll_device(device)
    assert isinstance(second, DeviceCode)
    assert (second.interval, second.device_code) == (10, device.device_code)
    granted = await client.poll_device(second)
    assert not isinstance(granted, DeviceCode)
    assert provider.asked[-1]["grant_type"] == DEVICE_CODE
    assert "the-device-code" not in repr(device)


@pytest.mark.parametrize("word", ["access_denied", "expired_token", "invalid_grant"])
async def test_a_refusal_ends_the_waiting(provider: Provider, word: str) -> None:
    """Every other word of the authority is final."""
    provider.answers = [{"error": word}]
    client = provider.client()
    with pytest.raises(AuthorityRefused) as refused:
        await client.poll_device(await client.begin_device(("read",)))
    assert refused.value.code == word


@pytest.mark.parametrize(
    "changes",
    [
        {"user_code": "\x1b[2JWDJB"},
        {"user_code": ""},
        {"user_code": 7},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "https://id.oak.example/\r\nfake"},
        {"verification_uri": None},
        {"device_code": "x" * 5000},
    ],
    ids=str,
)
async def test_what_a_person_would_be_shown_is_read_strictly(provider: Provider, changes: dict[str, Any]) -> None:
    """Nothing that moves a terminal's cursor, and no address but of the web, gets through (SEC-029)."""
    provider.device |= changes
    with pytest.raises(AuthorityUnavailable, match="device_authorization_endpoint"):
        await provider.client().begin_device(("read",))


@pytest.mark.parametrize(("given", "seconds"), [(None, 5), ("5", 5), (True, 5), (-3, 1), (10**9, 60), (7, 7)])
async def test_an_interval_is_never_nothing_and_never_endless(provider: Provider, given: Any, seconds: int) -> None:
    """An authority that says nonsense gets neither a flood nor a command that sleeps for ever."""
    provider.device |= {"interval": given}
    assert (await provider.client().begin_device(("read",))).interval == seconds


async def test_an_authority_without_the_grant_is_told(provider: Provider) -> None:
    """By its metadata, or by its own refusal."""
    with pytest.raises(AuthorityRefused, match="no device_authorization_endpoint"):
        await provider.client(device=False).begin_device(("read",))
    provider.device, provider.device_status = {"error": "unauthorized_client"}, 400
    with pytest.raises(AuthorityRefused) as refused:
        await provider.client().begin_device(("read",))
    assert refused.value.code == "unauthorized_client"
    provider.device_status = 500
    with pytest.raises(AuthorityUnavailable):
        await provider.client().begin_device(("read",))
