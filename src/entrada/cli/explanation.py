"""One token explained: against the authority where that is asked for, else by its form and its times."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from entrada.cli.findings import Finding, Held, Kind, claims_of, found_by, kind_of, refusal, through_the_gauntlet
from entrada.errors import TokenRefused
from entrada.provider.authority import Authority, issuer_of
from entrada.provider.discovery import Discovery
from entrada.provider.keys import VerificationKey
from entrada.provider.tenants import Tenants
from entrada.provider.tokens import jws
from entrada.provider.tokens.access_checks import ExpectedAccess, type_is_access
from entrada.provider.tokens.jws import Jws
from entrada.provider.tokens.signature import ALGORITHMS
from entrada.provider.tokens.validate import Expected, tenant_named, type_is_jwt
from entrada.settings import Settings
from entrada.web.building.ways_out import WaysOut

LEEWAY = 60  # seconds, where no setting says
OFFLINE = "needs the authority: leave out --offline, and give the settings"
NO_SETTINGS = "needs the settings of the application"
OF_THE_AUTHORITY = (
    "issuer_is_expected",
    "policy_is_expected",
    "version_is_issuers",
    "tenant_is_expected",
    "key_is_issuers",
    "key_is_tenants",
)
OF_THE_SETTINGS = ("audience_is_us", "audience_is_this_api")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is to be said of a token."""

    kind: Kind | None
    verdict: Literal["accepted", "refused", "not verified"]
    findings: tuple[Finding, ...]
    claims: dict[str, Any] = field(default_factory=dict, repr=False)


async def explain(
    token: str, settings: Settings | None, outside: WaysOut | None, *, kind: Kind | None, now: datetime
) -> Explanation:
    """Say what each check finds; without `outside` nothing is asked of anybody, and nothing is verified.

    AuthorityUnavailable when the authority is to be asked and does not answer.
    """
    try:
        parsed = jws.parse(token, algorithms=settings.algorithms if settings else tuple(ALGORITHMS))
        claims = claims_of(parsed)
    except TokenRefused as refused:
        return Explanation(kind, "refused", (refusal(refused),))
    chosen = kind or kind_of(parsed, claims)
    findings = [Finding("form", "passes"), _type(parsed, chosen, settings)]
    if chosen == "access":
        findings.append(found_by("not_for_graph", lambda: _not_for_graph(parsed)))
    if settings and outside:
        subject = _Subject(parsed, claims, chosen, settings, outside, now)
        findings += await subject.findings(token)
    else:
        held = _known_offline(claims, chosen, settings, now)
        findings += [Finding(each, "unknown", OFFLINE) for each in ("key", "signature")]
        findings += through_the_gauntlet(claims, held)
    return Explanation(chosen, _verdict(findings, verified=outside is not None), tuple(findings), claims)


@dataclass(frozen=True, slots=True)
class _Subject:
    """A token that is held against its authority."""

    parsed: Jws
    claims: dict[str, Any] = field(repr=False)
    kind: Kind
    settings: Settings
    outside: WaysOut
    now: datetime

    async def findings(self, token: str) -> list[Finding]:
        """Return what key, signature, gauntlet and tenants say, and what the application itself would."""
        discovery, other = self._discoveries()
        issuer = (await discovery.metadata()).issuer
        key, found = await self._key(discovery)
        held = self._held(discovery, issuer, key, other)
        findings = [*found, *through_the_gauntlet(self.claims, held)]
        tenants = Tenants.from_settings(self.settings)
        tenant_id = held.expected.tenant_id
        findings.append(found_by("tenant_is_admitted", lambda: tenants.check(tenant_id, self.claims)))
        if self.kind == "access" and not any(each.result == "fails" for each in findings):
            findings += await self._as_the_application(token)
        return findings

    async def _as_the_application(self, token: str) -> list[Finding]:
        """Return what the application's own verifier has against the token, should the table have missed it."""
        try:
            await self.outside.access_tokens.verify(token)
        except TokenRefused as refused:
            return [refusal(refused)]
        return []

    def _discoveries(self) -> tuple[Discovery, Discovery | None]:
        """Return the metadata of the token's own version, and those of the other."""
        first, *older = self.outside.discoveries
        if older and self.kind == "access" and self.claims.get("ver") == "1.0":
            return older[0], first
        return first, older[0] if older else None

    async def _key(self, discovery: Discovery) -> tuple[VerificationKey | None, list[Finding]]:
        try:
            key = await discovery.key(self.parsed.header.key_id)
        except TokenRefused as refused:
            return None, [refusal(refused, "key"), Finding("signature", "unknown", "needs the key")]
        algorithms = self.settings.algorithms
        signature = found_by("signature", lambda: jws.verify(self.parsed, key, algorithms=algorithms))
        return key, [Finding("key", "passes"), signature]

    def _held(self, discovery: Discovery, issuer: str, key: VerificationKey | None, other: Discovery | None) -> Held:
        authority, settings = discovery.authority, self.settings
        tenant_id = self._tenant() if authority.many else authority.tenant_id(issuer)
        common: dict[str, Any] = {
            "issuer": issuer_of(issuer, tenant_id) if tenant_id else issuer,
            "audience": settings.client_id,
            "now": self.now.timestamp(),
            "leeway": settings.leeway_seconds,
            "tenant_id": tenant_id,
            "policy": authority.policy,
            "key_issuer": key.issuer if key else None,
            "algorithm": self.parsed.header.algorithm,
        }
        if self.kind == "id":
            return Held(Expected(**common))
        known = other.known if other else None
        expected = ExpectedAccess(
            **common,
            version=authority.version if authority.kind == "entra" else None,
            identifiers=frozenset(settings.api_identifiers),
            clients=frozenset(settings.api_clients),
            other_issuer=issuer_of(known.issuer, tenant_id) if known and tenant_id else None,
        )
        return Held(expected)

    def _tenant(self) -> str:
        """Return the tenant that the token names; a word that none is called when it names none."""
        try:
            return tenant_named(self.claims)
        except TokenRefused:
            return "unnamed"


def _known_offline(claims: dict[str, Any], kind: Kind, settings: Settings | None, now: datetime) -> Held:
    """Return what is known without asking anybody."""
    untold = dict.fromkeys(OF_THE_AUTHORITY, OFFLINE)
    if settings is None:
        untold |= dict.fromkeys(OF_THE_SETTINGS, NO_SETTINGS)
    common: dict[str, Any] = {
        "issuer": "",
        "policy": Authority.from_settings(settings).policy if settings else None,
        "audience": settings.client_id if settings else "",
        "now": now.timestamp(),
        "leeway": settings.leeway_seconds if settings else LEEWAY,
    }
    if kind == "id":
        return Held(Expected(**common), untold)
    expected = ExpectedAccess(
        **common,
        version={"1.0": 1, "2.0": 2}.get(str(claims.get("ver"))) if "tid" in claims else None,
        identifiers=frozenset(settings.api_identifiers if settings else ()),
        clients=frozenset(settings.api_clients if settings else ()),
    )
    return Held(expected, untold)


def _type(parsed: Jws, kind: Kind, settings: Settings | None) -> Finding:
    microsoft = settings is None or Authority.from_settings(settings).kind != "oidc"
    if kind == "access":
        return found_by("type_is_access", lambda: type_is_access(parsed.header.type, microsoft=microsoft))
    return found_by("type_is_jwt", lambda: type_is_jwt(parsed.header.type))


def _not_for_graph(parsed: Jws) -> None:
    if parsed.header.for_graph:
        raise TokenRefused("not_for_graph: only Microsoft Graph can verify its tokens")


def _verdict(findings: list[Finding], *, verified: bool) -> Literal["accepted", "refused", "not verified"]:
    if any(each.result == "fails" for each in findings):
        return "refused"
    return "accepted" if verified else "not verified"
