"""What the client for Entra promises beyond the contract: where MSAL by itself would do otherwise."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator

import anyio
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from entrada.errors import AuthorityUnavailable, TokenRefused
from tests.contracts.token_peers import MsalAtEmulator, answer, canned

ORDERS = f"api://{seeds.API}/Orders.Read"


@pytest.fixture
async def peer(entra: Entra) -> AsyncIterator[MsalAtEmulator]:
    peer = MsalAtEmulator(entra)
    yield peer
    await peer.egress.aclose()


async def test_another_persons_id_token_is_refused_by_its_nonce(peer: MsalAtEmulator) -> None:
    """MSAL's own comparison of the nonce is on, before ours: an answer for another attempt signs nobody in."""
    peer.entra.state.faults.add(Fault(endpoint="token", kind="wrong_nonce"))
    with pytest.raises(TokenRefused) as refused:
        await peer.client().redeem(await peer.grant())
    assert str(refused.value) == "nonce: the ID token is not for this sign-in"


async def test_each_api_has_its_own_token_in_one_session(peer: MsalAtEmulator) -> None:
    """SEC-114: Graph's and another API's tokens live side by side, and each is given for its own scopes only."""
    client = peer.client()
    peer.entra.consent(peer.entra.user(), peer.client_id, scopes=("openid", "profile", "offline_access", ORDERS))
    first = await client.redeem(await peer.grant())
    orders = await client.acquire(first.tokens, (ORDERS,))
    assert orders.source == "identity_provider"
    assert orders.tokens
    graph = await client.acquire(orders.tokens, peer.scopes)
    assert (graph.source, graph.access_token) == ("cache", first.access_token)
    assert (await client.acquire(orders.tokens, (ORDERS,))).access_token == orders.access_token
    assert client.cached(orders.tokens, (ORDERS, *peer.scopes)) is None


async def test_no_scope_is_no_reason_to_give_any_token(peer: MsalAtEmulator) -> None:
    """SEC-114: without a scope nothing says whose token is meant."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    assert client.cached(tokens, ()) is None


async def test_openid_is_graphs(peer: MsalAtEmulator) -> None:
    """SEC-114: a token for `openid` alone is Graph's; one of another API is not given for it, whatever it may do."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    assert client.cached(tokens, ("openid", "profile")) == client.cached(tokens, ("User.Read",))
    assert client.cached(tokens, ("openid", "offline_access")) is None
    for name in ("api://orders/Orders.Read", "a0000000-0000-4000-8000-000000000005"):
        others = tokens.replace(b"User.Read", name.encode())
        assert client.cached(others, (name,))
        assert client.cached(others, ("openid", "profile")) is None


@pytest.mark.parametrize(
    "scope", ["https://graph.microsoft.com/User.Read", "user.read", "HTTPS://graph.microsoft.com/user.read"]
)
async def test_a_scope_is_known_by_each_of_its_names(peer: MsalAtEmulator, scope: str) -> None:
    """Entra answers `User.Read` to the long name; that must not mean a renewal at every call."""
    client = peer.client()
    assert client.cached(await peer.signed_in(client), (scope,))


@pytest.mark.parametrize(
    "scope", ["00000003-0000-0000-c000-000000000000/User.Read", "https://graph.microsoft.com//User.Read"]
)
async def test_a_token_is_found_again_in_the_words_asked(peer: MsalAtEmulator, scope: str) -> None:
    """TOK-2: a resource has several names; the answer says `User.Read`, and nobody asks again at each call for that."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    renewed = await client.acquire(tokens, (scope,))
    assert renewed.tokens
    for words in (scope, "User.Read"):
        found = await client.acquire(renewed.tokens, (words,))
        assert (found.source, found.access_token) == ("cache", renewed.access_token)


async def test_a_scope_of_another_resource_is_not_granted_with_it(peer: MsalAtEmulator) -> None:
    """SEC-114: asked together with another API's, a scope of the same name is that API's token's only."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    peer.endpoint.instead.append(answer(scope="api://one/read"))
    renewed = await client.acquire(tokens, ("api://one/read", "api://two/read"), force=True)
    assert renewed.tokens
    assert client.lasting(renewed.tokens, ("api://one/read",))
    assert client.lasting(renewed.tokens, ("api://two/read",)) is None


async def test_default_is_found_again_although_no_answer_names_it(peer: MsalAtEmulator) -> None:
    """`.default` stands for whatever was granted: the second call is a cache hit."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    default = ("https://graph.microsoft.com/.default",)
    renewed = await client.acquire(tokens, default)
    assert renewed.tokens
    assert (await client.acquire(renewed.tokens, default)).source == "cache"


async def test_a_forced_renewal_replaces_the_token_that_an_api_refused(peer: MsalAtEmulator) -> None:
    """The session keeps one token per API, the newest, however long the older one would last."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    renewed = await client.acquire(tokens, peer.scopes, force=True)
    assert renewed.tokens
    assert len(json.loads(renewed.tokens)["AccessToken"]) == 1


async def test_strict_rotation_never_sees_a_refresh_token_twice(peer: MsalAtEmulator) -> None:
    """SEC-112: where reuse revokes the family, a session outlives many renewals."""
    peer.entra.state.refresh_tokens.semantics = "strict"
    client = peer.client()
    tokens = await peer.signed_in(client)
    for _ in range(4):
        renewed = await client.acquire(tokens, peer.scopes, force=True)
        assert renewed.tokens
        tokens = renewed.tokens


async def test_a_claims_challenge_reaches_the_authority(peer: MsalAtEmulator) -> None:
    """The claims that an API asked for are sent, whatever the cache holds."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    claims = {"access_token": {"xms_cc": {"values": ["cp1"]}}}
    await client.acquire(tokens, peer.scopes, claims=json.dumps(claims))
    assert json.loads(peer.endpoint.requests[-1].form["claims"][0]) == claims


@pytest.mark.parametrize("client_info", ["!!!", "bm8", "W10", "eyJ1aWQiOjF9"])
async def test_a_malformed_client_info_is_an_outage_not_a_crash(peer: MsalAtEmulator, client_info: str) -> None:
    """SEC-029: what MSAL stumbles over is refused with a reason that quotes nothing."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    body = {"access_token": "a-secret-token", "token_type": "Bearer", "expires_in": 60, "client_info": client_info}
    peer.endpoint.instead.append(canned(json.dumps(body).encode()))
    try:
        acquired = await client.acquire(tokens, peer.scopes, force=True)
    except AuthorityUnavailable as unavailable:
        assert "a-secret-token" not in str(unavailable)  # noqa: PT017
    else:
        assert acquired.access_token == "a-secret-token"


async def test_the_environment_does_not_steer_msal(peer: MsalAtEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regions, proxies and certificates from the environment change neither host nor trust (traps 12)."""
    for name in ("MSAL_FORCE_REGION", "REGION_NAME"):
        monkeypatch.setenv(name, "westeurope")
    for name in ("HTTPS_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "http://nowhere.test:1")
    client = peer.client()
    tokens = await peer.signed_in(client)
    assert (await client.acquire(tokens, peer.scopes, force=True)).source == "identity_provider"


async def test_many_slow_renewals_wait_for_a_thread_and_all_succeed(peer: MsalAtEmulator) -> None:
    """SEC-028: more renewals than threads, each answered after a while: none fails, the loop stays free."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    body = b'{"access_token":"another","token_type":"Bearer","expires_in":3600}'
    peer.endpoint.instead.extend([canned(body, after=0.1)] * 50)
    done: list[str] = []

    async def renew() -> None:
        done.append((await client.acquire(tokens, peer.scopes, force=True)).access_token)

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(renew)
    assert done == ["another"] * 50


def test_msal_is_imported_for_entra_only() -> None:
    """Whoever uses another provider does not pay for MSAL at start-up."""
    code = "import sys; from entrada.provider.clients import clients, oidc_client; assert 'msal' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
