"""What every token client promises of an application's own tokens, and of tokens on behalf of others."""

from datetime import timedelta

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.errors import AuthorityUnavailable, Unsupported
from tests.contracts.token_peers import JSON, MsalAtEmulator, MsalPublicAtEmulator, OidcAtEmulator, Peer, canned

GRAPH = ("https://graph.microsoft.com/.default",)


@pytest.fixture(params=[MsalAtEmulator, OidcAtEmulator])
def peer(request: pytest.FixtureRequest, entra: Entra) -> Peer:
    peer: Peer = request.param(entra)
    return peer


async def test_its_own_token(peer: Peer) -> None:
    """TOK-6, SEC-023: by client credentials, the secret in the body or a header, never in the address."""
    got = await peer.client().for_itself(GRAPH)
    (sent,) = peer.endpoint.requests
    assert sent.form["grant_type"] == ["client_credentials"]
    assert sent.form["scope"] == [GRAPH[0]]
    assert sent.query == b""
    assert got.source == "identity_provider"
    assert timedelta(minutes=30) < got.expires_at - peer.clock() < timedelta(hours=25)
    assert got.access_token not in repr(got)


async def test_a_wrong_secret_is_our_trouble(peer: Peer) -> None:
    """A refused secret blames no caller: unavailable, with the reason for the log."""
    with pytest.raises(AuthorityUnavailable):
        await peer.client(secret="wrong").for_itself(GRAPH)


async def test_an_answer_without_use(peer: Peer) -> None:
    """An answer that is no token is an outage, not an exception of a library's (SEC-029)."""
    for body in (b"", b"[]", b'{"access_token": 7, "token_type": "Bearer"}', b'{"token_type": "Bearer"}'):
        peer.endpoint.instead.append(canned(body, headers=(JSON,)))
        with pytest.raises(AuthorityUnavailable):
            await peer.client().for_itself(GRAPH)


async def test_a_public_client_has_none(entra: Entra) -> None:
    """Without a credential there is no token of its own, and none on behalf of others: said, and nobody is asked."""
    peer = MsalPublicAtEmulator(entra)
    with pytest.raises(Unsupported, match="public client"):
        await peer.client().for_itself(GRAPH)
    with pytest.raises(Unsupported, match="public client"):
        await peer.client().on_behalf_of("a.b.c", GRAPH, tenant_id=None)
    assert peer.endpoint.requests == []


async def test_another_provider_has_no_on_behalf_of(entra: Entra) -> None:
    """On-behalf-of is Entra's: with another provider that is said, and the caller's token goes nowhere."""
    peer = OidcAtEmulator(entra)
    with pytest.raises(Unsupported, match="only Entra"):
        await peer.client().on_behalf_of("a.b.c", GRAPH, tenant_id=None)
    assert peer.endpoint.requests == []
