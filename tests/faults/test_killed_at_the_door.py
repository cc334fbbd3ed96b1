"""kill -9 at each step of signing in and out: nobody is half in, nothing that was acknowledged is lost, all goes on."""

import base64
import signal
from datetime import timedelta

import httpx2
import pytest

from entrada.sessions.census import Census
from tests.faults.invariants import assert_nothing_half_made, watching
from tests.faults.points import (
    BEFORE_THE_ATTEMPT_IS_SEALED,
    BEFORE_THE_CODE_IS_REDEEMED,
    BEFORE_THE_COOKIE_IS_CLEARED,
    BEFORE_THE_COOKIE_IS_SENT,
    BEFORE_THE_REDIRECT,
    BEFORE_THE_SESSION_ENDS,
    BEFORE_THE_SESSION_IS_STORED,
)
from tests.faults.workers import Cluster

LONG_UNUSED = timedelta(days=31)  # the workers' sessions may rest for thirty


async def who_is_there(two: Cluster) -> Census:
    """Return what the store holds, all of it whole."""
    return await assert_nothing_half_made("sqlite:", data_dir=two.data, clock=two.entra.state.clock.now)


def said_in_clear(two: Cluster) -> list[str]:
    """Return the files in which a token can be read."""
    return [str(file) for file in two.data.rglob("*") if file.is_file() and _tells(file.read_bytes())]


def _tells(content: bytes) -> bool:
    return b"1.emulator-rt-" in content or b"eyJ" in content


@pytest.mark.parametrize(
    "point", [pytest.param(BEFORE_THE_ATTEMPT_IS_SEALED, marks=pytest.mark.long), BEFORE_THE_REDIRECT]
)
async def test_before_the_redirect(two: Cluster, point: str) -> None:
    """REL-030: killed while an attempt begins: the next click begins another, and whoever is signed in stays so."""
    first, second = two.workers
    await second.ready()
    living = await two.sign_in()
    person = two.person()
    async with watching([two.visit(first), two.visit(second)], living=[living]) as watch:
        second.arm(point, signal.SIGKILL)
        with pytest.raises(httpx2.TransportError):
            await person.start(second.url)
        await second.killed_at_the_point()
        assert person.attempts == []
        watch.begins(await person.sign_in(first.url))
        await watch.recovered(within=60)  # with a start of Python
    await person.close()


@pytest.mark.parametrize(
    "point", [pytest.param(BEFORE_THE_CODE_IS_REDEEMED, marks=pytest.mark.long), BEFORE_THE_SESSION_IS_STORED]
)
async def test_before_the_session_is_stored(two: Cluster, point: str) -> None:
    """REL-031: killed between the code and the session: nobody is signed in, nothing is in clear; once more works."""
    first, second = two.workers
    await second.ready()
    before = (await who_is_there(two)).found.total()
    person = two.person()
    await person.start(first.url)
    second.arm(point, signal.SIGKILL)
    async with watching([two.visit(first)]):
        with pytest.raises(httpx2.TransportError):
            await person.come_back(second.url)
        await second.killed_at_the_point()
        assert person.session is None
        again = await person.come_back(first.url)  # a reload: the attempt was spent before the code was redeemed
        assert again.status_code in {400, 401, 403}
        assert person.session is None
        assert (await who_is_there(two)).found.total() == before
        assert said_in_clear(two) == []
        session = await person.sign_in(first.url)
    assert (await two.ask(first, session, path="/who")).status == 200
    assert (await who_is_there(two)).found.total() == before + 1
    await person.close()


async def test_before_the_cookie_is_sent(two: Cluster) -> None:
    """REL-032: killed after the session was stored: nobody can use it, its person sees it in the list; it expires."""
    first, second = two.workers
    await second.ready()
    lost, person = two.person("ada@birch.example"), two.person("ada@birch.example")
    await lost.start(first.url)
    second.arm(BEFORE_THE_COOKIE_IS_SENT, signal.SIGKILL)
    with pytest.raises(httpx2.TransportError):
        await lost.come_back(second.url)
    await second.killed_at_the_point()
    assert (await lost.come_back(first.url)).is_error
    assert lost.session is None
    for key in await two.stored_keys():  # even for whoever reads the store
        for cookie in (key.hex(), base64.urlsafe_b64encode(key).rstrip(b"=").decode()):
            assert (await two.ask(first, cookie, path="/who")).status == 401
    await person.sign_in(first.url)
    assert sorted(one["current"] for one in await person.sessions(first.url)) == [False, True]
    two.move_clock(LONG_UNUSED)
    await person.sign_in(first.url)
    assert [one["current"] for one in await person.sessions(first.url)] == [True]
    await lost.close()
    await person.close()


@pytest.mark.long
async def test_before_the_session_ends(two: Cluster) -> None:
    """REL-034, I1: killed before the store was told: nothing was acknowledged, the session goes on, and ends later."""
    first, second = two.workers
    await second.ready()
    person = two.person()
    session = await person.sign_in(first.url)
    async with watching([two.visit(first)], living=[session]) as watch:
        second.arm(BEFORE_THE_SESSION_ENDS, signal.SIGKILL)
        with pytest.raises(httpx2.TransportError):
            await person.sign_out(second.url)
        await second.killed_at_the_point()
        assert (await two.ask(first, session, path="/who")).status == 200
        watch.is_ending(session)
        assert (await person.sign_out(first.url)).json()["ended"] == {"here": True, "browser": True}
        watch.ends(session)
    assert person.session is None
    await person.close()


async def test_before_the_cookie_is_cleared(two: Cluster) -> None:
    """REL-034, I1: killed after the store was told: the session is dead everywhere; a second sign-out does no harm."""
    first, second = two.workers
    await second.ready()
    person, other = two.person(), await two.sign_in()
    session = await person.sign_in(first.url)
    async with watching([two.visit(first)], living=[other]) as watch:
        second.arm(BEFORE_THE_COOKIE_IS_CLEARED, signal.SIGKILL)
        with pytest.raises(httpx2.TransportError):
            await person.sign_out(second.url)
        await second.killed_at_the_point()
        watch.ends(session)
        assert person.session == session  # the browser does not know
        assert (await two.ask(first, session, path="/who")).status == 401
        again = await person.sign_out(first.url)
        assert (again.status_code, again.json()["ended"]) == (200, {"here": True, "browser": True})
        assert person.session is None
    await person.close()


async def test_each_step_at_another_worker(two: Cluster) -> None:
    """REL-074: no stickiness is needed: attempt, answer, page, token, list and sign-out each meet another worker."""
    first, second = two.workers
    await second.ready()
    person = two.person()
    await person.start(second.url)
    assert not (await person.come_back(first.url)).is_error
    session = person.session or ""
    assert (await two.ask(second, session, path="/who")).status == 200
    assert (await two.ask(first, session)).body == {"source": "cache"}
    two.renewals()
    two.move_clock(timedelta(minutes=100))
    answers = [await two.ask(worker, session) for worker in (second, first, second)]
    assert [answer.body["source"] for answer in answers] == ["identity_provider", "cache", "cache"]
    assert two.renewals() == 1
    assert len(await person.sessions(first.url)) >= 1
    assert (await person.sign_out(second.url)).status_code == 200
    assert (await two.ask(first, session, path="/who")).status == 401
    await person.close()
