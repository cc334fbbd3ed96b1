"""Authorization codes: what a person agreed to, until a client redeems it once."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from entrada_emulator.clock import Clock
from entrada_emulator.directory.model import RedirectKind
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking

CODE_LIFE = timedelta(minutes=10)
CODE_MARK = "1.emulator-"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGrant:
    """Everything an authorization code stands for."""

    client_id: str
    redirect_uri: str
    """As the authorize request named it; the token request must repeat it."""
    redirect_kind: RedirectKind
    path_tenant: str
    """Where it was issued: a tenant GUID, `common` or `organizations` (a domain is resolved to its GUID)."""
    tenant_id: str
    """The tenant of the tokens."""
    user_id: str
    """Object id of the person in that tenant."""
    scopes: tuple[str, ...]
    """As the authorize request named them."""
    sid: str
    """The browser session, as ID tokens and front-channel logout name it."""
    auth_time: datetime
    amr: tuple[str, ...] = ("pwd",)
    acrs: tuple[str, ...] = ()
    nonce: str | None = None
    code_challenge: str | None = None
    code_challenge_method: Literal["S256", "plain"] | None = None
    max_age: int | None = None
    new_user: bool = False
    """Whether a customer signed up on the way."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """The parsed `claims` parameter."""


@dataclass(frozen=True, slots=True)
class _Issued:
    grant: CodeGrant = field(repr=False)
    expires_at: datetime
    redeemed: bool = False


class AuthorizationCodes:
    """Issues codes and spends each once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, _Issued] = {}

    def issue(self, grant: CodeGrant) -> str:
        """A fresh code for the grant, good for ten minutes."""
        code = CODE_MARK + secrets.token_urlsafe(96)
        self._issued[code] = _Issued(grant, self._clock.now() + CODE_LIFE)
        return code

    def read(self, code: str) -> CodeGrant:
        """What the code stands for, without spending it.

        Raises 70000 for an unknown code, 54005 for a spent one, 70008 for one past its ten minutes.
        """
        issued = self._issued.get(code)
        with checking("code_known"):
            if issued is None:
                raise EntraError(70000)
        with checking("code_unspent"):
            if issued.redeemed:
                raise EntraError(54005)
        with checking("code_in_time"):
            if self._clock.now() >= issued.expires_at:
                raise EntraError(70008)
        return issued.grant

    def spend(self, code: str) -> None:
        """Marks the code as redeemed."""
        self._issued[code] = replace(self._issued[code], redeemed=True)

    def expire_all(self) -> int:
        """Ends every code that waits; returns how many."""
        waiting = [code for code, issued in self._issued.items() if not issued.redeemed]
        for code in waiting:
            self._issued[code] = replace(self._issued[code], expires_at=self._clock.now())
        return len(waiting)
