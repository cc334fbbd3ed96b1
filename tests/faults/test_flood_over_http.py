"""Strangers who are slow, endless and many, against a worker as in production: people go on, memory has a bound."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.faults.invariants import Held
from tests.faults.workers import Cluster, Worker, cluster

EACH = [10, pytest.param(200, marks=pytest.mark.long)]
BODY_SECONDS = 2
PAGES = 60
GROWTH = 80  # MiB: what a few hundred open connections and a log of them may take
HEAD = (
    b"POST /api/auth/logout HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\n"
    b"x-forwarded-for: 192.0.2.1\r\ncontent-type: application/x-www-form-urlencoded\r\ncookie: entrada="
    + b"A" * 43
    + b"\r\n"
)
WAYS = {
    "a head that does not end": b"GET / HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 192.0.2.1\r\nx: ",
    "a body that does not come": HEAD + b"content-length: 60000\r\n\r\ncsrf_token=a",
    "a body without end": HEAD + b"transfer-encoding: chunked\r\n\r\n",
    "a body far too large": HEAD + b"content-length: 90000000000\r\n\r\n",
}
CHUNK = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"


@pytest.fixture(scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory, entra_keys: tuple[SigningKey, ...]) -> AsyncIterator[Cluster]:
    """One worker, run by `entrada serve`."""
    folder: Path = tmp_path_factory.mktemp("one")
    settings = {"ENTRADA_BODY_SECONDS": str(BODY_SECONDS)}
    with (
        served(folder / "emulator", keys=entra_keys) as entra,
        cluster(entra, folder, workers=1, drain=2.0, **settings) as running,
    ):
        await running.workers[0].ready()
        yield running


async def stranger(worker: Worker, way: str) -> bytes:
    """Connect, send what is to be sent, and wait until the server has had enough; return what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
    writer.write(WAYS[way])
    with contextlib.suppress(OSError):
        if way == "a body without end":
            for _ in range(200):  # 13 MB, if anybody took them
                writer.write(CHUNK)
                await writer.drain()
        said = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        return said
    return b""


@pytest.mark.parametrize("each", EACH)
async def test_people_go_on_beside_slow_and_endless_requests(one: Cluster, each: int) -> None:
    """REL-051, REL-052, SEC-157, SEC-158: each way is cut off, and a signed-in person's requests all succeed."""
    worker, session = one.workers[0], await one.sign_in()
    assert worker.process
    before, waits = Held.by(worker.process.pid), []
    strangers = asyncio.gather(*(stranger(worker, way) for way in WAYS for _ in range(each)))
    while not strangers.done() or len(waits) < PAGES:
        answer = await one.ask(worker, session, path="/who")
        assert answer.status == 200
        waits.append(answer.seconds)
        await asyncio.sleep(0.02)
    said = await strangers
    print(
        f"{len(said)} cut off; {len(waits)} pages, {sorted(waits)[len(waits) // 2]:.3f} s, at most {max(waits):.3f} s"
    )
    assert {text.partition(b" ")[2][:3] for text in said} <= {b"", b"400", b"403", b"408", b"413"}
    assert Held.by(worker.process.pid).megabytes - before.megabytes < GROWTH
