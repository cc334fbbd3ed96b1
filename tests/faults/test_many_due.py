"""REL-045: ten thousand sessions that began in the same minute are renewed over minutes, a few at a time."""

from collections import Counter
from datetime import timedelta
from random import Random

import msgspec

from entrada.errors import AuthorityUnavailable
from entrada.flows.renewing.schedule import Schedule
from entrada.provider.clients.credentials import Credentials
from entrada.provider.clients.oidc_client import OidcClient, SessionTokens
from entrada.provider.egress import Egress
from tests.moved_clock import MovedClock

SESSIONS = 10_000
LIFE = timedelta(hours=1)
BUFFER = timedelta(minutes=5)


async def nothing() -> None:
    raise AuthorityUnavailable("not asked here")


def schedule(clock: MovedClock) -> Schedule:
    """Return the schedule of an application with settings as they are by default."""
    client = OidcClient(
        client_id="app",
        credentials=Credentials([], client_id="app"),
        egress=Egress(private_addresses_allowed=False),
        metadata=nothing,  # type: ignore[arg-type]
        clock=clock,
        refresh_buffer=BUFFER,
    )
    return Schedule(client, scopes=(), spread=BUFFER, clock=clock, chance=Random(7).random)


def tokens(clock: MovedClock, *, life: timedelta, refresh_token: str | None = "rt") -> bytes:
    since = clock().timestamp()
    held = SessionTokens("at", (), since=since, until=since + life.total_seconds(), refresh_token=refresh_token)
    return msgspec.msgpack.encode(held)


def test_one_minute_becomes_five() -> None:
    """REL-045, SEC-111: no minute has much more than a fifth of them, and none is due later than the buffer's start."""
    clock = MovedClock()
    ready = schedule(clock)
    latest = clock() + LIFE - BUFFER
    due = [ready.due_at(tokens(clock, life=LIFE)) for _ in range(SESSIONS)]
    assert all(at and latest - BUFFER <= at <= latest for at in due)
    minutes = Counter((latest - at) // timedelta(minutes=1) for at in due if at)
    assert len(minutes) == 5
    assert max(minutes.values()) < SESSIONS / 5 * 1.1


def test_a_short_life_is_not_renewed_at_once() -> None:
    """TOK-3: of a token that lives for five minutes at least a third is used before it is renewed."""
    clock = MovedClock()
    ready = schedule(clock)
    life = timedelta(minutes=5)
    assert all(ready.due_at(tokens(clock, life=life)) > clock() + life / 3 for _ in range(1000))  # type: ignore[operator]


def test_what_cannot_be_renewed_is_never_due() -> None:
    """TOK-3: a session without a refresh token costs the background nothing."""
    clock = MovedClock()
    assert schedule(clock).due_at(tokens(clock, life=LIFE, refresh_token=None)) is None


def test_failures_are_further_and_further_apart() -> None:
    """SEC-111, REL-003: 5 s, doubled up to a minute; Retry-After is never undercut, and what is put off is spread."""
    clock = MovedClock()
    ready = schedule(clock)
    waits = [(ready.retry_at(AuthorityUnavailable(), failures=n) - clock()).total_seconds() for n in range(8)]
    for wait, least in zip(waits, (5, 10, 20, 40, 60, 60, 60, 60), strict=True):
        assert least <= wait <= least * 1.25
    asked = {ready.retry_at(AuthorityUnavailable(retry_after=120), failures=3) - clock() for _ in range(20)}
    assert len(asked) == 20
    assert min(asked) >= timedelta(seconds=120)
