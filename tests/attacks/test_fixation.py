"""An attacker plants a session id before sign-in: it never becomes the victim's session (SEC-071, SEC-072)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from tests.moved_clock import MovedClock

ADA = User(issuer="https://id.example", subject="ada")
EVE = User(issuer="https://id.example", subject="eve")


@pytest.fixture(params=["memory:", "sqlite:"])
async def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sessions]:
    ring, clock = KeyRing.parse(generate()), MovedClock()
    store = open_store(request.param, data_dir=tmp_path / "data", clock=clock)
    yield Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    await store.close()


@pytest.mark.parametrize("planted", ["A" * 43, "attacker-chosen", "", "x" * 5000, "é" * 43])
async def test_a_planted_id_is_never_adopted(sessions: Sessions, planted: str) -> None:
    """Signing in while the browser holds an id that we did not issue gives a new one; the planted stays nothing."""
    session_id, _ = await sessions.begin(ADA, tokens=b"", replacing=planted)
    assert session_id != planted
    assert await sessions.load(planted) is None


async def test_the_attackers_own_session_dies_and_is_not_raised(sessions: Sessions) -> None:
    """An attacker's living session planted in the victim's browser is ended by her sign-in, not turned into hers."""
    planted, _ = await sessions.begin(EVE, tokens=b"eve")
    session_id, session = await sessions.begin(ADA, tokens=b"ada", replacing=planted)
    assert await sessions.load(planted) is None
    assert session_id != planted
    assert session.user == ADA


async def test_the_old_id_is_dead_before_the_new_one_is_known(sessions: Sessions) -> None:
    """Signing in again ends the old session in the same step; its late writes are lost."""
    old_id, old = await sessions.begin(ADA, tokens=b"old")
    new_id, _ = await sessions.begin(ADA, tokens=b"new", replacing=old_id)
    assert not await sessions.save_tokens(old, b"late", version=1)
    assert await sessions.load(old_id) is None
    assert await sessions.load(new_id)
