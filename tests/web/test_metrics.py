"""What Prometheus reads of an application, and who may."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from entrada import SettingsRefused
from entrada.web.monitoring.metrics import FAMILIES
from tests.front_door import AUTH, BASE, SECRET, SESSION, FrontDoor, running, settings

TOKEN = "a-token-for-prometheus-alone"
HOST = "portal.birch.example"
READ = {"authorization": f"Bearer {TOKEN}"}
LINE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"\n]*"(?:,[a-z]+="[^"\n]*")*\})? (-?[0-9.e+-]+)')


@pytest.fixture
async def watched(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, metrics_token=TOKEN) as door:
        yield door


async def numbers(door: FrontDoor) -> dict[str, float]:
    """Return each series and its value; every line has the form that Prometheus reads."""
    answer = await door.raw("GET", f"{BASE}/metrics", headers=READ)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


async def test_people_and_failures_are_counted(watched: FrontDoor) -> None:
    """AUD-2: sign-ins, failures by reason, sign-outs, ends and refused requests are there as numbers."""
    browser = await watched.signed_in()
    await browser.open(f"{BASE}/private")
    await browser.press("Sign out")
    await watched.browser().open(f"{AUTH}/callback?state=nobodys&code=nothing")
    await watched.raw("GET", f"{AUTH}/me")
    found = await numbers(watched)
    assert found["entrada_sign_ins_total"] == 1
    assert found["entrada_sign_outs_total"] == 1
    assert found['entrada_sign_in_failures_total{reason="invalid_state"}'] == 1
    assert found['entrada_refusals_total{error="NotSignedIn"}'] == 1
    assert found['entrada_events_total{event="sign_in_failed"}'] == 1
    assert found['entrada_sessions_in_use_total{span="hour"}'] == 1
    assert found["entrada_authority_ready"] == 1
    assert found["entrada_workers"] == 1
    assert found['entrada_outbound_seconds_count{purpose="token"}'] == 1
    assert found['entrada_outbound_seconds_count{purpose="keys"}'] == 1


async def graph(door: FrontDoor, session: str) -> int:
    headers = {"cookie": f"{SESSION}={session}", "accept": "application/json"}
    return (await door.raw("GET", f"{BASE}/graph", headers=headers)).status_code


async def grown_old(door: FrontDoor, session: str) -> None:
    for _ in range(3):
        door.entra.state.clock.move(timedelta(minutes=40))
        await door.reuse(session)


async def test_renewals_are_counted_by_their_end(entra: Entra, watched: FrontDoor) -> None:
    """AUD-2, TOK-4: one renewal for many who wait is one, how long they waited is there, and so is a server's fault."""
    session = (await watched.signed_in()).jar.of(HOST)[SESSION]
    await grown_old(watched, session)
    assert set(await asyncio.gather(*(graph(watched, session) for _ in range(5)))) == {200}
    found = await numbers(watched)
    assert found['entrada_renewals_total{outcome="renewed"}'] == 1
    assert found["entrada_renewal_wait_seconds_count"] == 5
    assert found['entrada_renewal_wait_seconds_bucket{le="+Inf"}'] == 5
    await grown_old(watched, session)
    entra.state.faults.add(Fault(endpoint="token", kind="status", times=1))
    assert await graph(watched, session) == 503
    found = await numbers(watched)
    assert found['entrada_renewals_total{outcome="outage"}'] == 1
    assert found['entrada_outbound_failures_total{purpose="token"}'] == 1
    assert found['entrada_refusals_total{error="AuthorityUnavailable"}'] == 1


async def test_what_an_authority_says_is_no_label(watched: FrontDoor) -> None:
    """SEC-146, SEC-R: an error of a word that nobody knows is `other`: no stranger names a series or adds one."""
    browser = watched.browser()
    before = len(await numbers(watched))
    for word in ("invented_by_a_stranger", "another_one"):
        url = (await browser.fetch(f"{AUTH}/login")).headers["location"]
        state = re.search(r"state=([^&]+)", url)
        assert state
        await browser.open(f"{AUTH}/callback?state={state[1]}&error={word}")
    found = await numbers(watched)
    assert found['entrada_sign_in_failures_total{reason="other"}'] == 2
    assert not any("invented" in series for series in found)
    assert len(found) <= before + 1


async def test_nothing_of_anybody_is_in_it(watched: FrontDoor) -> None:
    """SEC-146: neither people, tenants, sessions nor secrets are in names, labels or help."""
    browser = await watched.signed_in()
    page = (await watched.raw("GET", f"{BASE}/metrics", headers=READ)).text
    for secret in (browser.jar.of(HOST)[SESSION], SECRET, TOKEN, "mia", "birch", watched.entra.user().tenant_id):
        assert secret not in page.lower()


async def test_every_metric_has_its_kind_and_its_help(watched: FrontDoor) -> None:
    """AUD-2: each family is told with HELP and TYPE, once, and counters end in _total as Prometheus wants it."""
    await watched.signed_in()
    page = (await watched.raw("GET", f"{BASE}/metrics", headers=READ)).text
    for family in FAMILIES:
        assert (family.kind == "counter") == family.name.endswith("_total")
        if f"\n{family.name}" in page:
            assert page.count(f"# HELP {family.name} {family.help}\n") == 1
            assert page.count(f"# TYPE {family.name} {family.kind}\n") == 1


async def test_there_is_no_page_unless_it_is_wanted(door: FrontDoor) -> None:
    """SEC-D: without a token or networks there is no such address; the application may still ask for the numbers."""
    assert (await door.raw("GET", f"{BASE}/metrics", headers=READ)).status_code == 404
    await door.signed_in()
    assert "\nentrada_sign_ins_total 1\n" in await door.entrada.metrics()


@pytest.mark.parametrize("given", [(), [("authorization", f"bearer {TOKEN}")], [("authorization", "Bearer wrong")],
                                   [("authorization", f"Bearer {TOKEN}")] * 2,
                                   [("authorization", f"Basic {TOKEN}")]],
                         ids=["none", "lower-case", "wrong", "twice", "basic"])  # fmt: skip
async def test_only_with_the_token(watched: FrontDoor, given: list[tuple[str, str]]) -> None:
    """SEC-D: whoever has not exactly the token gets 401, and no number."""
    answer = await watched.raw("GET", f"{BASE}/metrics", headers=given)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="metrics"'
    assert "entrada_" not in answer.text


async def test_only_from_the_networks(entra: Entra, tmp_path: Path) -> None:
    """SEC-153: an address counts only as the other end of the connection; through a proxy nobody is known by it."""
    async with running(entra, tmp_path, metrics_networks=("127.0.0.0/8",)) as door:
        assert (await door.raw("GET", f"{BASE}/metrics")).status_code == 200
        for name in ("x-forwarded-for", "forwarded", "x-real-ip", "via"):
            answer = await door.raw("GET", f"{BASE}/metrics", headers={name: "127.0.0.1"})
            assert answer.status_code == 403
    async with running(entra, tmp_path, metrics_networks=("10.20.0.0/16", "2001:db8::/32")) as door:
        assert (await door.raw("GET", f"{BASE}/metrics")).status_code == 403


async def test_prometheus_is_not_limited_and_guessing_is(entra: Entra, tmp_path: Path) -> None:
    """SEC-152: however often the right token comes, it is answered; a wrong one counts like any token refused."""
    async with running(entra, tmp_path, metrics_token=TOKEN, limit_failures=("5/minute",)) as door:
        wrong = {"authorization": "Bearer a-token-that-somebody-guesses"}
        for _ in range(12):
            assert (await door.raw("GET", f"{BASE}/metrics", headers=READ)).status_code == 200
        answers = [(await door.raw("GET", f"{BASE}/metrics", headers=wrong)).status_code for _ in range(8)]
        assert answers == [401] * 5 + [429] * 3
        assert (await door.raw("GET", f"{BASE}/metrics", headers=READ)).status_code == 200
        assert (await numbers(door))['entrada_limit_refusals_total{limit="failures"}'] == 3


async def test_a_session_opens_nothing(watched: FrontDoor) -> None:
    """SEC-D: being signed in is no reason to read the numbers."""
    browser = await watched.signed_in()
    assert (await browser.open(f"{BASE}/metrics")).status == 401


@pytest.mark.parametrize("value", ["short", "x" * 23, "with\x07bell" + "x" * 24])
def test_a_weak_token_is_refused(tmp_path: Path, value: str) -> None:
    """SEC-D: a token that could be guessed, or could not be sent, stops the start with the mend; it is not shown."""
    with pytest.raises(SettingsRefused, match="metrics_token: needs 24 characters") as refused:
        settings(tmp_path, metrics_token=value)
    assert value not in str(refused.value)


def test_networks_are_checked(tmp_path: Path) -> None:
    """SEC-D: what is no network stops the start."""
    with pytest.raises(SettingsRefused, match="metrics_networks"):
        settings(tmp_path, metrics_networks=("10.20.0.1/16",))


async def test_workers_of_one_machine_are_one(entra: Entra, tmp_path: Path) -> None:
    """AUD-2: whichever worker is asked tells of all of them; what has gone is still in the counters, once."""
    async with running(entra, tmp_path, metrics_token=TOKEN) as first:
        await first.signed_in()
        async with running(entra, tmp_path, metrics_token=TOKEN) as second:
            for _ in range(2):
                await second.signed_in()
            with anyio.fail_after(30):  # the first writes every two seconds
                while (found := await numbers(second))["entrada_sign_ins_total"] != 3:
                    await anyio.sleep(0.1)
            assert found["entrada_workers"] == 2
        found = await numbers(first)
        assert (found["entrada_workers"], found["entrada_sign_ins_total"]) == (1, 3)
        async with running(entra, tmp_path, metrics_token=TOKEN) as third:
            await third.signed_in()
            found = await numbers(third)
            assert (found["entrada_workers"], found["entrada_sign_ins_total"]) == (2, 4)
    assert len(list((tmp_path / "metrics").glob("*.json"))) == 2, "the third has taken over what the second left"
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "metrics").iterdir())


async def test_a_file_that_cannot_be_read_hides_nothing(entra: Entra, tmp_path: Path) -> None:
    """REL-056: what another worker left half-written, or of another release, is passed over."""
    async with running(entra, tmp_path, metrics_token=TOKEN) as door:
        for name, content in (("1-broken", "{"), ("2-other", '{"gone_metric": {"": 3}}'), ("3-shape", "[1]")):
            (tmp_path / "metrics" / f"{name}.living").touch()
            (tmp_path / "metrics" / f"{name}.json").write_text(content)
        await door.signed_in()
        found = await numbers(door)
        assert found["entrada_sign_ins_total"] == 1
        assert not any("gone" in series for series in found)


async def test_a_disk_that_refuses_stops_nobody(entra: Entra, tmp_path: Path) -> None:
    """REL-056: where the numbers cannot be written, people sign in and this worker's numbers are there."""
    (tmp_path / "metrics").write_text("a file where the directory should be")
    async with running(entra, tmp_path, metrics_token=TOKEN) as door:
        await door.signed_in()
        assert (await numbers(door))["entrada_sign_ins_total"] == 1
