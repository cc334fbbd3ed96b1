"""Which authority we trust, made from the settings alone: where its metadata is and what may stand in it."""

import re
from dataclasses import dataclass, replace
from typing import Literal, Self
from urllib.parse import urlencode, urlsplit

from entrada.errors import AuthorityUnavailable
from entrada.provider import b2c
from entrada.settings import Settings
from entrada.well_known import GUID, LOOPBACK, MANY_TENANTS

WELL_KNOWN = "/.well-known/openid-configuration"
EXTERNAL = ".ciamlogin.com"  # External ID
TEMPLATE = "{tenantid}"  # stands for each tenant in metadata that are for several, and in their keys
ENTRA_ISSUER = re.compile(rf"https://(?P<host>[a-z0-9.-]+)(:[0-9]{{1,5}})?/(?P<tenant>{GUID.pattern})/v2\.0")
ENTRA_ISSUER_V1 = re.compile(rf"https://(?P<host>[a-z0-9.-]+)(:[0-9]{{1,5}})?/(?P<tenant>{GUID.pattern})/")

CLOUDS: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "login.microsoftonline.com",
            "login.microsoft.com",
            "login.windows.net",
            "sts.windows.net",
            "graph.microsoft.com",
        }
    ),
    frozenset({"login.microsoftonline.us", "sts.windows.net", "graph.microsoft.us", "dod-graph.microsoft.us"}),
    frozenset(
        {
            "login.partner.microsoftonline.cn",
            "login.chinacloudapi.cn",
            "sts.chinacloudapi.cn",
            "microsoftgraph.chinacloudapi.cn",
        }
    ),
)
"""The hosts of each national cloud; endpoints of one never stand in the metadata of another."""

ANY_GUID = "00000000-0000-0000-0000-000000000000"

ELSEWHERE: dict[str, frozenset[str]] = {
    "accounts.google.com": frozenset({"oauth2.googleapis.com", "www.googleapis.com", "openidconnect.googleapis.com"}),
}
"""Providers known to have endpoints on hosts other than their issuer's."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority that the settings name, and the rules its metadata must keep."""

    kind: Literal["entra", "b2c", "oidc"]
    metadata_url: str
    hosts: frozenset[str]
    """The hosts on which its endpoints may be (SEC-007)."""
    issuer: str | None = None
    """The exact issuer, of a provider other than Entra."""
    tenant: str | None = None
    """The configured Entra tenant in lower case: a GUID or a domain."""
    msal_authority: str | None = None
    """The authority as MSAL wants it, at Entra."""
    policy: str | None = None
    """The user flow that people sign in through, at Azure AD B2C."""
    version: Literal[1, 2] = 2
    """Of Entra's endpoints: the tokens of an API that asks for version 1 have an issuer and metadata of their own."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the authority that checked settings describe."""
        if settings.issuer:
            return cls._other(settings.issuer, frozenset(host.lower() for host in settings.endpoint_hosts))
        if settings.b2c_tenant:
            return cls._b2c(settings.entra_authority or "", settings.b2c_policy or "")
        keys_of = settings.client_id if settings.custom_signing_key else None
        return cls._entra(settings.entra_authority or "", (settings.tenant_id or "").lower(), keys_of)

    @property
    def many(self) -> bool:
        """Whether it signs in people of several tenants, each under an issuer of its own."""
        return self.tenant in MANY_TENANTS

    @property
    def on_this_machine(self) -> bool:
        """Whether it is on a loopback address: an emulator, for development."""
        return urlsplit(self.metadata_url).hostname in LOOPBACK

    def issuer_fault(self, issuer: str) -> str | None:
        """Say why metadata with this issuer is not this authority's; None when it is (SEC-007, SEC-037)."""
        if self.kind == "oidc":
            return None if issuer == self.issuer else self._another(issuer)
        if self.policy:
            return b2c.issuer_fault(issuer, hosts=self.hosts, policy=self.policy)
        if self.many != (TEMPLATE in issuer):
            return "its issuer is one tenant's where several were meant, or the other way round"
        match = self._entra_issuer(issuer.replace(TEMPLATE, ANY_GUID))
        if not match:
            return f"its issuer is not of the form https://HOST/TENANT-GUID/{'v2.0' if self.version > 1 else ''}"
        if match["host"] not in self.hosts and not self._is_external(match):
            return "its issuer is on a host that is not this authority's"
        if self.tenant and GUID.fullmatch(self.tenant) and match["tenant"] != self.tenant:
            return "its issuer is another tenant"
        return None

    def _another(self, issuer: str) -> str:
        if issuer.rstrip("/") != (self.issuer or "").rstrip("/"):
            return "its issuer is not the configured one, character by character"
        ends = "ends in a slash" if issuer.endswith("/") else "does not end in a slash"
        return f"its issuer {ends}, unlike the configured one: write ENTRADA_ISSUER as the provider does"

    def tenant_id(self, issuer: str) -> str | None:
        """Return the tenant's GUID out of an accepted issuer; None where the provider has no tenants, or many."""
        match = self._entra_issuer(issuer) if self.kind == "entra" else None
        return match["tenant"] if match else None

    def in_tenant(self, url: str, tenant_id: str) -> str:
        """Return an address of this authority, for several tenants, with one of them in the place of the shared path.

        AuthorityUnavailable for what is no tenant's id, and for an address that is not on the shared path.
        """
        parts = urlsplit(url)
        segments = parts.path.split("/")
        if segments[1:2] != [self.tenant] or not GUID.fullmatch(tenant_id):
            raise AuthorityUnavailable("an address of the authority does not begin with the shared tenant's name")
        segments[1] = tenant_id
        return parts._replace(path="/".join(segments)).geturl()

    def version_one(self) -> Self | None:
        """Return the same authority by its version 1 metadata; None where there is none."""
        if self.kind != "entra" or self.version == 1:
            return None
        return replace(self, version=1, metadata_url=self.metadata_url.replace(f"/v2.0{WELL_KNOWN}", WELL_KNOWN))

    def _is_external(self, match: re.Match[str]) -> bool:
        """Say whether it is External ID's, whose issuers are on a host that is made from the tenant's id."""
        authority = urlsplit(self.metadata_url).hostname or ""
        return authority.endswith(EXTERNAL) and match["host"] == f"{match['tenant']}{EXTERNAL}"

    def _entra_issuer(self, issuer: str) -> re.Match[str] | None:
        return (ENTRA_ISSUER if self.version > 1 else ENTRA_ISSUER_V1).fullmatch(issuer)

    @classmethod
    def _other(cls, issuer: str, further_hosts: frozenset[str]) -> Self:
        host = urlsplit(issuer).hostname or ""
        return cls(
            kind="oidc",
            metadata_url=issuer.rstrip("/") + WELL_KNOWN,  # OpenID Connect Discovery 1.0 section 4.1
            hosts=frozenset({host}) | ELSEWHERE.get(host, frozenset()) | further_hosts | _neighbours(host),
            issuer=issuer,
        )

    @classmethod
    def _b2c(cls, authority: str, policy: str) -> Self:
        host = urlsplit(authority).hostname or ""
        return cls(
            kind="b2c",
            metadata_url=f"{authority}/v2.0{WELL_KNOWN}",
            hosts=frozenset({host}) | _neighbours(host),
            policy=policy,
            msal_authority=authority,
        )

    @classmethod
    def _entra(cls, authority: str, tenant: str, keys_of: str | None) -> Self:
        base = authority.rstrip("/").removesuffix("/v2.0")
        if not urlsplit(base).path:
            base = f"{base}/{tenant}"
        host = urlsplit(base).hostname or ""
        asked = f"?{urlencode({'appid': keys_of})}" if keys_of else ""
        return cls(
            kind="entra",
            metadata_url=f"{base}/v2.0{WELL_KNOWN}{asked}",
            hosts=frozenset({host}) | _neighbours(host),
            tenant=tenant,
            msal_authority=base,
        )


def issuer_of(issuer: str, tenant_id: str) -> str:
    """Return the issuer of one tenant's tokens: `issuer`, filled in where it is a template."""
    return issuer.replace(TEMPLATE, tenant_id)


def names_issuer(issuer: str, claimed: str) -> bool:
    """Say whether `claimed` is the authority's `issuer`, or one that its template covers."""
    if TEMPLATE not in issuer:
        return claimed == issuer
    match = ENTRA_ISSUER.fullmatch(claimed)
    return match is not None and claimed == issuer_of(issuer, match["tenant"])


def _neighbours(host: str) -> frozenset[str]:
    """Return the hosts that belong with this one: those of its cloud, or the other names of this machine."""
    if host in LOOPBACK:
        return LOOPBACK
    if host.endswith(EXTERNAL):
        return frozenset({"graph.microsoft.com"})  # its userinfo endpoint
    return next((cloud for cloud in CLOUDS if host in cloud), frozenset())
