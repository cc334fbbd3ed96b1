"""The authority's documents through every fault: the known is kept, the wrong is refused, and time is bounded."""

import asyncio
import gzip
import json

import pytest

from entrada.errors import AuthorityUnavailable, TokenRefused
from entrada.provider.authority import Authority
from entrada.provider.discovery import MOST_SEEKING, Discovery
from entrada.provider.egress import Egress
from tests.authority_app import BASE, HOST, ISSUER, AuthorityApp, Clock, answer, jwk, settings
from tests.internet import Internet

OTHER_TENANT = "11111111-2222-4333-8444-666666666666"


class World:
    """A discovery, its authority and its clock."""

    def __init__(self, *, production: bool = True, **changes) -> None:
        self.app = AuthorityApp()
        self.clock = Clock()
        self.internet = Internet({HOST: self.app})
        egress = Egress(transport=self.internet, private_addresses_allowed=False, total_seconds=0.2)
        authority = Authority.from_settings(settings(**changes))
        self.discovery = Discovery(authority, egress, self.clock, production=production, jitter=lambda: 0.5)

    @property
    def fetches(self) -> tuple[int, int]:
        return self.app.hits["metadata"], self.app.hits["keys"]

    async def settle(self) -> None:
        """Let what goes on in the background end."""
        for _ in range(50):
            await asyncio.sleep(0)
        await self.discovery._keys.in_flight()
        await self.discovery._metadata.in_flight()

    async def known(self, *kids: str) -> set[str]:
        """Return which of these keys are accepted now."""
        found = set()
        for kid in kids:
            try:
                found.add((await self.discovery.key(kid)).id)
            except TokenRefused:
                continue
        return found


async def silent(scope, receive, send) -> None:
    await asyncio.Event().wait()


async def huge(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    while True:
        await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})


async def bomb(scope, receive, send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": gzip.compress(b" " * 10_000_000)})


async def redirect(scope, receive, send) -> None:
    headers = [(b"location", b"https://evil.example/keys"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"keys": [jwk("evil")]}).encode()})


async def early(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"keys": [', "more_body": True})


FAULTS = {
    "silent": silent,
    "huge": huge,
    "gzip bomb": bomb,
    "redirect": redirect,
    "early end": early,
    "500": answer(b"{}", status=500),
    "503": answer(b"", status=503, content_type="text/html"),
    "404": answer(b"<h1>Not found</h1>", status=404, content_type="text/html"),
    "HTML": answer(b"<html></html>", content_type="text/html"),
    "HTML as JSON": answer(b"<html></html>"),
    "truncated": answer(b'{"keys": [{"kty": "RSA"'),
    "an array": answer(b"[]"),
    "empty": answer(b""),
    "no keys": answer(b'{"keys": []}'),
    "junk keys": answer(b'{"keys": [null, 5, {"kty": "oct", "kid": "one", "k": "AA"}]}'),
    "10 000 keys": answer(json.dumps({"keys": [{"kty": "x"}] * 10_000}).encode()),
    "UTF-16": answer('{"keys": []}'.encode("utf-16")),
    "deep": answer(b'{"keys":' + b"[" * 100_000),
    "duplicate members": answer(json.dumps({"keys": [jwk("evil")]})[:-1].encode() + b', "keys": []}'),
}


async def test_both_documents_are_fetched_once_for_all():
    """A hundred callers at once share one fetch of each document (single flight)."""
    world = World()
    found = await asyncio.gather(*(world.discovery.key("one") for _ in range(100)))
    assert ({key.id for key in found}, world.fetches) == ({"one"}, (1, 1))
    assert world.discovery.ready


async def test_one_caller_leaving_does_not_end_the_fetch_of_the_others():
    """A caller who is cancelled takes nothing from those who wait for the same fetch."""
    world = World()
    first = asyncio.create_task(world.discovery.key("one"))
    second = asyncio.create_task(world.discovery.key("one"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).id == "one"
    assert world.fetches == (1, 1)


@pytest.mark.parametrize("name", FAULTS)
async def test_rel_004_at_a_cold_start_a_fault_is_our_own_refusal_and_not_ready(name):
    """REL-004, REL-006: with no keys yet, a fault is AuthorityUnavailable; readiness is false, and true again after."""
    world = World()
    world.app.answers["keys"] = FAULTS[name]
    with pytest.raises(AuthorityUnavailable):
        await world.discovery.key("one")
    assert not world.discovery.ready
    assert not await world.discovery.prepare()
    world.app.answers.clear()
    world.clock.move(seconds=2)
    assert await world.discovery.prepare()
    assert await world.known("one") == {"one"}


@pytest.mark.parametrize("name", FAULTS)
async def test_rel_008_a_fault_later_leaves_the_last_good_keys(name):
    """SEC-060, REL-006, REL-008: for 23 hours of any fault the last good keys are used; after 25 there are none."""
    world = World()
    await world.discovery.key("one")
    world.app.answers["keys"] = FAULTS[name]
    for _ in range(23):
        world.clock.move(hours=1)
        assert await world.known("one") == {"one"}
        await world.settle()
    assert world.discovery.ready
    world.clock.move(hours=2)
    with pytest.raises(AuthorityUnavailable):
        await world.discovery.key("one")
    assert not world.discovery.ready
    world.app.answers.clear()
    world.clock.move(seconds=10)
    assert await world.known("one") == {"one"}


async def test_rel_006_a_cold_start_does_not_storm_the_authority():
    """REL-003: while there is nothing, two seconds pass between attempts however many ask."""
    world = World()
    world.app.answers["metadata"] = answer(b"", status=503)
    for _ in range(500):
        with pytest.raises(AuthorityUnavailable):
            await world.discovery.metadata()
    assert world.app.hits["metadata"] == 1
    world.clock.move(seconds=2)
    with pytest.raises(AuthorityUnavailable):
        await world.discovery.metadata()
    assert world.app.hits["metadata"] == 2


async def test_rel_003_while_the_authority_is_down_it_is_asked_once_a_minute():
    """REL-003: with good keys at hand a failing authority is asked again after a minute, not at each token."""
    world = World()
    await world.discovery.key("one")
    world.app.answers["keys"] = FAULTS["503"]
    world.clock.move(hours=2)
    for _ in range(600):
        await world.discovery.key("one")
        world.clock.move(seconds=1)
        await world.settle()
    assert world.app.hits["keys"] <= 1 + 11


async def test_rel_003_retry_after_is_passed_on():
    """REL-003: what the authority asks for as a wait reaches the caller."""
    world = World()

    async def busy(scope, receive, send):
        await send({"type": "http.response.start", "status": 429, "headers": [(b"retry-after", b"17")]})
        await send({"type": "http.response.body", "body": b""})

    world.app.answers["metadata"] = busy
    for _ in range(2):
        with pytest.raises(AuthorityUnavailable) as caught:
            await world.discovery.metadata()
        assert caught.value.retry_after == 17


async def test_sec_062_keys_are_refreshed_in_the_background_each_hour():
    """SEC-062: after an hour the caller gets its key at once and a new set is fetched meanwhile."""
    world = World()
    await world.discovery.key("one")
    world.app.keys = [jwk("two"), jwk("three")]
    world.clock.move(minutes=59)
    assert await world.known("one") == {"one"}
    assert world.fetches == (1, 1)
    world.clock.move(minutes=2)
    assert (await world.discovery.key("one")).id == "one"
    await world.settle()
    assert world.fetches == (1, 2)
    assert await world.known("two", "three") == {"two", "three"}


async def test_sec_062_a_withdrawn_key_is_refused_within_the_hour_and_its_grace():
    """SEC-062, REL-007: after the hour and a quarter a withdrawn key is refused at the first token."""
    world = World()
    await world.discovery.key("one")
    world.app.keys = [jwk("two")]
    world.clock.move(hours=1, minutes=15)
    assert await world.known("one") == set()


async def test_sec_062_workers_do_not_refresh_in_step():
    """SEC-062: the hour differs by up to a tenth between workers."""
    world = World()
    early, late = (
        Discovery(
            world.discovery.authority, world.discovery._egress, world.clock, production=True, jitter=lambda j=j: j
        )
        for j in (0.0, 1.0)
    )
    await early.key("one")
    await late.key("one")
    world.clock.move(minutes=55)
    await late.key("one")
    assert world.fetches[1] == 2
    await early.key("one")
    await early._keys.in_flight()
    assert world.fetches[1] == 3


async def test_rel_007_a_key_rotated_just_before_signing_is_found():
    """REL-007: a token signed with a key of a second ago is accepted after the one fetch that its kid is worth."""
    world = World()
    await world.discovery.key("one")
    world.app.keys.append(jwk("three"))
    found = await asyncio.gather(*(world.discovery.key("three") for _ in range(50)))
    assert ({key.id for key in found}, world.fetches) == ({"three"}, (1, 2))


async def test_sec_061_a_flood_of_unknown_kids_costs_one_fetch_per_five_minutes():
    """SEC-061, REL-009: 5 000 invented kids cost one fetch; known keys are served all the while."""
    world = World()
    await world.discovery.key("one")

    async def invented(number: int) -> None:
        with pytest.raises(TokenRefused):
            await world.discovery.key(f"invented-{number}")

    for start in range(0, 5000, 500):
        await asyncio.gather(*(invented(number) for number in range(start, start + 500)), world.discovery.key("one"))
    assert world.fetches == (1, 2)
    world.clock.move(minutes=4, seconds=59)
    await invented(1)
    assert world.fetches == (1, 2)
    world.clock.move(seconds=1)
    await invented(1)
    assert world.fetches == (1, 3)


async def test_sec_061_the_floor_holds_when_the_fetch_fails():
    """SEC-061: a fetch that failed counts too; an unknown kid is then unavailable, and known keys work."""
    world = World()
    await world.discovery.key("one")
    world.app.answers["keys"] = FAULTS["503"]
    for number in range(200):
        with pytest.raises(AuthorityUnavailable):
            await world.discovery.key(f"invented-{number}")
    assert world.fetches == (1, 2)
    assert await world.known("one") == {"one"}


async def test_rel_009_a_known_key_does_not_wait_for_a_fetch():
    """REL-009: while a fetch for an unknown kid hangs, tokens with known kids are checked at once."""
    world = World()
    await world.discovery.key("one")
    world.app.answers["keys"] = silent
    waiting = asyncio.create_task(world.discovery.key("invented"))
    await asyncio.sleep(0)
    async with asyncio.timeout(0.1):
        assert (await world.discovery.key("one")).id == "one"
    with pytest.raises(AuthorityUnavailable):
        await waiting


async def test_rel_009_the_queue_for_unknown_kids_has_an_end():
    """REL-009, SEC-028: while the authority hangs, only so many tokens wait; the others are told at once."""
    world = World()
    await world.discovery.key("one")
    world.app.answers["keys"] = silent
    waiting = [asyncio.create_task(world.discovery.key(f"invented-{number}")) for number in range(MOST_SEEKING)]
    await asyncio.sleep(0)
    with pytest.raises(AuthorityUnavailable, match="too many"):
        await world.discovery.key("one-more")
    assert (await world.discovery.key("one")).id == "one"
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {AuthorityUnavailable}
    assert world.fetches == (1, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"https://{HOST}/{OTHER_TENANT}/v2.0"},
        {"issuer": "https://evil.example/v2.0"},
        {"jwks_uri": "https://evil.example/keys"},
        {"token_endpoint": f"http://{HOST}/token"},
        {"jwks_uri": None},
    ],
)
async def test_rel_005_metadata_that_turns_bad_is_refused_and_the_old_kept(changes):
    """SEC-007, REL-005: a changed issuer or a foreign endpoint is refused; the old document serves for a day."""
    world = World(tenant_id="contoso.onmicrosoft.com")
    await world.discovery.key("one")
    world.app.metadata |= changes
    world.clock.move(hours=20)
    before = await world.discovery.metadata()
    assert (before.issuer, before.jwks_uri) == (ISSUER, f"{BASE}/discovery/v2.0/keys")
    world.clock.move(hours=5)
    with pytest.raises(AuthorityUnavailable):
        await world.discovery.metadata()


async def test_rel_005_endpoints_may_move_on_the_same_hosts():
    """REL-005: an endpoint that moved within the authority's hosts is followed at the next refresh."""
    world = World()
    await world.discovery.metadata()
    world.app.metadata |= {"token_endpoint": f"https://{HOST}/elsewhere/token"}
    world.clock.move(hours=13)
    assert (await world.discovery.metadata()).token_endpoint.endswith("/elsewhere/token")


async def test_sec_059_keys_come_from_the_discovered_address_alone():
    """SEC-059: the only calls are the metadata's address and the jwks_uri in it."""
    world = World()
    world.app.metadata["jwks_uri"] = f"https://{HOST}/over/there"
    await world.discovery.key("one")
    assert world.internet.calls == [
        ("GET", f"{BASE}/v2.0/.well-known/openid-configuration"),
        ("GET", f"https://{HOST}/over/there"),
    ]


async def test_sec_190_production_refuses_the_emulator_at_the_real_address():
    """SEC-190: an emulator that answers under the true host name is refused in production."""
    world = World()
    world.app.metadata["entrada_emulator"] = True
    with pytest.raises(AuthorityUnavailable, match="emulator"):
        await world.discovery.metadata()
    developing = World(production=False)
    developing.app.metadata["entrada_emulator"] = True
    assert await developing.discovery.metadata()


async def test_a_clock_set_back_does_not_freeze_the_keys():
    """Keys fetched "tomorrow", by a clock since put right, are fetched anew."""
    world = World()
    await world.discovery.key("one")
    world.app.keys = [jwk("two")]
    world.clock.move(days=-1)
    assert await world.known("one", "two") == {"two"}


async def test_an_unknown_tenant_is_told_to_the_operator():
    """The detail of a refused discovery names the setting to mend, and nothing of the authority's own text."""
    world = World()
    body = {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant 'x' not found. <script>"}
    world.app.answers["metadata"] = answer(json.dumps(body).encode(), status=400)
    with pytest.raises(
        AuthorityUnavailable, match=r"400: invalid_tenant; AADSTS90002; the tenant was not found: check"
    ) as e:
        await world.discovery.metadata()
    assert "script" not in str(e.value)


async def test_closing_ends_what_is_under_way():
    """After aclose nothing of the discovery goes on."""
    world = World()
    world.app.answers["metadata"] = silent
    waiting = asyncio.create_task(world.discovery.metadata())
    await asyncio.sleep(0.01)
    await world.discovery.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_sec_190_production_does_not_take_the_emulators_keys():
    """SEC-190: nor are keys that the emulator made, behind metadata that looks honest."""
    world = World()
    world.app.keys = [jwk("one"), jwk("emulator-1")]
    with pytest.raises(AuthorityUnavailable, match="emulator"):
        await world.discovery.key("one")
    developing = World(production=False)
    developing.app.keys = world.app.keys
    assert await developing.discovery.key("one")
