"""The authority's documents through every fault: the known is kept, the wrong is refused, and time is bounded."""

import asyncio
import json

import pytest

from entrada.errors import AuthorityUnavailable
from tests.authority_app import BASE, HOST, ISSUER, answer, jwk
from tests.faults.discovered_world import FAULTS, World, silent

OTHER_TENANT = "11111111-2222-4333-8444-666666666666"


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


async def test_sleep_between_both_documents():
    """REL-006: metadata that grew too old before the keys came are fetched again; no chore is waited for."""
    world = World()

    async def after_two_days(scope, receive, send):
        world.clock.move(days=2)
        await answer(json.dumps({"keys": [jwk("one")]}).encode())(scope, receive, send)

    world.app.answers["keys"] = after_two_days
    assert await world.discovery.prepare()
    assert world.fetches == (2, 1)


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
