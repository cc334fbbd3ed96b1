"""Which authority is trusted follows from the settings, and its metadata is held against it."""

import contextlib

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.errors import AuthorityUnavailable
from entrada.provider.authority import Authority
from entrada.provider.metadata import parse
from tests.authority_app import BASE, HOST, ISSUER, TENANT, AuthorityApp, settings

OTHER = "11111111-2222-4333-8444-666666666666"
EMULATED = "e7712ada-0000-4000-8000-000000000001"


def entra(**changes) -> Authority:
    return Authority.from_settings(settings(**changes))


def other(issuer: str = "https://idp.example", **changes) -> Authority:
    return Authority.from_settings(settings(tenant_id=None, issuer=issuer, **changes))


@pytest.mark.parametrize(
    ("changes", "metadata_url", "msal_authority"),
    [
        ({}, f"{BASE}/v2.0/.well-known/openid-configuration", BASE),
        (
            {"tenant_id": "contoso.com"},
            f"https://{HOST}/contoso.com/v2.0/.well-known/openid-configuration",
            f"https://{HOST}/contoso.com",
        ),
        (
            {"authority": f"https://login.microsoftonline.us/{TENANT}/"},
            f"https://login.microsoftonline.us/{TENANT}/v2.0/.well-known/openid-configuration",
            f"https://login.microsoftonline.us/{TENANT}",
        ),
        (
            {"authority": "https://login.microsoftonline.us"},
            f"https://login.microsoftonline.us/{TENANT}/v2.0/.well-known/openid-configuration",
            f"https://login.microsoftonline.us/{TENANT}",
        ),
        (
            {"authority": f"https://localhost:8443/{TENANT}/v2.0"},
            f"https://localhost:8443/{TENANT}/v2.0/.well-known/openid-configuration",
            f"https://localhost:8443/{TENANT}",
        ),
    ],
)
def test_where_the_metadata_of_entra_is(changes, metadata_url, msal_authority):
    """The tenant and authority of the settings give the metadata's address and MSAL's authority."""
    authority = entra(**changes)
    assert (authority.kind, authority.metadata_url, authority.msal_authority) == ("entra", metadata_url, msal_authority)


@pytest.mark.parametrize(
    ("issuer", "metadata_url"),
    [
        ("https://idp.example", "https://idp.example/.well-known/openid-configuration"),
        ("https://idp.example/", "https://idp.example/.well-known/openid-configuration"),
        ("https://idp.example/realms/a", "https://idp.example/realms/a/.well-known/openid-configuration"),
    ],
)
def test_where_the_metadata_of_another_provider_is(issuer, metadata_url):
    """The issuer gives the metadata's address."""
    authority = other(issuer)
    assert (authority.kind, authority.metadata_url, authority.msal_authority) == ("oidc", metadata_url, None)


@pytest.mark.parametrize(
    ("tenant", "issuer", "accepted"),
    [
        (TENANT, ISSUER, True),
        (TENANT.upper(), ISSUER, True),
        (TENANT, f"https://login.windows.net/{TENANT}/v2.0", True),
        (TENANT, ISSUER + "/", False),
        (TENANT, ISSUER.replace("v2.0", "v1.0"), False),
        (TENANT, f"https://sts.windows.net/{TENANT}/", False),
        (TENANT, f"https://{HOST}/{OTHER}/v2.0", False),
        (TENANT, f"https://{HOST}/{{tenantid}}/v2.0", False),
        (TENANT, f"https://login.microsoftonline.us/{TENANT}/v2.0", False),
        (TENANT, f"https://evil.example/{TENANT}/v2.0", False),
        (TENANT, f"https://{HOST}.evil.example/{TENANT}/v2.0", False),
        (TENANT, f"https://{HOST}@evil.example/{TENANT}/v2.0", False),
        (TENANT, f"http://{HOST}/{TENANT}/v2.0", False),
        (TENANT, f"https://{HOST}/{TENANT}/v2.0\n", False),
        ("contoso.com", ISSUER, True),
        ("contoso.com", f"https://{HOST}/contoso.com/v2.0", False),
        ("contoso.com", f"https://evil.example/{TENANT}/v2.0", False),
    ],
)
def test_sec_007_sec_037_issuers_of_entra(tenant, issuer, accepted):
    """SEC-007: the issuer is on the authority's cloud, and of the configured tenant where that is a GUID."""
    authority = entra(tenant_id=tenant)
    assert (authority.issuer_fault(issuer) is None) is accepted
    if accepted:
        assert authority.tenant_id(issuer) == TENANT


@pytest.mark.parametrize(
    ("issuer", "accepted"),
    [
        ("https://idp.example", True),
        ("https://idp.example/", False),
        ("https://IDP.example", False),
        ("https://idp.example:443", False),
        ("http://idp.example", False),
        ("https://idp.example.evil.example", False),
        ("", False),
    ],
)
def test_sec_007_issuers_of_other_providers(issuer, accepted):
    """SEC-007, SEC-037: another provider's issuer is the configured one character by character."""
    authority = other()
    assert (authority.issuer_fault(issuer) is None) is accepted
    assert authority.tenant_id(issuer) is None


def test_an_issuer_but_for_the_slash():
    """SEC-184: whoever has left out the slash that the provider's issuer ends in, or added one, is told just that."""
    fault = other().issuer_fault("https://idp.example/")
    assert fault
    assert "ends in a slash, unlike the configured one" in fault
    assert "slash" not in (other().issuer_fault("https://idp.example.evil.example/") or "")


def document(**changes) -> dict:
    return {name: value for name, value in (AuthorityApp().metadata | changes).items() if value is not ...}


def test_metadata_as_entra_publishes_it():
    """A good document gives its endpoints."""
    found = parse(document(extra={"a": [1]}), entra(), production=True)
    assert (found.issuer, found.token_endpoint) == (ISSUER, f"{BASE}/oauth2/v2.0/token")
    assert found.userinfo_endpoint == "https://graph.microsoft.com/oidc/userinfo"
    assert not found.iss_parameter_supported
    assert "client_secret_post" in found.token_endpoint_auth_methods


ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint", "userinfo_endpoint"]


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "value",
    [
        f"http://{HOST}/x",
        "https://evil.example/x",
        f"https://{HOST}@evil.example/x",
        f"https://user@{HOST}/x",
        f"https://@{HOST}/x",
        f"https://{HOST}.evil.example/x",
        f"https://evil.example\\@{HOST}/x",
        f"https://evil.example#{HOST}",
        f"https://{HOST}/x#fragment",
        f"https://{HOST}:port/x",
        f"https://{HOST}:99999/x",
        f"https://{HOST}/x y",
        f"https://{HOST}/x\r\nHost: evil.example",
        f"\thttps://{HOST}/x",
        "https://login.microsoftonline.us/x",
        "https://localhost/x",
        "http://localhost/x",
        "https://169.254.169.254/x",
        "https://[::1",
        "//evil.example/x",
        "/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
        f"https://{HOST}/\u00fc",
        f"https://{HOST}/" + "x" * 2048,
        "",
        5,
        [],
        {},
        False,
    ],
)
def test_sec_007_endpoints_elsewhere(name, value):
    """SEC-007: an endpoint that is not https on the authority's hosts makes the whole document refused."""
    for production in (True, False):
        with pytest.raises(AuthorityUnavailable):
            parse(document(**{name: value}), entra(), production=production)


@pytest.mark.parametrize("name", ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("value", [..., None])
def test_a_missing_endpoint(name, value):
    """What sign-in needs must be there."""
    with pytest.raises(AuthorityUnavailable):
        parse(document(**{name: value}), entra(), production=True)


@pytest.mark.parametrize("value", ["client_secret_post", [5], {}, 5])
def test_a_list_that_is_none(value):
    """Lists are lists of texts."""
    with pytest.raises(AuthorityUnavailable):
        parse(document(token_endpoint_auth_methods_supported=value), entra(), production=True)


@pytest.mark.parametrize(
    ("value", "promised"), [(True, True), (False, False), ("true", False), (1, False), (None, False)]
)
def test_sec_017_the_promise_of_iss(value, promised):
    """SEC-017: the authority promises the iss parameter with true and nothing else."""
    found = parse(document(authorization_response_iss_parameter_supported=value), entra(), production=True)
    assert found.iss_parameter_supported is promised


LOCAL = f"https://localhost:8443/{TENANT}"


def test_an_emulator_on_this_machine_has_its_pages_on_http():
    """In development an authority on this machine may have endpoints there on http too, on any port."""
    authority = entra(authority=LOCAL)
    served = AuthorityApp(LOCAL).metadata | {
        "authorization_endpoint": f"http://localhost:8400/{TENANT}/authorize",
        "userinfo_endpoint": "https://localhost:8443/oidc/userinfo",
    }
    found = parse(served | {"entrada_emulator": True}, authority, production=False)
    assert found.authorization_endpoint == f"http://localhost:8400/{TENANT}/authorize"
    for production, changes in ((True, {}), (False, {"token_endpoint": "http://evil.example/"})):
        with pytest.raises(AuthorityUnavailable):
            parse(served | changes, authority, production=production)


@pytest.mark.parametrize(
    ("tenant", "changes"),
    [
        (TENANT, {"entrada_emulator": True}),
        (TENANT, {"entrada_emulator": False}),
        (EMULATED, {"issuer": f"https://{HOST}/{EMULATED}/v2.0"}),
    ],
)
def test_sec_190_production_refuses_the_emulators_metadata(tenant, changes):
    """SEC-190: the emulator's member or tenant mark is refused in production."""
    authority = entra(tenant_id=tenant)
    assert parse(document(**changes), authority, production=False)
    with pytest.raises(AuthorityUnavailable, match="emulator"):
        parse(document(**changes), authority, production=True)


def test_production_has_no_endpoint_on_this_machine():
    """SEC-007: in production an endpoint on a loopback host is refused even where endpoint_hosts names it."""
    served = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://idp.example/x")
    served |= {"issuer": "https://idp.example", "userinfo_endpoint": "https://localhost/userinfo"}
    authority = other(endpoint_hosts=("LocalHost",))
    assert parse(served, authority, production=False)
    with pytest.raises(AuthorityUnavailable):
        parse(served, authority, production=True)


def test_another_providers_endpoints_on_hosts_that_the_settings_name():
    """endpoint_hosts adds the hosts of a provider whose endpoints are not at its issuer."""
    served = {
        "issuer": "https://idp.example",
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://api.idp.example/token",
        "jwks_uri": "https://idp.example/keys",
    }
    assert parse(served, other(endpoint_hosts=("api.idp.example",)), production=True)
    with pytest.raises(AuthorityUnavailable, match="endpoint_hosts"):
        parse(served, other(), production=True)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(
    st.dictionaries(
        st.sampled_from([*ENDPOINTS, "issuer", "token_endpoint_auth_methods_supported", "entrada_emulator"]),
        JSON | st.text(),
    )
)
def test_whatever_the_document_it_is_read_or_refused(changes):
    """Whatever its members, a document is read or AuthorityUnavailable."""
    with contextlib.suppress(AuthorityUnavailable):
        found = parse(document(**changes), entra(), production=True)
        assert found.issuer == ISSUER


PIECES = [
    HOST,
    "evil.example",
    "@",
    ":",
    "/",
    "//",
    "\\",
    "#",
    "?",
    ".",
    "%40",
    "%2f",
    ":443",
    "[",
    "]",
    "\t",
    " ",
    "x",
    "\u3002",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=6).map("".join))
def test_whatever_the_address_an_endpoint_is_on_our_hosts(rest):
    """SEC-007: an accepted address is on the authority's hosts, by the reading of the parser that will call it too."""
    for url in (f"https://{rest}", f"https://{HOST}{rest}"):
        with contextlib.suppress(AuthorityUnavailable):
            found = parse(document(token_endpoint=url), entra(), production=True).token_endpoint
            assert (httpx2.URL(found).scheme, httpx2.URL(found).host) == ("https", HOST)
