"""Refresh tokens: Entra's semantics, where a used one stays good, or strict, where reuse ends the family."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from entrada_emulator.clock import Clock
from entrada_emulator.directory.model import RedirectKind, RefreshSemantics
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, skipped

INACTIVE_LIFE = timedelta(days=90)
SPA_LIFE = timedelta(hours=24)
B2C_LIFE = timedelta(days=14)
REFRESH_MARK = "1.emulator-rt-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshGrant:
    """What a refresh token stands for: a person and a client, not a resource and not a tenant."""

    client_id: str
    redirect_kind: RedirectKind
    tenant_id: str
    user_id: str
    scopes: tuple[str, ...]
    sid: str
    auth_time: datetime
    amr: tuple[str, ...]
    acrs: tuple[str, ...] = ()
    first_issued_at: datetime
    """When the chain of refresh tokens began; a single-page application's ends 24 hours later."""
    policy: str = ""
    """The B2C policy it is good at; its tokens rest 14 days at most."""
    family: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(slots=True)
class _Issued:
    grant: RefreshGrant = field(repr=False)
    last_used: datetime
    used: bool = False


class RefreshTokens:
    """Issues refresh tokens and judges them."""

    def __init__(self, clock: Clock, semantics: RefreshSemantics = "entra") -> None:
        self._clock = clock
        self.semantics: RefreshSemantics = semantics
        self._issued: dict[str, _Issued] = {}
        self._revoked_families: set[str] = set()

    def issue(self, grant: RefreshGrant) -> str:
        """A fresh refresh token."""
        token = REFRESH_MARK + secrets.token_urlsafe(96)
        self._issued[token] = _Issued(grant, self._clock.now())
        return token

    def read(self, token: str) -> RefreshGrant:
        """What the token stands for.

        Raises 70000 for an unknown or revoked one, 700084 for a single-page application's after 24 hours, 700082 after
        90 days of rest, 70008 for one of B2C after 14. With strict semantics a second use also revokes the
        whole family.
        """
        issued = self._issued.get(token)
        with checking("refresh_known"):
            if issued is None or issued.grant.family in self._revoked_families:
                raise EntraError(70000)
        self._check_age(issued)
        self._check_reuse(issued)
        return issued.grant

    def mark_used(self, token: str) -> None:
        """Notes a use: it restarts the 90 days, and with strict semantics it is the only one allowed."""
        self._issued[token].used = True
        self._issued[token].last_used = self._clock.now()

    def expire_all(self) -> int:
        """Makes every refresh token look 90 days unused; returns how many."""
        for issued in self._issued.values():
            issued.last_used = self._clock.now() - INACTIVE_LIFE
        return len(self._issued)

    def revoke_all(self) -> int:
        """Revokes every refresh token; returns how many."""
        self._revoked_families.update(issued.grant.family for issued in self._issued.values())
        return len(self._issued)

    @checking("refresh_unused")
    def _check_reuse(self, issued: _Issued) -> None:
        if self.semantics != "strict":
            skipped("refresh_unused", "At Entra a used refresh token stays good; the emulator can be set to `strict`.")
        elif issued.used:
            self._revoked_families.add(issued.grant.family)
            raise EntraError(70000)

    @checking("refresh_in_time")
    def _check_age(self, issued: _Issued) -> None:
        now = self._clock.now()
        first = issued.grant.first_issued_at
        if issued.grant.redirect_kind == "spa" and now >= first + SPA_LIFE:
            raise EntraError(700084, issued=first.isoformat())
        if issued.grant.policy and now >= min(issued.last_used + B2C_LIFE, first + INACTIVE_LIFE):
            raise EntraError(70008)
        if now >= issued.last_used + INACTIVE_LIFE:
            raise EntraError(700082, issued=first.isoformat())
