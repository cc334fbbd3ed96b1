"""A logout token becomes claims here and nowhere else (OpenID Connect Back-Channel Logout 1.0 section 2.6, SEC-102)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from entrada.clock import Clock
from entrada.errors import TokenRefused
from entrada.provider.discovery import Discovery
from entrada.provider.tokens import jws
from entrada.provider.tokens.validate import (
    Expected,
    already_valid,
    audience_is_us,
    issuer_is_expected,
    not_expired,
    subject_is_named,
    times_are_numbers,
)

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPES = frozenset({"LOGOUT+JWT", "APPLICATION/LOGOUT+JWT", "JWT"})
"""What `typ` may say, in upper case; JWT names no kind, and is what several providers write."""
LONGEST_ID = 255
LONGEST_LIFE = 24 * 3600  # seconds; a token is remembered until it ends, and that must be bounded


@dataclass(frozen=True, slots=True)
class LogoutClaims:
    """Whose sessions end: those of `sid`, or without one all of `subject`. Only the verifier makes one."""

    issuer: str
    subject: str | None
    sid: str | None = field(repr=False)
    token_id: str = field(repr=False)
    """`jti`: each token counts once."""
    expires_at: float
    """`exp`, in seconds since 1970."""


class LogoutTokenVerifier:
    """Verifies logout tokens of one authority for one client; `leeway` is in seconds."""

    def __init__(
        self, discovery: Discovery, *, client_id: str, algorithms: Sequence[str], leeway: int, clock: Clock
    ) -> None:
        self._discovery = discovery
        self._client_id = client_id
        self._algorithms = tuple(algorithms)
        self._leeway = leeway
        self._clock = clock

    async def verify(self, logout_token: str) -> LogoutClaims:
        """Return the claims; TokenRefused for a bad token, AuthorityUnavailable when its keys cannot be had.

        Whether its `jti` was seen before is for the caller to ask the store.
        """
        token = jws.parse(logout_token, algorithms=self._algorithms)
        if token.header.type.upper() not in TYPES:
            raise TokenRefused("type_is_logout: typ says that this is no logout token")
        issuer = (await self._discovery.metadata()).issuer
        key = await self._discovery.key(token.header.key_id)
        expected = Expected(
            issuer=issuer, audience=self._client_id, now=self._clock().timestamp(), leeway=self._leeway
        )  # fmt: skip
        return check(jws.verify(token, key, algorithms=self._algorithms), expected)


def check(claims: Mapping[str, Any], expected: Expected) -> LogoutClaims:
    """Return the claims when they pass every check; `claims` must come out of `jws.verify`."""
    issuer_is_expected(claims, expected)
    audience_is_us(claims, expected)
    times_are_numbers(claims, expected)
    not_expired(claims, expected)
    already_valid(claims, expected)
    _lives_shortly(claims, expected)
    _is_a_logout(claims)
    _is_no_id_token(claims)
    if "sub" in claims:
        subject_is_named(claims, expected)
    sid = _identifier(claims, "sid") if "sid" in claims else None
    if sid is None and "sub" not in claims:
        raise TokenRefused("somebody_is_named: neither sid nor sub")
    return LogoutClaims(
        issuer=claims["iss"],
        subject=claims.get("sub"),
        sid=sid,
        token_id=_identifier(claims, "jti"),
        expires_at=claims["exp"],
    )


def _lives_shortly(claims: Mapping[str, Any], expected: Expected) -> None:
    """A token that could be played for longer than we remember it is refused."""
    if claims["exp"] - expected.now > LONGEST_LIFE:
        raise TokenRefused("lives_shortly: exp is more than a day ahead")


def _is_a_logout(claims: Mapping[str, Any]) -> None:
    """`events` has the member of back-channel logout, an object: an ID token has none."""
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise TokenRefused("is_a_logout: events does not name a back-channel logout")


def _is_no_id_token(claims: Mapping[str, Any]) -> None:
    """`nonce` is prohibited, so that neither kind can pass for the other."""
    if "nonce" in claims:
        raise TokenRefused("is_no_id_token: it has a nonce")


def _identifier(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise TokenRefused(f"{name}_is_named: missing, too long, or not a text")
    return value
