"""Four workers, and each request at another one: on one directory, and on servers that they share."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.faults.people import SCRIPT
from tests.faults.workers import Cluster, cluster
from tests.servers import postgres_server, redis_cluster

AT_ONCE = 1.0  # seconds within which an end is known everywhere
BUSY = 4.0  # seconds more, on a machine that runs other tests
EVERYWHERE = [401] * 4


def servers(kind: str, folder: Path, stack: ExitStack) -> dict[str, str]:
    """Start what this kind of installation needs; return its settings."""
    if kind == "sqlite":
        return {}
    postgres = stack.enter_context(postgres_server()).url
    if kind == "postgresql":
        return {"ENTRADA_STORE": postgres, "ENTRADA_DATABASE_URL": postgres}
    nodes = stack.enter_context(redis_cluster(folder / "redis"))
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes[:2])
    return {"ENTRADA_STORE": f"redis+cluster://{hosts}", "ENTRADA_DATABASE_URL": postgres}


@pytest.fixture(
    scope="module",
    params=["sqlite", "postgresql and redis cluster", pytest.param("postgresql", marks=pytest.mark.long)],
)
async def four(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, entra_keys: tuple[SigningKey, ...]
) -> AsyncIterator[Cluster]:
    """The same application in four processes, which start together on what nobody has used yet."""
    folder: Path = tmp_path_factory.mktemp("four")
    with ExitStack() as stack:
        settings = servers(request.param, folder, stack)
        entra = stack.enter_context(served(folder / "emulator", keys=entra_keys))
        running = stack.enter_context(cluster(entra, folder, workers=4, **settings))
        for worker in running.workers:
            await worker.ready()
        yield running


async def asked(four: Cluster, session: str) -> list[int]:
    """Ask all workers at once with this session."""
    answers = await asyncio.gather(*(four.ask(worker, session, path="/who") for worker in four.workers))
    return [answer.status for answer in answers]


async def refused_everywhere(four: Cluster, session: str, *, since: float) -> None:
    """Wait until no worker takes this session, not longer than the promise allows."""
    while await asked(four, session) != EVERYWHERE:
        assert time.monotonic() - since < AT_ONCE + BUSY


async def test_sign_in_and_out_across_workers(four: Cluster) -> None:
    """REL-074, SES-7: begun at one worker, answered at the next, used at the third, ended at the fourth, for all."""
    first, second, third, fourth = (worker.url for worker in four.workers)
    person = four.person()
    await person.start(first)
    assert (await person.come_back(second)).status_code == 303
    session = person.session
    assert session
    assert (await person.client.get(f"{third}/who")).json() == {"name": "Mia Member"}
    assert await asked(four, session) == [200] * 4
    ended = await person.sign_out(fourth)
    assert (ended.status_code, ended.json()["ended"]["here"]) == (200, True)
    await refused_everywhere(four, session, since=time.monotonic())
    await person.close()


async def test_a_renewal_across_workers(four: Cluster) -> None:
    """REL-074: one worker renews, the others hand out what it stored, and the new token's worker may be any."""
    session = await four.sign_in()
    four.renewals()
    four.move_clock(timedelta(hours=2))
    statuses = [(await four.ask(worker, session)).status for worker in reversed(four.workers)]
    assert statuses == [200] * 4
    assert four.renewals() == 1


async def test_ending_all_others_at_another_worker(four: Cluster) -> None:
    """SES-7, REL-074: "end all others", pressed at a third worker, ends what two others began, and nothing else."""
    first, second, third, fourth = (worker.url for worker in four.workers)
    here, there, stranger = four.person(), four.person(), four.person("ada@birch.example")
    kept, lost, unharmed = await here.sign_in(first), await there.sign_in(second), await stranger.sign_in(fourth)
    answer = await here.client.delete(f"{third}/api/auth/sessions/others", headers=SCRIPT)
    assert answer.status_code == 200
    await refused_everywhere(four, lost, since=time.monotonic())
    assert await asked(four, kept) == await asked(four, unharmed) == [200] * 4
    for person in (here, there, stranger):
        await person.close()
