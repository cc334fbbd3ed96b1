"""The authority's metadata document, read strictly and held against the authority that we trust (SEC-007)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlsplit

from entrada.errors import AuthorityUnavailable
from entrada.provider.authority import Authority, issuer_of
from entrada.well_known import EMULATOR_MARK, LOOPBACK

LONGEST_URL = 2048
EMULATOR_MEMBER = "entrada_emulator"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the authority says of itself; each address is on a host that we trust for it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    iss_parameter_supported: bool = False
    """Whether every authorization response carries `iss` (RFC 9207)."""
    token_endpoint_auth_methods: tuple[str, ...] = ("client_secret_basic",)

    def in_tenant(self, tenant_id: str, authority: Authority) -> Self:
        """Return the same with the token endpoint and the issuer of one tenant; `authority` is for several."""
        endpoint = authority.in_tenant(self.token_endpoint, tenant_id)
        return replace(self, token_endpoint=endpoint, issuer=issuer_of(self.issuer, tenant_id))


def parse(document: Mapping[str, Any], authority: Authority, *, production: bool) -> Metadata:
    """Return the document's values; AuthorityUnavailable says for the operator what is wrong with it.

    Production also refuses the emulator, which lets anybody in, whatever the settings say (SEC-190).
    """
    issuer = _text(document, "issuer")
    if fault := authority.issuer_fault(issuer):
        raise _refused(fault)
    if production and (EMULATOR_MEMBER in document or EMULATOR_MARK in issuer):
        raise _refused("it is the emulator's, which production does not accept")

    def endpoint(name: str) -> str:
        return _endpoint(_text(document, name), name, authority, production=production)

    def optional(name: str) -> str | None:
        return endpoint(name) if document.get(name) is not None else None

    return Metadata(
        issuer=issuer,
        authorization_endpoint=endpoint("authorization_endpoint"),
        token_endpoint=endpoint("token_endpoint"),
        jwks_uri=endpoint("jwks_uri"),
        end_session_endpoint=optional("end_session_endpoint"),
        userinfo_endpoint=optional("userinfo_endpoint"),
        revocation_endpoint=optional("revocation_endpoint"),
        introspection_endpoint=optional("introspection_endpoint"),
        device_authorization_endpoint=optional("device_authorization_endpoint"),
        iss_parameter_supported=document.get("authorization_response_iss_parameter_supported") is True,
        token_endpoint_auth_methods=_texts(document, "token_endpoint_auth_methods_supported")
        or ("client_secret_basic",),
    )


def _refused(fault: str) -> AuthorityUnavailable:
    return AuthorityUnavailable(f"the authority's metadata is refused: {fault}")


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value or len(value) > LONGEST_URL:
        raise _refused(f"{name} is missing or not a text")
    return value


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _refused(f"{name} is not a list of texts")
    return tuple(value)


def _endpoint(url: str, name: str, authority: Authority, *, production: bool) -> str:
    """Return the address when it is https on a host of the authority, or on this machine beside its emulator."""
    if not url.isascii() or any(character <= " " or character in '\\"<>^`{|}\x7f' for character in url):
        raise _refused(f"{name} is not an address")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(f"{name} is not an address") from None
    known = host in authority.hosts and not (production and host in LOOPBACK)
    if parts.username is not None or parts.fragment or not known:
        raise _refused(f"{name} is on a host that is not this authority's; name it in endpoint_hosts if it should be")
    on_this_machine = not production and authority.on_this_machine and host in LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and on_this_machine):
        raise _refused(f"{name} is not https")
    return url
