"""What a token client makes of odd answers, and of none: an outage, never a sign-out or a wrong token."""

import math
import time

import anyio
import pytest

from entrada.errors import AuthorityUnavailable
from tests.contracts.token_peers import JSON, Peer, answer, broken, canned

DUPLICATE = b'{"access_token":"a","access_token":"b","token_type":"Bearer","expires_in":3600}'
OUTAGES = {
    "no answer": broken,
    "500": canned(b"oops", status=500, headers=()),
    "503": canned(b"{}", status=503, headers=(JSON, (b"retry-after", b"17"))),
    "429": canned(b'{"error":"invalid_grant"}', status=429),
    "a page": canned(b"<h1>Captive portal</h1>", headers=((b"content-type", b"text/html"),)),
    "a page that refuses": canned(b"<h1>No</h1>", status=403, headers=((b"content-type", b"text/html"),)),
    "a redirect": canned(status=302, headers=((b"location", b"https://evil.test/"),)),
    "not JSON": canned(b'{"access_token":'),
    "an array": canned(b'[{"access_token":"a"}]'),
    "a member twice": canned(DUPLICATE),
    "a number for a token": answer(access_token=17),
    "a token with a line break": answer(access_token="a\r\nX-Admin: yes"),
    "no access token": answer(access_token="left out"),
    "another token type": answer(token_type="DPoP"),
    "no token type": answer(token_type="left out"),
    "scopes as a list": answer(scope=["read"]),
    "a refresh token as an object": answer(refresh_token={}),
    "an error as a number": canned(b'{"error":17}', status=400),
    "temporarily_unavailable": canned(b'{"error":"temporarily_unavailable"}', status=400),
    "too large": canned(b'{"access_token":"' + b"a" * 2_000_000 + b'"}'),
}


@pytest.mark.parametrize("outage", OUTAGES)
class TestOutage:
    async def test_a_token_that_still_lasts_is_given(self, peer: Peer, outage: str) -> None:
        """SEC-029, SEC-110, REL-001 to REL-004: within the buffer an outage shows to nobody."""
        client = peer.client(token_refresh_buffer_secs=3600)
        tokens = await peer.signed_in(client)
        peer.clock.move(minutes=45)
        peer.endpoint.instead.append(OUTAGES[outage])
        acquired = await client.acquire(tokens, peer.scopes)
        assert acquired.source == "cache"
        assert acquired.expires_at > peer.clock()
        assert len(peer.endpoint.requests) == 1

    async def test_without_one_it_is_an_outage_and_nobody_is_signed_out(self, peer: Peer, outage: str) -> None:
        """SEC-029, SEC-110: AuthorityUnavailable, then the next attempt succeeds with the same tokens."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.clock.move(hours=3)
        peer.endpoint.instead.append(OUTAGES[outage])
        with pytest.raises(AuthorityUnavailable) as unavailable:
            await client.acquire(tokens, peer.scopes)
        assert unavailable.value.retry_after == (17 if outage == "503" else 5)  # SEC-111
        assert (await client.acquire(tokens, peer.scopes)).source == "identity_provider"


class TestWaiting:
    async def test_an_authority_that_never_answers_is_given_up(self, peer: Peer) -> None:
        """SEC-028, REL-002: a total timeout, for MSAL as well."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.clock.move(hours=3)
        peer.endpoint.instead.append(canned(after=60))
        with anyio.fail_after(20), pytest.raises(AuthorityUnavailable):
            await client.acquire(tokens, peer.scopes)

    async def test_the_event_loop_runs_on_while_the_authority_is_slow(self, peer: Peer) -> None:
        """SEC-028, TOK-1: no request of anybody else waits for MSAL."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.endpoint.instead.append(canned(b"{}", status=503, after=1.5))
        gaps: list[float] = []

        async def watch() -> None:
            while True:
                before = time.perf_counter()
                await anyio.sleep(0.01)
                gaps.append(time.perf_counter() - before)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            with pytest.raises(AuthorityUnavailable):
                await client.acquire(tokens, peer.scopes, force=True)
            tasks.cancel_scope.cancel()
        assert len(gaps) > 10
        assert max(gaps) < 1.5


class TestOddAnswers:
    @pytest.mark.parametrize(
        ("expires_in", "seconds"),
        [
            (3600, 3600), ("3600", 3600), (3599.9, 3599), (0, 0), (-1, 0), (-1e300, 0), (10**30, 604800),
            (1e300, 604800), ("9" * 400, 300), ("soon", 300), ("-5", 300), (True, 300), (None, 300), ([], 300),
            ("left out", 300),
        ],
    )  # fmt: skip
    async def test_no_expires_in_makes_a_token_endless(self, peer: Peer, expires_in: object, seconds: int) -> None:
        """SEC-030: missing or nonsense means a short life, huge a week, negative none."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.endpoint.instead.append(answer(expires_in=expires_in))
        acquired = await client.acquire(tokens, peer.scopes, force=True)
        assert math.isclose((acquired.expires_at - peer.clock()).total_seconds(), seconds, abs_tol=2)
        assert acquired.tokens
        assert (client.cached(acquired.tokens, peer.scopes) is not None) == (seconds > 0)

    async def test_token_type_is_compared_without_case(self, peer: Peer) -> None:
        """SEC-030: `bearer` is Bearer."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.endpoint.instead.append(answer(token_type="bEARER"))
        assert (await client.acquire(tokens, peer.scopes, force=True)).access_token == "another"

    async def test_no_scope_in_the_answer_means_the_scope_asked_for(self, peer: Peer) -> None:
        """SEC-030, RFC 6749 section 5.1."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.endpoint.instead.append(answer(scope="left out"))
        acquired = await client.acquire(tokens, peer.scopes, force=True)
        assert acquired.tokens
        cached = client.cached(acquired.tokens, peer.scopes)
        assert cached
        assert cached.access_token == "another"

    async def test_a_narrower_scope_is_honoured(self, peer: Peer) -> None:
        """SEC-030: a token that lacks a scope is not given for it."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.endpoint.instead.append(answer(scope="openid less"))
        acquired = await client.acquire(tokens, peer.scopes, force=True)
        assert acquired.tokens
        cached = client.cached(acquired.tokens, peer.scopes)
        assert cached is None or cached.access_token != "another"

    async def test_a_short_lived_token_is_not_renewed_at_every_call(self, peer: Peer) -> None:
        """Tokens of five minutes with a buffer of five minutes last half their life in the cache."""
        client = peer.client()
        tokens = await peer.signed_in(client)
        peer.endpoint.instead.append(answer(expires_in=300))
        acquired = await client.acquire(tokens, peer.scopes, force=True)
        assert acquired.tokens
        peer.clock.move(seconds=140)
        assert client.cached(acquired.tokens, peer.scopes)
        peer.clock.move(seconds=20)
        assert client.cached(acquired.tokens, peer.scopes) is None
