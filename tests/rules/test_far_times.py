"""REL-047: tokens of the year 2039, and times that 32 bits, or a float's 53, do not hold."""

from datetime import UTC, datetime

import pytest

from entrada.errors import TokenRefused
from entrada.provider.clients.token_answer import LONGEST_LIFE, lifetime
from tests.authority_app import NONCE, Clock, token
from tests.rules.test_id_token import verifier

IN_2039 = datetime(2039, 1, 1, tzinfo=UTC)


async def test_a_token_of_2039_is_like_any_other():
    """Valid before its exp, refused after: neither wraps at 2^31."""
    clock = Clock(IN_2039)
    good = token(now=IN_2039)
    assert await verifier(clock=clock).verify(good, nonce=NONCE)
    clock.move(hours=2)
    with pytest.raises(TokenRefused, match="not_expired"):
        await verifier(clock=clock).verify(good, nonce=NONCE)


@pytest.mark.parametrize("beyond", [2**31, 2**31 + 1, 2**32, 2**32 + 1])
async def test_exp_beyond_32_bits(beyond):
    """A far exp is a far exp: not in the past by a wrapped sign, and not for ever."""
    assert await verifier(clock=Clock()).verify(token(exp=beyond), nonce=NONCE)
    late = Clock(datetime.fromtimestamp(beyond + 3600, UTC))
    with pytest.raises(TokenRefused, match="not_expired"):
        await verifier(clock=late).verify(token(exp=beyond), nonce=NONCE)


@pytest.mark.parametrize("beyond", [2**53, 2**53 + 1, 2**63, 2**64 + 1])
async def test_exp_beyond_53_bits(beyond):
    """No such year: refused as no time, before anything is computed from it."""
    with pytest.raises(TokenRefused, match="times_are_numbers"):
        await verifier(clock=Clock()).verify(token(exp=beyond), nonce=NONCE)


@pytest.mark.parametrize("expires_in", [2**31, 2**32 + 60, 2**53 + 1, 10**400, str(2**31), 1e300])
def test_a_life_beyond_any(expires_in):
    """`expires_in` of any size is a life between nothing and a week."""
    assert 0 <= lifetime(expires_in) <= LONGEST_LIFE
