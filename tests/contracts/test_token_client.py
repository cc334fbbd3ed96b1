"""What every token client promises, run for MSAL and for the client of other providers, at three authorities."""

import base64
import json
import logging
from datetime import timedelta
from typing import Any

import anyio
import pytest

from entrada.errors import (
    AuthorityRefused,
    AuthorityUnavailable,
    InteractionRequired,
    RenewalRefused,
    TokenRefused,
)
from entrada.provider.clients.token_client import sent_nonce
from tests.contracts.token_peers import Peer, answer, canned, made, thumbprint


def claims_of(id_token: str) -> dict[str, Any]:
    payload = id_token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


class TestRedeem:
    async def test_a_code_brings_the_tokens_of_this_very_sign_in(self, peer: Peer) -> None:
        """The raw ID token carries the nonce that was sent and belongs to the access token."""
        grant = await peer.grant()
        redeemed = await peer.client().redeem(grant)
        claims = claims_of(redeemed.id_token)
        assert claims["nonce"] == sent_nonce(grant.nonce)
        assert redeemed.access_token
        assert claims.get("at_hash", thumbprint(redeemed.access_token)) == thumbprint(redeemed.access_token)
        assert set(peer.scopes) <= set(redeemed.granted_scopes)
        assert redeemed.access_expires_at
        assert timedelta(minutes=50) < redeemed.access_expires_at - peer.clock() < timedelta(hours=2)
        assert len(peer.endpoint.requests) == 1

    async def test_secrets_travel_in_the_body_or_the_authorization_header_never_in_an_address(self, peer: Peer) -> None:
        """SEC-023, SEC-025: one way of client authentication per request, and no query."""
        await peer.client().redeem(await peer.grant())
        (request,) = peer.endpoint.requests
        assert request.query == b""
        assert ("client_secret" in request.form) != (b"authorization" in request.headers)

    async def test_a_wrong_verifier_is_refused(self, peer: Peer) -> None:
        """A code without the verifier of the browser that asked for it is worth nothing."""
        with pytest.raises(AuthorityRefused) as refused:
            await peer.client().redeem(await peer.grant(code_verifier="w" * 43))
        assert refused.value.code == "invalid_grant"

    async def test_a_used_code_is_refused(self, peer: Peer) -> None:
        """The authority's refusal of a second use arrives as what it is."""
        grant = await peer.grant()
        await peer.client().redeem(grant)
        with pytest.raises(AuthorityRefused) as refused:
            await peer.client().redeem(grant)
        assert refused.value.code == "invalid_grant"

    async def test_a_wrong_secret_is_refused(self, peer: Peer) -> None:
        """The authority's word for it is kept, for the operator's sake."""
        with pytest.raises(AuthorityRefused) as refused:
            await peer.client(secret="not the secret").redeem(await peer.grant())
        assert refused.value.code == "invalid_client"

    async def test_an_unknown_client_is_refused(self, peer: Peer) -> None:
        """The authority's word for it is kept."""
        unknown = "0f0f0f0f-0000-4000-8000-000000000000"
        with pytest.raises(AuthorityRefused) as refused:
            await peer.client(client_id=unknown).redeem(await peer.grant())
        assert refused.value.code == peer.unknown_client_word

    async def test_an_answer_without_id_token_is_no_sign_in(self, peer: Peer) -> None:
        """OAuth without OpenID Connect signs nobody in."""
        grant = await peer.grant()
        peer.endpoint.instead.append(answer())
        with pytest.raises(TokenRefused):
            await peer.client().redeem(grant)

    async def test_only_the_token_endpoint_is_called(self, peer: Peer) -> None:
        """Neither client discovers anything by itself: the endpoint is the one that was verified (SEC-007)."""
        grant = await peer.grant()
        peer.internet.calls.clear()
        await peer.client().redeem(grant)
        assert [method for method, url in peer.internet.calls if not url.endswith("openid-configuration")] == ["POST"]


class TestCache:
    async def test_a_token_that_lasts_is_given_without_asking(self, peer: Peer) -> None:
        """A cache hit says so, sends nothing and changes nothing (TOK-1, TOK-5)."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        acquired = await client.acquire(tokens, peer.scopes)
        assert acquired.source == "cache"
        assert acquired.tokens is None
        assert acquired == client.cached(tokens, (*peer.scopes, "openid"))
        assert peer.endpoint.requests == []

    async def test_a_token_is_never_given_for_another_api(self, peer: Peer) -> None:
        """SEC-114: what was granted for one API's scope serves no other's."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        assert client.cached(tokens, ("api://orders/Orders.Read",)) is None
        assert client.cached(tokens, (*peer.scopes, "api://orders/Orders.Read")) is None

    async def test_a_token_of_tomorrow_is_renewed_first(self, peer: Peer) -> None:
        """REL-046: it came where the clock is ahead, and may be over; or ours is behind, and it is the one there is."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.clock.move(minutes=-4)
        assert client.cached(tokens, peer.scopes)
        peer.clock.move(days=-1)
        assert client.cached(tokens, peer.scopes) is None
        assert client.lasting(tokens, peer.scopes)

    async def test_what_is_no_session_of_ours_holds_nothing(self, peer: Peer) -> None:
        """Unreadable tokens are no token and no crash."""
        client = peer.client()
        for junk in (b"", b"\x00", b"[]", b"{}", b'{"AccessToken": 1}'):
            assert client.cached(junk, peer.scopes) is None
            with pytest.raises(RenewalRefused):
                await client.acquire(junk, peer.scopes)


class TestRenewal:
    async def test_an_expired_token_is_renewed_once_and_kept(self, peer: Peer) -> None:
        """One request; the new token is then given from the session."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        old = await client.acquire(tokens, peer.scopes)
        peer.clock.move(hours=3)
        renewed = await client.acquire(tokens, peer.scopes)
        assert renewed.source == "identity_provider"
        assert renewed.access_token != old.access_token
        assert renewed.tokens
        again = await client.acquire(renewed.tokens, peer.scopes)
        assert (again.source, again.access_token) == ("cache", renewed.access_token)
        assert len(peer.endpoint.requests) == 1

    async def test_a_token_within_the_buffer_is_renewed_early(self, peer: Peer) -> None:
        """An access token with less left than the setting says is not handed out."""
        client = peer.client(token_refresh_buffer_secs=600)
        tokens = await peer.signed_in(client)
        held = await client.acquire(tokens, peer.scopes)
        peer.clock.offset += held.expires_at - peer.clock() - timedelta(seconds=590)
        assert (await client.acquire(tokens, peer.scopes)).source == "identity_provider"

    async def test_a_rotated_refresh_token_is_the_one_used_next(self, peer: Peer) -> None:
        """SEC-112: three renewals in a row, each with what the last one brought; the old one is gone."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        sent = []
        for _ in range(3):
            peer.clock.move(hours=3)
            renewed = await client.acquire(tokens, peer.scopes)
            assert renewed.tokens
            tokens = renewed.tokens
            sent.append(peer.endpoint.requests[-1].form["refresh_token"][0])
        assert len(set(sent)) == 3
        assert not any(old.encode() in tokens for old in sent)

    async def test_a_refresh_token_that_is_not_rotated_stays(self, peer: Peer) -> None:
        """An answer without a new refresh token leaves the old one in use."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.endpoint.instead.append(answer())
        first = await client.acquire(tokens, peer.scopes, force=True)
        assert first.tokens
        second = await client.acquire(first.tokens, peer.scopes, force=True)
        assert second.access_token != "another"
        used = [request.form["refresh_token"] for request in peer.endpoint.requests]
        assert used[0] == used[1]

    async def test_a_refresh_token_outlives_tokens_that_are_not_used(self, peer: Peer) -> None:
        """SEC-108: the held access token stays, and the next renewal goes by the successors' refresh token."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        renewed = await client.acquire(tokens, peer.scopes, force=True)
        assert renewed.tokens
        kept = client.with_refresh_token_of(tokens, renewed.tokens)
        before, after = client.lasting(tokens, peer.scopes), client.lasting(kept, peer.scopes)
        assert before
        assert after
        assert before.access_token == after.access_token != renewed.access_token
        assert (await client.acquire(kept, peer.scopes, force=True)).source == "identity_provider"
        (used,) = peer.endpoint.requests[-1].form["refresh_token"]
        assert used.encode() in renewed.tokens

    async def test_force_asks_although_a_token_lasts(self, peer: Peer) -> None:
        """Forced means asked."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        assert (await client.acquire(tokens, peer.scopes, force=True)).source == "identity_provider"

    async def test_a_revoked_refresh_token_means_sign_in_again(self, peer: Peer) -> None:
        """SEC-110: a refused grant ends the session, even while its access token would last some minutes more."""
        client = peer.client(token_refresh_buffer_secs=3600)
        tokens = await peer.signed_in(client)
        await peer.revoke()
        peer.clock.move(minutes=45)
        with pytest.raises(RenewalRefused) as refused:
            await client.acquire(tokens, peer.scopes)
        assert refused.value.code == "invalid_grant"

    async def test_a_refusal_is_not_repeated_from_memory(self, peer: Peer) -> None:
        """Who is refused, signs in again and comes back within a minute meets the authority, not a stale refusal."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.endpoint.instead.append(canned(b'{"error":"invalid_grant"}', status=400))
        with pytest.raises(RenewalRefused):
            await client.acquire(tokens, peer.scopes, force=True)
        assert (await client.acquire(tokens, peer.scopes, force=True)).source == "identity_provider"

    async def test_one_more_step_is_asked_for_with_its_claims(self, peer: Peer) -> None:
        """A refusal that a step of the person's would lift says so, and which."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
        body = {"error": "interaction_required", "error_description": "AADSTS50076: …", "claims": claims}
        peer.endpoint.instead.append(canned(json.dumps(body).encode(), status=400))
        with pytest.raises(InteractionRequired) as step:
            await client.acquire(tokens, peer.scopes, force=True)
        assert (step.value.claims, step.value.aadsts) == (claims, "AADSTS50076")

    async def test_a_wrong_secret_signs_nobody_out(self, peer: Peer) -> None:
        """SEC-110: our own misconfiguration is an outage, not the person's fault."""
        tokens = await peer.signed_in(peer.client())
        client = peer.client(secret="expired since")
        peer.clock.move(hours=3)
        with pytest.raises(AuthorityUnavailable):
            await client.acquire(tokens, peer.scopes)

    async def test_a_session_without_refresh_token_ends_with_its_access_token(self, peer: Peer) -> None:
        """It lasts to the end, past the buffer, then the person signs in again; the authority is not asked."""
        client = peer.client()
        grant = await peer.grant()
        id_token = (await client.redeem(await peer.grant())).id_token
        claims = claims_of(id_token) | {"nonce": sent_nonce(grant.nonce)}
        unsigned = f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.AA"
        peer.endpoint.instead.append(answer(id_token=unsigned))
        tokens = (await client.redeem(grant)).tokens
        peer.endpoint.requests.clear()
        peer.clock.move(seconds=3590)
        assert (await client.acquire(tokens, peer.scopes)).access_token == "another"
        peer.clock.move(seconds=20)
        with pytest.raises(RenewalRefused):
            await client.acquire(tokens, peer.scopes)
        assert peer.endpoint.requests == []

    async def test_sessions_renewed_together_keep_their_own_tokens(self, peer: Peer) -> None:
        """SEC-114: nothing is shared between the operations of one client."""
        client = peer.client()
        sessions = [await peer.signed_in(client) for _ in range(4)]
        renewed: dict[bytes, str] = {}

        async def renew(tokens: bytes) -> None:
            acquired = await client.acquire(tokens, peer.scopes, force=True)
            assert acquired.tokens
            assert acquired.access_token.encode() in acquired.tokens
            renewed[tokens] = acquired.access_token

        async with anyio.create_task_group() as tasks:
            for tokens in sessions:
                tasks.start_soon(renew, tokens)
        assert len(set(renewed.values())) == 4


async def test_no_secret_reaches_the_log(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at DEBUG, MSAL's included, neither tokens, codes, verifiers nor the secret are in a line."""
    caplog.set_level(logging.DEBUG)
    client, grant = peer.client(), await peer.grant()
    caplog.clear()
    redeemed = await client.redeem(grant)
    renewed = await client.acquire(redeemed.tokens, peer.scopes, force=True)
    refreshed = peer.endpoint.requests[-1].form["refresh_token"][0]
    with pytest.raises(AuthorityRefused):
        await client.redeem(grant)
    secrets = [grant.code, grant.code_verifier, grant.nonce, redeemed.id_token, redeemed.access_token, refreshed]
    secrets += [renewed.access_token, peer.secret]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("django", "oauth"))]
    assert not [line for line in ours for secret in secrets if secret and secret in line]
    assert not [value for value in (grant, redeemed, renewed) for secret in secrets if secret and secret in repr(value)]


@pytest.mark.parametrize("name", ["msal-public", pytest.param("django-public", marks=pytest.mark.peer)])
async def test_a_public_client_sends_no_secret(name: str, request: pytest.FixtureRequest) -> None:
    """SEC-025, SEC-027: PKCE alone, and `client_id` in the form."""
    peer = made(name, request)
    client = peer.client()
    redeemed = await client.redeem(await peer.grant())
    assert (await client.acquire(redeemed.tokens, peer.scopes, force=True)).source == "identity_provider"
    for sent in peer.endpoint.requests:
        assert sent.form["client_id"] == [peer.client_id]
        assert "client_secret" not in sent.form
        assert b"authorization" not in sent.headers
    await peer.egress.aclose()
