"""Metadata, keys, instance discovery, user realm, host names."""

import base64
import hashlib
import uuid

import pytest
from cryptography import x509
from entrada_emulator.directory import seeds
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, codes_of, header_of, redeem

LOGIN = "https://login.microsoftonline.com"
RECORDED = [
    *("token_endpoint", "token_endpoint_auth_methods_supported", "jwks_uri", "response_modes_supported"),
    *("subject_types_supported", "id_token_signing_alg_values_supported", "response_types_supported"),
    *("scopes_supported", "issuer", "request_uri_parameter_supported", "userinfo_endpoint"),
    *("authorization_endpoint", "device_authorization_endpoint", "http_logout_supported"),
    *("frontchannel_logout_supported", "end_session_endpoint", "claims_supported", "kerberos_endpoint"),
    *("tenant_region_scope", "cloud_instance_name", "cloud_graph_host_name", "msgraph_host", "rbac_url"),
]


def metadata(http: TestClient, tenant: str) -> dict[str, object]:
    """The metadata document of a path."""
    body: dict[str, object] = http.get(f"/{tenant}/v2.0/.well-known/openid-configuration").json()
    return body


def test_the_metadata_is_the_recorded_one_and_its_mark(http: TestClient) -> None:
    """Member by member in order, nothing advertised that Entra does not, and the emulator's mark (SEC-190)."""
    body = metadata(http, BIRCH)
    assert list(body) == [*RECORDED, "entrada_emulator"]
    assert body["issuer"] == f"{LOGIN}/{BIRCH}/v2.0"
    assert body["entrada_emulator"] is True


@pytest.mark.parametrize("name", ["birch.example", "Birch.Example", "birchworks.example"])
def test_a_domain_path_returns_the_tenants_guid(http: TestClient, name: str) -> None:
    """MSAL.js takes the tenant id from the endpoints that a domain path returns."""
    assert metadata(http, name) == metadata(http, BIRCH)


@pytest.mark.parametrize("name", ["common", "organizations"])
def test_a_shared_path_has_a_templated_issuer(http: TestClient, name: str) -> None:
    """Its issuer is the literal template and its region is null."""
    body = metadata(http, name)
    assert body["issuer"] == f"{LOGIN}/{{tenantid}}/v2.0"
    assert body["token_endpoint"] == f"{LOGIN}/{name}/oauth2/v2.0/token"
    assert body["tenant_region_scope"] is None


def test_an_unknown_tenant_is_a_bad_request(http: TestClient) -> None:
    """400 invalid_tenant 90002."""
    refused = http.get(f"/{uuid.uuid4()}/v2.0/.well-known/openid-configuration")
    assert (refused.status_code, refused.json()["error"], codes_of(refused)) == (400, "invalid_tenant", [90002])


def test_discovery_is_open_to_scripts_and_may_be_kept_a_day(http: TestClient) -> None:
    """CORS and caching as recorded."""
    for path in (f"/{BIRCH}/v2.0/.well-known/openid-configuration", f"/{BIRCH}/discovery/v2.0/keys"):
        headers = http.get(path).headers
        assert headers["access-control-allow-origin"] == "*"
        assert headers["cache-control"] == "max-age=86400, private"
        assert headers["content-type"] == "application/json; charset=utf-8"


def test_duplicate_slashes_are_forgiven(http: TestClient) -> None:
    """MSAL asks with two slashes when its authority ends in one."""
    assert http.get(f"/{BIRCH}//v2.0/.well-known/openid-configuration").status_code == 200


def test_each_key_has_a_certificate_an_issuer_and_the_mark(http: TestClient) -> None:
    """SEC-190: kid and certificate subject say that this is an emulator; x5t is the certificate's SHA-1; no alg."""
    keys = http.get(f"/{BIRCH}/discovery/v2.0/keys").json()["keys"]
    assert len(keys) >= 2
    for key in keys:
        assert set(key) == {"kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"}
        der = base64.b64decode(key["x5c"][0])
        assert key["kid"] == f"emulator-{key['x5t']}"
        assert key["x5t"] == base64.urlsafe_b64encode(hashlib.sha1(der).digest()).decode().rstrip("=")
        assert "Entrada Emulator (not Microsoft)" in x509.load_der_x509_certificate(der).subject.rfc4514_string()
        assert key["issuer"] == f"{LOGIN}/{BIRCH}/v2.0"


def test_shared_keys_name_templated_and_personal_issuers(http: TestClient) -> None:
    """On common a key of personal accounts stands beside the templated ones."""
    issuers = {key["issuer"] for key in http.get("/common/discovery/v2.0/keys").json()["keys"]}
    assert issuers == {f"{LOGIN}/{{tenantid}}/v2.0", f"{LOGIN}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"}


def test_keys_rotate_as_at_entra(entra: Entra, http: TestClient) -> None:
    """The key published ahead signs next; the old one stays on show until it is withdrawn."""
    ring = entra.state.keys
    before, ahead = ring.active.kid, ring.next.kid
    ring.rotate()
    assert header_of(redeem(http, entra, entra.code()).json()["id_token"])["kid"] == ahead
    assert before in {key.kid for key in ring.published()}
    assert ring.withdraw(before)
    assert not ring.withdraw(ahead)
    assert before not in {key["kid"] for key in http.get(f"/{BIRCH}/discovery/v2.0/keys").json()["keys"]}


def test_no_two_emulators_share_a_key() -> None:
    """SEC-191: keys are made per instance."""
    one, other = new_entra(), new_entra()
    kids = [{key.kid for key in e.state.keys.published()} for e in (one, other)]
    assert not kids[0] & kids[1]


def test_instance_discovery_knows_its_own_hosts(http: TestClient) -> None:
    """Microsoft's names in process are genuine, a stranger's is invalid_instance 50049."""
    asked = {"api-version": "1.1", "authorization_endpoint": f"{LOGIN}/{BIRCH}/oauth2/v2.0/authorize"}
    body = http.get("/common/discovery/instance", params=asked).json()
    assert body["tenant_discovery_endpoint"] == f"{LOGIN}/{BIRCH}/v2.0/.well-known/openid-configuration"
    (names,) = body["metadata"]
    assert (names["preferred_network"], names["preferred_cache"]) == ("login.microsoftonline.com", "login.windows.net")
    assert set(names["aliases"]) >= {"login.microsoftonline.com", "login.windows.net", "sts.windows.net"}
    stranger = asked | {"authorization_endpoint": "https://login.attacker.example/common/oauth2/v2.0/authorize"}
    refused = http.get("/common/discovery/instance", params=stranger)
    assert (refused.json()["error"], codes_of(refused)) == ("invalid_instance", [50049])


@pytest.mark.parametrize(("name", "kind"), [("mia@birch.example", "Managed"), ("x@elsewhere.example", "Unknown")])
def test_user_realm_says_whether_a_domain_is_ours(http: TestClient, name: str, kind: str) -> None:
    """A verified domain is managed, whichever spelling of the path a client uses."""
    for path in ("userrealm", "UserRealm"):
        assert http.get(f"/common/{path}/{name}?api-version=1.0").json()["account_type"] == kind


def test_a_served_emulator_has_its_own_issuer(entra_keys: tuple[SigningKey, ...]) -> None:
    """Clients' endpoints are on the public origin, people's on the pages origin."""
    entra = new_entra(keys=entra_keys, public_origin="https://localhost:8443", pages_origin="http://localhost:8080")
    with entra.http_client("https://localhost:8443") as http:
        body = metadata(http, BIRCH)
    assert body["issuer"] == f"https://localhost:8443/{BIRCH}/v2.0"
    assert body["authorization_endpoint"] == f"http://localhost:8080/{BIRCH}/oauth2/v2.0/authorize"
    assert body["end_session_endpoint"] == f"http://localhost:8080/{BIRCH}/oauth2/v2.0/logout"
    assert str(body["token_endpoint"]).startswith("https://localhost:8443/")
    assert body["userinfo_endpoint"] == "https://localhost:8443/oidc/userinfo"
    assert body["msgraph_host"] == "localhost:8443"


def test_the_schemes_own_ports_are_in_no_address(entra_keys: tuple[SigningKey, ...]) -> None:
    """Served on 443 and 80 it answers to the host without a port, as MSAL for Python asks about a person's realm."""
    entra = new_entra(keys=entra_keys, public_origin="https://localhost:443", pages_origin="http://localhost:80")
    with entra.http_client("https://localhost") as http:
        body = metadata(http, BIRCH)
        assert http.get("/common/userrealm/mia@birch.example").json()["account_type"] == "Managed"
    assert body["issuer"] == f"https://localhost/{BIRCH}/v2.0"
    assert str(body["authorization_endpoint"]).startswith("http://localhost/")


@pytest.mark.parametrize(
    ("origin", "path"),
    [
        ("https://attacker.example", f"/{BIRCH}/v2.0/.well-known/openid-configuration"),
        ("https://graph.microsoft.com", f"/{BIRCH}/v2.0/.well-known/openid-configuration"),
        ("https://login.microsoftonline.com", "/v1.0/me"),
        ("http://localhost", f"/{BIRCH}/discovery/v2.0/keys"),
    ],
)
def test_other_host_names_are_refused(entra: Entra, origin: str, path: str) -> None:
    """It answers under its own names alone: 421 for any other Host."""
    with entra.http_client(origin) as http:
        assert http.get(path).status_code == 421


@pytest.mark.parametrize("path", ["/oauth2/v2.0/introspect", "/oauth2/v2.0/par", "/oauth2/v2.0/revoke", "/kerberos"])
def test_absent_features_answer_404(http: TestClient, path: str) -> None:
    """What is not emulated is not pretended."""
    assert http.post(f"/{seeds.BIRCH.id}{path}").status_code == 404
