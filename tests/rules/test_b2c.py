"""Azure AD B2C by its rules: settings, issuers, policies."""

from typing import Any

import pytest

from entrada.errors import SettingsRefused, TokenRefused
from entrada.provider.authority import Authority
from entrada.provider.b2c import at_policy
from entrada.provider.tokens.validate import Expected, policy_is_expected
from entrada.settings import Settings

TENANT = "a1111111-1111-4111-8111-111111111111"
HOST = "https://contoso.b2clogin.com"
GOOD = {"b2c_tenant": "contoso.onmicrosoft.com", "b2c_policy": "B2C_1_susi", "client_id": "app"}


def settings(**values: Any) -> Settings:
    return Settings.load(**(GOOD | values))


def test_the_names_that_people_know_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """LOG-10: the eight B2C_ names of document D, its trailing slash included."""
    names = {
        "B2C_TENANT_ID": "contoso.onmicrosoft.com",
        "B2C_CLIENT_ID": "app",
        "B2C_CLIENT_SECRET": "a-secret-value",
        "B2C_SIGNIN_POLICY": "B2C_1_susi",
        "B2C_AUTHORITY": f"{HOST}/contoso.onmicrosoft.com/",
        "B2C_SCOPE": "https://contoso.onmicrosoft.com/api/user_impersonation",
        "B2C_JWKS_URI": f"{HOST}/contoso.onmicrosoft.com/discovery/v2.0/keys",
        "B2C_OPENID_CONFIG": f"{HOST}/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration",
    }
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    authority = Authority.from_settings(Settings.load())
    document = f"{HOST}/contoso.onmicrosoft.com/B2C_1_susi/v2.0/.well-known/openid-configuration"
    assert (authority.kind, authority.metadata_url) == ("b2c", document)
    assert Settings.load().sign_in_scopes == ("https://contoso.onmicrosoft.com/api/user_impersonation",)


def test_without_a_scope_the_application_asks_for_itself() -> None:
    """B2C gives no access token, and nothing to renew, to who asks for openid alone."""
    assert settings().sign_in_scopes == ("app",)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"b2c_policy": None}, "b2c_policy: missing; set B2C_SIGNIN_POLICY"),
        ({"b2c_policy": "B2C_1_susi/../x"}, "b2c_policy: must be a user flow's name"),
        ({"b2c_edit_policy": "a b"}, "b2c_edit_policy: must be a user flow's name"),
        ({"b2c_tenant": "contoso"}, "b2c_tenant: must be the tenant's domain"),
        ({"tenant_id": TENANT}, "b2c_tenant: leave out tenant_id, authority and issuer"),
        ({"b2c_tenant": None, "tenant_id": TENANT}, "b2c_policy: is for Azure AD B2C; set B2C_TENANT_ID"),
        ({"b2c_authority": "http://contoso.b2clogin.com/x"}, "b2c_authority: must begin with https://"),
        ({"b2c_authority": HOST}, "b2c_authority: must end in the tenant"),
        ({"b2c_jwks_uri": "https://evil.example/keys"}, "b2c_jwks_uri: is not of https://contoso.b2clogin.com/"),
        ({"b2c_openid_config": f"{HOST}/other/x"}, "b2c_openid_config: is not of https://contoso.b2clogin.com/"),
    ],
)
def test_what_does_not_fit_stops_the_start(values: dict[str, Any], fault: str) -> None:
    """LOG-10: each fault names the setting and how to mend it."""
    with pytest.raises(SettingsRefused) as refused:
        settings(**values)
    assert any(each.startswith(fault) for each in refused.value.faults), refused.value.faults


@pytest.mark.parametrize(
    ("issuer", "good"),
    [
        (f"{HOST}/{TENANT}/v2.0/", True),
        (f"{HOST}/tfp/{TENANT}/b2c_1_susi/v2.0/", True),
        (f"{HOST}/tfp/{TENANT}/B2C_1_reset/v2.0/", False),
        (f"{HOST}/{TENANT}/B2C_1_susi/v2.0/", False),
        (f"{HOST}/tfp/{TENANT}/v2.0/", False),
        (f"{HOST}/{TENANT}/v2.0", False),
        (f"https://evil.b2clogin.com/{TENANT}/v2.0/", False),
        (f"http://contoso.b2clogin.com/{TENANT}/v2.0/", False),
    ],
)
def test_an_issuer_is_of_the_tenant_and_the_policy(issuer: str, good: bool) -> None:
    """SEC-127: both forms that B2C has, and nothing beside."""
    assert (Authority.from_settings(settings()).issuer_fault(issuer) is None) is good


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"tfp": "B2C_1_susi"}, True),
        ({"tfp": "b2c_1_SUSI"}, True),
        ({"acr": "b2c_1_susi"}, True),
        ({"tfp": "B2C_1_reset", "acr": "B2C_1_susi"}, False),
        ({"tfp": "B2C_1_susi2"}, False),
        ({"tfp": ["B2C_1_susi"]}, False),
        ({"tfp": "B2C_1_ſusi"}, False),
        ({}, False),
    ],
)
def test_a_token_is_of_the_policy(claims: dict[str, Any], good: bool) -> None:
    """SEC-127: the signature of one tenant's key says nothing of the flow; the claim does."""
    expected = Expected(issuer="i", audience="app", now=0, leeway=0, policy="B2C_1_susi")
    if good:
        policy_is_expected(claims, expected)
    else:
        with pytest.raises(TokenRefused, match="policy_is_expected"):
            policy_is_expected(claims, expected)


def test_another_flow_is_at_the_same_place() -> None:
    """One segment changes, whatever its case; an address that does not name the flow once is left alone."""
    url = f"{HOST}/contoso.onmicrosoft.com/b2c_1_susi/oauth2/v2.0/authorize"
    wanted = f"{HOST}/contoso.onmicrosoft.com/B2C_1_edit/oauth2/v2.0/authorize"
    assert at_policy(url, of="B2C_1_susi", wanted="B2C_1_edit") == wanted
    for other in (f"{HOST}/x/authorize", f"{HOST}/b2c_1_susi/b2c_1_susi/authorize"):
        with pytest.raises(ValueError, match="policy"):
            at_policy(other, of="B2C_1_susi", wanted="B2C_1_edit")
