"""What the client for other OpenID providers promises beyond the contract."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.errors import AuthorityUnavailable, InteractionRequired
from entrada.provider.clients.credentials import Credentials, SharedSecret
from entrada.provider.clients.oidc_client import OidcClient
from entrada.provider.metadata import Metadata
from tests.contracts.token_peers import OidcAtEmulator, canned


@pytest.fixture
async def peer(entra: Entra) -> AsyncIterator[OidcAtEmulator]:
    peer = OidcAtEmulator(entra)
    yield peer
    await peer.egress.aclose()


def client_where(peer: OidcAtEmulator, *methods: str, secret: str | None = "s e/c%r:e+t") -> OidcClient:
    """A client of an endpoint that takes these ways of authentication."""

    async def metadata() -> Metadata:
        known = await peer.metadata(peer.settings(client_id=peer.client_id))
        return replace(known, token_endpoint_auth_methods=methods)

    return OidcClient(
        client_id="a client:é",
        credentials=Credentials([SharedSecret(secret)] if secret else [], client_id="a client:é"),
        egress=peer.egress,
        metadata=metadata,
        clock=peer.clock,
        refresh_buffer=timedelta(minutes=5),
    )


async def test_basic_authentication_encodes_both_parts(peer: OidcAtEmulator) -> None:
    """SEC-025: RFC 6749 section 2.3.1, form-encoded before base64, and the secret is nowhere else."""
    client = client_where(peer, "private_key_jwt", "client_secret_post", "client_secret_basic")
    peer.endpoint.instead.append(canned(b'{"error":"invalid_client"}', status=401))
    grant = await peer.grant()
    with pytest.raises(Exception, match="invalid_client"):
        await client.redeem(grant)
    (sent,) = peer.endpoint.requests
    scheme, _, encoded = sent.headers[b"authorization"].partition(b" ")
    assert (scheme, base64.b64decode(encoded)) == (b"Basic", b"a+client%3A%C3%A9:s+e%2Fc%25r%3Ae%2Bt")
    assert not {"client_secret", "client_id"} & sent.form.keys()


async def test_the_form_carries_the_secret_where_only_that_is_taken(peer: OidcAtEmulator) -> None:
    """SEC-025: `client_secret_post`, and no Authorization header."""
    client = client_where(peer, "client_secret_post")
    peer.endpoint.instead.append(canned(b'{"error":"invalid_client"}', status=401))
    grant = await peer.grant()
    with pytest.raises(Exception, match="invalid_client"):
        await client.redeem(grant)
    (sent,) = peer.endpoint.requests
    assert sent.form["client_secret"] == ["s e/c%r:e+t"]
    assert b"authorization" not in sent.headers


async def test_a_secret_is_not_sent_where_none_is_taken(peer: OidcAtEmulator) -> None:
    """An endpoint that wants a key gets no secret; the operator reads why."""
    client = client_where(peer, "private_key_jwt")
    grant = await peer.grant()
    with pytest.raises(AuthorityUnavailable, match="takes no client secret"):
        await client.redeem(grant)
    assert peer.endpoint.requests == []


async def test_a_renewal_repeats_no_scope(peer: OidcAtEmulator) -> None:
    """A provider that granted fewer refuses the repetition of the wished ones (traps 8)."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    await client.acquire(tokens, peer.scopes, force=True)
    assert "scope" not in peer.endpoint.requests[-1].form


async def test_a_scope_that_was_not_granted_needs_the_person(peer: OidcAtEmulator) -> None:
    """A refresh cannot widen a grant (RFC 6749 section 6), so nobody is asked in vain, again and again."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    with pytest.raises(InteractionRequired):
        await client.acquire(tokens, ("Mail.Read",))
    with pytest.raises(InteractionRequired) as step:
        await client.acquire(tokens, peer.scopes, claims='{"id_token":{}}')
    assert step.value.claims == '{"id_token":{}}'
    assert peer.endpoint.requests == []


async def test_scopes_differ_by_case(peer: OidcAtEmulator) -> None:
    """RFC 6749 section 3.3: scope values are case-sensitive."""
    client = peer.client()
    assert client.cached(await peer.signed_in(client), ("user.read",)) is None


async def test_what_a_renewal_narrows_stays_narrow(peer: OidcAtEmulator) -> None:
    """SEC-030: the narrower grant is kept, and the wider scope then needs the person, without another request."""
    client = peer.client()
    tokens = await peer.signed_in(client)
    body = {"access_token": "another", "token_type": "Bearer", "expires_in": 60, "scope": "openid"}
    peer.endpoint.instead.append(canned(json.dumps(body).encode()))
    renewed = await client.acquire(tokens, peer.scopes, force=True)
    assert renewed.tokens
    with pytest.raises(InteractionRequired):
        await client.acquire(renewed.tokens, peer.scopes)
    assert len(peer.endpoint.requests) == 1
