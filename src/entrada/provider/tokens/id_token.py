"""An ID token becomes claims here and nowhere else: form, algorithm, key, signature, then the gauntlet."""

from collections.abc import Sequence

from entrada.clock import Clock
from entrada.provider.authority import Authority, issuer_of
from entrada.provider.discovery import Discovery
from entrada.provider.tenants import Tenants
from entrada.provider.tokens import jws
from entrada.provider.tokens.validate import Claims, Expected, Identified, check, same_person, tenant_named, type_is_jwt


class IdTokenVerifier:
    """Verifies ID tokens of one authority for one client; `leeway` is in seconds.

    Every method raises TokenRefused for a bad token and AuthorityUnavailable when its keys cannot be had.
    """

    def __init__(
        self,
        discovery: Discovery,
        *,
        client_id: str,
        authority: Authority,
        algorithms: Sequence[str] = ("RS256",),
        leeway: int = 60,
        tenants: Tenants = Tenants(),
        clock: Clock,
    ) -> None:
        self._discovery = discovery
        self._client_id = client_id
        self._authority = authority
        self._algorithms = tuple(algorithms)
        self._leeway = leeway
        self._tenants = tenants
        self._clock = clock

    async def verify(
        self, id_token: str, *, nonce: str, access_token: str | None = None, max_age: int | None = None
    ) -> Claims:
        """Return the claims of a sign-in's token.

        `access_token` is the one that came with it: a token with `at_hash` is refused without. `max_age` (seconds)
        is what was asked of the authority.
        """
        return await self._verify(id_token, nonce=nonce, access_token=access_token, max_age=max_age)

    async def verify_renewed(self, id_token: str, *, of: Identified, access_token: str | None = None) -> Claims:
        """Return the claims of a renewed token, which must speak of the same person as before (SEC-109).

        `of` is the User of the session, or the Claims of its sign-in.
        """
        claims = await self._verify(id_token, nonce=None, access_token=access_token, max_age=None)
        same_person(claims, of)
        return claims

    async def _verify(
        self, id_token: str, *, nonce: str | None, access_token: str | None, max_age: int | None
    ) -> Claims:
        token = jws.parse(id_token, algorithms=self._algorithms)
        type_is_jwt(token.header.type)
        known = (await self._discovery.metadata()).issuer
        key = await self._discovery.key(token.header.key_id, vouched=True)
        values = jws.verify(token, key, algorithms=self._algorithms)
        tenant_id = tenant_named(values) if self._authority.many else self._authority.tenant_id(known)
        expected = Expected(
            issuer=issuer_of(known, tenant_id) if tenant_id else known,
            audience=self._client_id,
            now=self._clock().timestamp(),
            leeway=self._leeway,
            policy=self._authority.policy,
            tenant_id=tenant_id,
            key_issuer=key.issuer,
            algorithm=token.header.algorithm,
            nonce=nonce,
            access_token=access_token,
            max_age=max_age,
        )
        claims = check(values, expected)
        self._tenants.check(claims.tenant_id, claims.values)
        return claims
