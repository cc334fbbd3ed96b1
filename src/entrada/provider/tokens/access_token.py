"""An access token becomes claims here and nowhere else: form, algorithm, kind, key, signature, then the gauntlet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from entrada.clock import Clock, in_seconds
from entrada.errors import TokenRefused
from entrada.provider.authority import Authority, issuer_of
from entrada.provider.discovery import Discovery
from entrada.provider.keys import VerificationKey
from entrada.provider.tenants import Tenants
from entrada.provider.tokens import jws
from entrada.provider.tokens.access_checks import AccessClaims, ExpectedAccess, check, type_is_access
from entrada.provider.tokens.usual_token import Recognise, usual_token
from entrada.provider.tokens.validate import tenant_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What we are as an API: who may be meant by `aud`, and which clients may call."""

    client_id: str
    identifiers: frozenset[str] = frozenset()
    """App ID URIs, or the resource identifiers of another provider."""
    clients: frozenset[str] = frozenset()
    """The clients that may call; empty when any may."""


@dataclass(frozen=True, slots=True)
class Source:
    """One issuer of access tokens: the authority by one version of its metadata."""

    authority: Authority
    discovery: Discovery


class Verified(msgspec.Struct, frozen=True):
    """An access token that passed, and what that depends on: when the key is withdrawn, it passes no more."""

    claims: AccessClaims
    key: VerificationKey
    version: int
    """Of the metadata that the key came from."""


class AccessTokenVerifier:
    """Verifies access tokens for this API; `leeway` is in seconds.

    `first` is the authority by its metadata of version 2, `second` at Entra by those of version 1: each token is held
    against its own (SEC-051). Raises TokenRefused for a bad token and AuthorityUnavailable when its keys cannot be had.
    """

    def __init__(
        self,
        first: Source,
        second: Source | None = None,
        *,
        api: Api,
        algorithms: Sequence[str],
        leeway: int,
        tenants: Tenants,
        clock: Clock,
    ) -> None:
        self._first = first
        self._second = second
        self._api = api
        self._algorithms = tuple(algorithms)
        self._leeway = leeway
        self._tenants = tenants
        self._many = first.authority.many
        self._now = in_seconds(clock)
        self._admitted: jws.Header | None = None
        self._last: tuple[tuple[str, str | None, str | None, int], ExpectedAccess, Recognise] | None = None

    async def verify(self, token: str) -> Verified:
        """Return the claims of a good token."""
        parsed = jws.parse(token, algorithms=self._algorithms)
        header = parsed.header
        if header is not self._admitted:
            self._admitted = self._admit(header)
        now = self._now()
        at_hand = self._first.discovery.fresh_key(header.key_id, now)
        key = at_hand or await self._key(header.key_id)
        values = jws.verify(parsed, key, algorithms=self._algorithms)
        if self._second and values.get("ver") == "1.0":
            source, own = self._second, self._second.discovery.fresh_key(key.id, now)
        else:
            source, own = self._first, at_hand
        own = own or await source.discovery.key(key.id)
        if own is not key and own.material != key.material:
            raise TokenRefused("key: not one of the issuer's own")
        issuer = source.discovery.fresh_issuer(now) or (await source.discovery.metadata()).issuer
        expected, recognise = self._expected(source, values, issuer, key_issuer=own.issuer or key.issuer, now=now)
        claims = recognise(values) or check(values, expected)
        self._tenants.check(claims.tenant_id, claims.values)
        return Verified(claims, own, source.authority.version)

    def _admit(self, header: jws.Header) -> jws.Header:
        """Return the header when it is an access token's; tokens of one key share theirs, so it is asked once."""
        microsoft = self._first.authority.kind != "oidc"
        type_is_access(header.type, microsoft=microsoft)
        if header.for_graph and microsoft:
            raise TokenRefused("not_for_graph: the token is for Microsoft Graph; ask for a scope of this API")
        return header

    async def _key(self, kid: str) -> VerificationKey:
        """Return the key of this id: Entra publishes most under both versions.

        The second source is asked once a verified token has shown that it is in use, so that strangers cannot have its
        documents fetched.
        """
        second = self._second.discovery if self._second else None
        if second is None or second.known is None or self._first.discovery.has_key(kid):
            return await self._first.discovery.key(kid)
        if second.has_key(kid):
            return await second.key(kid)
        try:
            return await self._first.discovery.key(kid)
        except TokenRefused:
            return await second.key(kid)

    def _expected(
        self, source: Source, claims: Mapping[str, Any], issuer: str, *, key_issuer: str | None, now: float
    ) -> tuple[ExpectedAccess, Recognise]:
        """Return what the claims are held against, the same values for the tokens of one tenant in one second."""
        named = tenant_named(claims) if self._many else None
        asked = (issuer, named, key_issuer, int(now))
        if self._last is None or self._last[0] != asked:
            expected = self._made(source, *asked)
            self._last = asked, expected, usual_token(expected)
        return self._last[1:]

    def _made(self, source: Source, issuer: str, named: str | None, key_issuer: str | None, now: int) -> ExpectedAccess:
        tenant_id = named or source.authority.tenant_id(issuer)
        return ExpectedAccess(
            issuer=issuer_of(issuer, tenant_id) if tenant_id else issuer,
            audience=self._api.client_id,
            now=now,
            leeway=self._leeway,
            tenant_id=tenant_id,
            policy=source.authority.policy,
            key_issuer=key_issuer,
            version=source.authority.version if source.authority.kind == "entra" else None,
            identifiers=self._api.identifiers,
            clients=self._api.clients,
            other_issuer=self._other_issuer(source, tenant_id),
        )

    def _other_issuer(self, source: Source, tenant_id: str | None) -> str | None:
        """Return the same tenant's issuer of the other version, as far as it is known."""
        other = self._second if source is self._first else self._first
        known = other.discovery.known if other else None
        return issuer_of(known.issuer, tenant_id) if known and tenant_id else None
