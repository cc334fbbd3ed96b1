"""The audit log on its way to another system: each row at least once and in order, whatever the receiver does."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import pytest
from entrada_emulator.pytest_plugin import Entra
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from entrada import SettingsRefused
from entrada.audit.delivery import Delivery
from entrada.audit.trail import AuditTrail
from entrada.errors import AuthorityUnavailable
from entrada.events import Event
from entrada.keyring import KeyRing, generate
from entrada.provider.egress import Egress
from entrada.sessions.leases import Leases
from entrada.sessions.stores.memory import MemoryStore
from entrada.users.database import Database
from tests.contracts.databases import said
from tests.front_door import running, settings
from tests.internet import Internet
from tests.moved_clock import MovedClock

KEY = b"k" * 32
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
URL = "https://siem.contoso.example/audit"
PATIENCE = 1.0  # seconds that a delivery waits here; ten in earnest


@dataclass
class Receiver:
    """Another system: keeps what it takes, and takes it only when its signature is right."""

    behaviour: str = "well"
    rows: list[int] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        await (await self._answer(request, body))(scope, receive, send)

    async def _answer(self, request: Request, body: bytes) -> Response:
        name, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        right = base64.b64encode(hmac.new(KEY, f"{name}.{moment}.".encode() + body, sha256).digest()).decode()
        assert request.headers["webhook-signature"] == f"v1,{right}"
        if self.behaviour == "dead":
            await self.stopped.wait()
        if self.behaviour == "redirects":
            return RedirectResponse("https://elsewhere.example/audit", 307)
        if self.behaviour.isdigit():
            return Response(status_code=int(self.behaviour))
        if self.behaviour == "endless":
            return StreamingResponse(_forever())
        self.batches.append(name)
        self.rows += [row["id"] for row in json.loads(body)["data"]["rows"]]
        if self.behaviour == "taken, answer lost":
            await self.stopped.wait()
        return Response(b"\xff\xfe not what anybody asked for", status_code=200)


async def _forever() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 65536


@dataclass
class Line:
    receiver: Receiver
    trail: AuditTrail
    database: Database
    delivery: Delivery

    async def write(self, number: int) -> None:
        for _ in range(number):
            await self.trail.require(Event("sign_out", at=MovedClock()(), user_key="t:o", details={"n": 1}))


@asynccontextmanager
async def line(folder: Path) -> AsyncIterator[Line]:
    database, receiver, clock = Database(None, data_dir=folder), Receiver(), MovedClock()
    await database.bring_up()
    egress = Egress(
        transport=Internet({"siem.contoso.example": receiver}), private_addresses_allowed=True, total_seconds=PATIENCE
    )
    trail = AuditTrail(database, KeyRing.parse(generate()), clock=clock)
    leases = Leases(MemoryStore(clock=clock))
    try:
        yield Line(receiver, trail, database, Delivery(database, leases, egress, url=URL, secret=SECRET, clock=clock))
    finally:
        receiver.stopped.set()
        await trail.aclose()
        await egress.aclose()
        await database.close()


async def test_each_row_once_and_in_order(tmp_path: Path) -> None:
    """AUD-1, AUD-2: from the first row on, in named batches, signed as Standard Webhooks says; then what is new."""
    async with line(tmp_path) as way:
        await way.write(230)
        await way.delivery.once()
        assert way.receiver.rows == list(range(1, 231))
        assert way.receiver.batches == ["audit-1-100", "audit-101-200", "audit-201-230"]
        await way.delivery.once()
        await way.write(1)
        await way.delivery.once()
        assert way.receiver.rows == list(range(1, 232))


@pytest.mark.parametrize("behaviour", ["dead", "redirects", "400", "410", "500", "endless"])
async def test_a_receiver_that_does_not_take_it_gets_it_again(tmp_path: Path, behaviour: str) -> None:
    """AUD-2, REL-056: no such answer is taken for a receipt; the delivery ends in time, and goes on from there."""
    async with line(tmp_path) as way:
        await way.write(3)
        way.receiver.behaviour = behaviour
        with anyio.fail_after(30), pytest.raises(AuthorityUnavailable):
            await way.delivery.once()
        assert way.receiver.rows == []
        way.receiver.behaviour = "well"
        way.receiver.stopped.set()
        await way.delivery.once()
        assert way.receiver.rows == [1, 2, 3]


async def test_a_receipt_that_was_lost_is_a_row_twice_never_none(tmp_path: Path) -> None:
    """AUD-2: at least once; the batch has the same name again, by which the receiver knows it."""
    async with line(tmp_path) as way:
        await way.write(2)
        way.receiver.behaviour = "taken, answer lost"
        with anyio.fail_after(30), pytest.raises(AuthorityUnavailable):
            await way.delivery.once()
        way.receiver.behaviour = "well"
        await way.delivery.once()
        assert way.receiver.batches == ["audit-1-2", "audit-1-2"]


async def test_how_far_it_has_come_outlives_the_process(tmp_path: Path) -> None:
    """AUD-2: the place is in the database, so another process goes on where this one was."""
    async with line(tmp_path) as way:
        await way.write(2)
        await way.delivery.once()
    async with line(tmp_path) as way:
        assert await said(way.database, "SELECT last_id FROM entrada_audit_delivery") == [(2,)]
        await way.delivery.once()
        assert way.receiver.rows == []


async def test_people_sign_in_while_the_receiver_is_dead(entra: Entra, tmp_path: Path) -> None:
    """AUD-2, SEC-149: nobody waits for the receiver, and what they did is delivered once it is back."""
    receiver = Receiver(behaviour="500")
    hosts: dict[str, Any] = {"siem.contoso.example": receiver}
    given = {"audit_webhook_url": URL, "audit_webhook_secret": SECRET}
    async with running(entra, tmp_path, hosts=hosts, metrics_token="a-token-for-prometheus-alone", **given) as door:
        with anyio.fail_after(30):
            while not any(url == URL for _, url in door.internet.calls):
                await asyncio.sleep(0.1)
            await door.signed_in()
            receiver.behaviour = "well"
            while len(receiver.rows) < 2:
                await asyncio.sleep(0.1)
        assert 'entrada_outbound_seconds_count{purpose="audit"}' in await door.entrada.metrics()
    assert receiver.rows == list(range(1, len(receiver.rows) + 1))


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        (URL, None, "set both"),
        (None, SECRET, "set both"),
        ("http://siem.contoso.example/", SECRET, "must begin with https"),
        ("https://user:word@siem.contoso.example/", SECRET, "no user name"),
        (URL, "whsec_c2hvcnQ=", "must be whsec_"),
        (URL, "not-even-so", "must be whsec_"),
    ],
    ids=["no-secret", "no-address", "http", "user", "short", "no-prefix"],
)
def test_settings_are_checked(tmp_path: Path, url: str | None, secret: str | None, said: str) -> None:
    """SEC-D: an address or a secret that would not do stops the start, and neither is shown."""
    with pytest.raises(SettingsRefused, match=said) as refused:
        settings(tmp_path, audit_webhook_url=url, audit_webhook_secret=secret)
    assert secret is None or secret not in str(refused.value)
    assert url is None or url not in str(refused.value)
