"""The protocol of a token client: what a sign-in and a caller need from a token endpoint, whoever runs it.

Two implementations under one contract suite: `msal_client` for Entra, `oidc_client` for any other OpenID provider.
What a session holds (`tokens`) is bytes that only the client which made them can read; the caller seals and stores
them, and sends one renewal at a time for a session (SEC-106).
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable, RenewalRefused, Unsupported
from entrada.provider.clients.credentials import Credentials
from entrada.provider.egress import Egress
from entrada.provider.metadata import Metadata

CLOCKS_APART = timedelta(minutes=5)  # of two hosts that share a session's tokens
RESERVED_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
"""The words that ask for an identity or a refresh token, not for a right at an API."""


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """An authorization code and all that belongs to it, from a callback whose state was found and spent."""

    code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    scopes: Sequence[str]
    """All that the authorization request asked for, the reserved words included."""
    nonce: str = field(repr=False)
    """The transaction's secret; `sent_nonce` of it was in the authorization request."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a code was good for. The ID token is raw: nobody has verified it yet."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False)
    tokens: bytes = field(repr=False)
    granted_scopes: tuple[str, ...]
    access_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Acquired:
    """An access token to call an API with."""

    access_token: str = field(repr=False)
    expires_at: datetime
    source: Literal["cache", "identity_provider"]
    tokens: bytes | None = field(default=None, repr=False)
    """To be stored before the access token is used (SEC-108); None when nothing changed."""
    id_token: str | None = field(default=None, repr=False)
    """The raw ID token that came with a renewal; to be verified against the session's (SEC-109)."""


@dataclass(frozen=True, slots=True)
class Held:
    """An access token found in a session's tokens, valid from `since` until `until`."""

    access_token: str = field(repr=False)
    since: datetime
    until: datetime


class NothingToRenewWith(RenewalRefused):
    """The session holds no refresh token, so the authority was not even asked."""


def sent_nonce(nonce: str) -> str:
    """Return the `nonce` of the authorization request for a transaction's secret (OpenID Core section 15.5.2)."""
    return hashlib.sha256(nonce.encode("ascii")).hexdigest()


class TokenClient(ABC):
    """Gets tokens at one authority.

    `metadata` returns the verified metadata (`Discovery.metadata`); `credentials` prove who asks; an access token with
    less than `refresh_buffer` left is renewed before it is handed out.
    """

    def __init__(
        self,
        *,
        client_id: str,
        credentials: Credentials,
        egress: Egress,
        metadata: Callable[[], Awaitable[Metadata]],
        clock: Clock,
        refresh_buffer: timedelta,
    ) -> None:
        self._client_id = client_id
        self._credentials = credentials
        self._egress = egress
        self._metadata = metadata
        self._clock = clock
        self._refresh_buffer = refresh_buffer

    revokes = False
    """Whether `revoke` may do anything: not at Entra, which has no revocation endpoint."""

    @abstractmethod
    async def redeem(self, grant: CodeGrant) -> Redeemed:
        """Exchange a code for tokens; AuthorityRefused, AuthorityUnavailable, or TokenRefused without an ID token."""

    async def acquire(
        self, tokens: bytes, scopes: Sequence[str], *, force: bool = False, claims: str | None = None
    ) -> Acquired:
        """Return a token for `scopes`: the session's own while it lasts, else a renewed one.

        `force` and `claims` (a claims challenge, JSON) always ask the authority. RenewalRefused or
        InteractionRequired when the person must act; AuthorityUnavailable when no answer can be had and the token
        held is over, or was not to be used again. While it lasts, an outage at the authority shows to nobody
        (SEC-110).
        """
        asked_for_new = force or claims is not None
        if not asked_for_new and (cached := self.cached(tokens, scopes)):
            return cached
        try:
            return await self._renew(tokens, scopes, claims=claims)
        except (AuthorityUnavailable, NothingToRenewWith):
            if not asked_for_new and (held := self.lasting(tokens, scopes)):
                return held
            raise

    async def on_behalf_of(
        self,
        assertion: str,  # noqa: ARG002
        scopes: Sequence[str],  # noqa: ARG002
        *,
        tenant_id: str | None,  # noqa: ARG002
        claims: str | None = None,  # noqa: ARG002
    ) -> Acquired:
        """Return a token for `scopes` at another API, for the person whose access token for us `assertion` is.

        `tenant_id` is the tenant that vouched for them: at an authority for several the question is put there, for
        elsewhere a guest would become somebody of their home tenant. InteractionRequired or RenewalRefused when the
        person must act; Unsupported where there is no such grant.
        """
        raise Unsupported("on-behalf-of: only Entra has this grant; with this provider call the API with a session")

    @abstractmethod
    async def for_itself(
        self, scopes: Sequence[str], *, tenant_id: str | None = None, claims: str | None = None
    ) -> Acquired:
        """Return the application's own token (RFC 6749 section 4.4), in `tenant_id` at an authority for several.

        Unsupported for a public client, and without a tenant where one must be named.
        """

    def _must_prove_itself(self, grant: str) -> None:
        if self._credentials.public:
            raise Unsupported(f"{grant} needs a client secret, certificate or assertion; this is a public client")

    def id_token(self, _tokens: bytes, /) -> str | None:
        """Return the session's ID token where the provider wants it as a hint at sign-out; None where it does not."""
        return None

    async def revoke(self, _tokens: bytes, /) -> bool:
        """Ask the authority to revoke the session's refresh token (RFC 7009); False where that cannot be asked.

        AuthorityUnavailable when it was asked and did not do so.
        """
        return False

    async def introspect(self, _token: str, /) -> Mapping[str, Any] | None:
        """Return what the provider says of an access token (RFC 7662); None where it has no such endpoint.

        AuthorityUnavailable when it gives no usable answer.
        """
        return None

    def cached(self, tokens: bytes, scopes: Sequence[str]) -> Acquired | None:
        """Return the session's own token for `scopes` when it need not be renewed; asks nobody, in microseconds."""
        held = self._held(tokens, scopes)
        return _from_cache(held) if held and self._is_current(held) else None

    def lasting(self, tokens: bytes, scopes: Sequence[str]) -> Acquired | None:
        """Return the session's own token for `scopes` to its very end; for when no new one can be had."""
        held = self._held(tokens, scopes)
        return _from_cache(held) if held and held.until > self._clock() else None

    def granted(self, tokens: bytes, scopes: Sequence[str]) -> bool:
        """Say whether the session was ever given a token for all of `scopes`, be it over by now."""
        return self._held(tokens, scopes) is not None

    @abstractmethod
    def with_refresh_token_of(self, tokens: bytes, renewed: bytes) -> bytes:
        """Return a session's tokens with the refresh token of their successors, which are not to be used."""

    def renewal_due(self, tokens: bytes, scopes: Sequence[str]) -> datetime | None:
        """Return from when on `cached` gives nothing any more; None when there is nothing, or nothing to renew with."""
        held = self._held(tokens, scopes)
        return self._wants_renewal(held) if held and self._renewable(tokens) else None

    @abstractmethod
    def _held(self, tokens: bytes, scopes: Sequence[str]) -> Held | None:
        """Return the newest access token in `tokens` that is good for all of `scopes`, valid or not."""

    @abstractmethod
    def _renewable(self, tokens: bytes) -> bool:
        """Say whether `tokens` hold a refresh token."""

    @abstractmethod
    async def _renew(self, tokens: bytes, scopes: Sequence[str], *, claims: str | None) -> Acquired:
        """Ask the authority once; NothingToRenewWith without a refresh token."""

    def _is_current(self, held: Held) -> bool:
        """Say whether it need not be renewed; one that came in the future must, for who knows how long it lasts.

        That clock was ahead, or ours is behind: where no new one can be verified here, `lasting` gives it (REL-046).
        """
        now = self._clock()
        return now < self._wants_renewal(held) and held.since <= now + CLOCKS_APART

    def _wants_renewal(self, held: Held) -> datetime:
        # A token that lives for five minutes would otherwise be renewed at every call.
        return held.until - min(self._refresh_buffer, (held.until - held.since) / 2)


def _from_cache(held: Held) -> Acquired:
    return Acquired(access_token=held.access_token, expires_at=held.until, source="cache")
