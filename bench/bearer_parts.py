"""The parts of a bearer token's way in: verified strictly beside the bare signature check, and looked up when known."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bench.bearer import API, TENANT, Authority, access_token, key_set
from bench.timing import Row, beside, micros
from entrada import Settings
from entrada.clock import system_clock
from entrada.provider import authority, keys
from entrada.provider.discovery import Discovery
from entrada.provider.egress import Egress
from entrada.provider.tenants import Tenants
from entrada.provider.tokens.access_token import AccessTokenVerifier, Api, Source
from entrada.provider.tokens.claims_cache import ClaimsCache, Entry

KEYED = b"k" * 32


def verification() -> list[Row]:
    """Verify one RS256 access token with all its checks, keys at hand, beside the bare signature check."""
    return asyncio.run(_verification())


def opened_verifier(egress: Egress) -> AccessTokenVerifier:
    """Return what verifies an access token of the authority that is asked by this way out."""
    trusted = authority.Authority.from_settings(Settings.load(tenant_id=TENANT, client_id=API))
    return AccessTokenVerifier(
        Source(trusted, Discovery(trusted, egress, system_clock, production=False)),
        api=Api(client_id=API),
        algorithms=("RS256",),
        leeway=60,
        tenants=Tenants(),
        clock=system_clock,
    )


async def _verification() -> list[Row]:
    egress = Egress(transport=Authority(), private_addresses_allowed=False)
    verifier = opened_verifier(egress)
    token = access_token()
    found = await verifier.verify(token)
    message, _, signature = token.encode().rpartition(b".")
    raw_signature, scheme, digest = base64.urlsafe_b64decode(signature + b"=="), padding.PKCS1v15(), hashes.SHA256()
    public = keys.KeySet.parse(key_set()).keys[found.key.id].public_key
    bare = lambda: public.verify(raw_signature, message, scheme, digest)  # type: ignore[call-arg, arg-type]  # noqa: E731
    raw, ours = await beside(bare, lambda: verifier.verify(token))
    await egress.aclose()
    return [
        ("access token · raw RS256 signature check (the floor)", f"{raw:.1f}", "1.00 × raw"),
        ("access token · Entrada: strict, every check", f"{ours:.1f}", f"{ours / raw:.2f} × raw"),
    ]


def remembered() -> list[Row]:
    """Look up what is known of a token, among as many as are kept, beside the hashes alone."""
    cache: ClaimsCache[int] = ClaimsCache()
    header = f"Bearer {access_token()}".encode()
    now = datetime.now(UTC).timestamp()
    until = now + timedelta(hours=1).total_seconds()
    for number in range(9_999):
        cache.put(str(number).encode(), Entry(number, until=until, sure_until=until))
    cache.put(header, Entry(0, until=until, sure_until=until))
    keyed = micros(lambda: blake2b(header, key=KEYED, digest_size=20).digest())
    plain = micros(lambda: sha256(header).digest())
    ours = micros(lambda: cache.get(header, now=now))
    return [
        ("claims remembered · BLAKE2b under a key alone", f"{keyed:.1f}", "1.00 × keyed"),
        ("claims remembered · SHA-256 alone", f"{plain:.1f}", f"{plain / keyed:.2f} × keyed"),
        ("claims remembered · Entrada, among 10 000", f"{ours:.1f}", f"{ours / keyed:.2f} × keyed"),
    ]
