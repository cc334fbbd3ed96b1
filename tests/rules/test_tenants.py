"""Which tenants come in: rules on settings, metadata, claims and keys."""

from typing import Any

import pytest

from entrada.errors import SettingsRefused, TenantRefused, TokenRefused
from entrada.provider.authority import Authority, names_issuer
from entrada.provider.tenants import PERSONAL, Tenants
from entrada.provider.tokens.validate import Expected, key_is_issuers, tenant_named
from entrada.settings import Settings

BIRCH, CEDAR = "b1111111-1111-4111-8111-111111111111", "c2222222-2222-4222-8222-222222222222"
TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"


def settings(**values: Any) -> Settings:
    return Settings.load(**({"client_id": "app", "tenant_id": "organizations", "tenants": (BIRCH,)} | values))


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"tenants": ()}, "tenants: name the GUIDs of the tenants to let in, or set ENTRADA_ANY_TENANT=true"),
        ({"tenant_id": "common", "tenants": ()}, "tenants: name the GUIDs of the tenants to let in"),
        ({"any_tenant": True}, "tenants: is for tenant_id=organizations or common, without any_tenant"),
        ({"tenant_id": BIRCH}, "tenants: is for tenant_id=organizations"),
        ({"tenant_id": BIRCH, "tenants": (), "any_tenant": True}, "any_tenant: is for tenant_id=organizations"),
        ({"tenants": ("contoso.com",)}, "tenants: contoso.com: each must be a tenant's GUID"),
        ({"personal_accounts": True}, "personal_accounts: is for tenant_id=common or consumers"),
        ({"tenant_id": "consumers", "tenants": ()}, "tenant_id: consumers are personal accounts"),
        ({"tenants": ("e7712ada-0000-4000-8000-000000000001",), "profile": "production"}, "tenant_id: this tenant is"),
    ],
)
def test_no_choice_is_made_by_leaving_something_out(values: dict[str, Any], fault: str) -> None:
    """SEC-122, SEC-123: whoever opens an application to others has said to whom."""
    with pytest.raises(SettingsRefused) as refused:
        settings(**values)
    assert any(each.startswith(fault) for each in refused.value.faults)


@pytest.mark.parametrize(
    ("tenants", "tenant_id", "claims", "comes_in"),
    [
        (Tenants(allowed=frozenset({BIRCH})), BIRCH, {}, True),
        (Tenants(allowed=frozenset({BIRCH})), CEDAR, {}, False),
        (Tenants(allowed=frozenset()), BIRCH, {}, False),
        (Tenants(), CEDAR, {}, True),
        (Tenants(), PERSONAL, {}, False),
        (Tenants(allowed=frozenset({PERSONAL})), PERSONAL, {}, False),
        (Tenants(allowed=frozenset({BIRCH}), personal=True), PERSONAL, {}, True),
        (Tenants(guests=False), BIRCH, {}, True),
        (Tenants(guests=False), BIRCH, {"acct": 0}, True),
        (Tenants(guests=False), BIRCH, {"acct": 1}, False),
        (Tenants(guests=False), BIRCH, {"idp": f"https://sts.windows.net/{CEDAR}/"}, False),
        (Tenants(guests=False), BIRCH, {"idp": "live.com"}, False),
        (Tenants(guests=False), BIRCH, {"idp": 5}, False),
        (Tenants(guests=False), BIRCH, {"idp": f"https://sts.windows.net/{BIRCH}/"}, True),
        (Tenants(guests=True), BIRCH, {"acct": 1}, True),
        (Tenants(allowed=frozenset()), None, {}, True),
    ],
)
def test_who_comes_in(tenants: Tenants, tenant_id: str | None, claims: dict[str, Any], comes_in: bool) -> None:
    """SEC-122, SEC-123, SEC-126: the list, personal accounts and guests, each on its own."""
    if comes_in:
        tenants.check(tenant_id, claims)
    else:
        with pytest.raises(TenantRefused):
            tenants.check(tenant_id, claims)


@pytest.mark.parametrize(
    ("tenant", "issuer", "good"),
    [
        ("organizations", TEMPLATE, True),
        ("organizations", TEMPLATE.replace("{tenantid}", BIRCH), False),
        ("organizations", "https://login.evil.example/{tenantid}/v2.0", False),
        ("organizations", "https://login.microsoftonline.com/{tenantid}/{tenantid}/v2.0", False),
        (BIRCH, TEMPLATE, False),
        (BIRCH, TEMPLATE.replace("{tenantid}", BIRCH), True),
    ],
)
def test_a_template_stands_where_several_tenants_are_meant_and_nowhere_else(
    tenant: str, issuer: str, good: bool
) -> None:
    """SEC-037, BEY-2: one tenant's application never takes metadata that are for all."""
    chosen = settings(tenant_id=tenant, tenants=(BIRCH,) if tenant == "organizations" else ())
    assert (Authority.from_settings(chosen).issuer_fault(issuer) is None) is good


@pytest.mark.parametrize("claims", [{}, {"tid": None}, {"tid": ""}, {"tid": "contoso.com"}, {"tid": BIRCH.upper()},
                                    {"tid": f"{BIRCH}/"}, {"tid": [BIRCH]}, {"tid": "{tenantid}"}])  # fmt: skip
def test_a_tenant_is_a_guid(claims: dict[str, Any]) -> None:
    """SEC-122: nothing else is put in the template's place."""
    with pytest.raises(TokenRefused, match="tenant_is_expected"):
        tenant_named(claims)


@pytest.mark.parametrize(
    ("key_issuer", "good"),
    [(TEMPLATE, True), (TEMPLATE.replace("{tenantid}", BIRCH), True), (TEMPLATE.replace("{tenantid}", CEDAR), False)],
)
def test_a_key_of_one_tenant_signs_for_no_other(key_issuer: str, good: bool) -> None:
    """SEC-066: the key's own issuer, filled in with the token's tenant, is the token's."""
    issuer = TEMPLATE.replace("{tenantid}", BIRCH)
    expected = Expected(issuer=issuer, audience="app", now=0, leeway=0, tenant_id=BIRCH, key_issuer=key_issuer)
    if good:
        key_is_issuers({"iss": issuer}, expected)
    else:
        with pytest.raises(TokenRefused, match="key_is_issuers"):
            key_is_issuers({"iss": issuer}, expected)


def test_a_claimed_issuer_fits_the_template() -> None:
    """SEC-100: a frame that says who signed out names a tenant of this authority."""
    assert names_issuer(TEMPLATE, TEMPLATE.replace("{tenantid}", BIRCH))
    for wrong in (TEMPLATE, f"https://login.evil.example/{BIRCH}/v2.0", "https://login.microsoftonline.com/x/v2.0"):
        assert not names_issuer(TEMPLATE, wrong)
    assert not names_issuer(TEMPLATE.replace("{tenantid}", BIRCH), TEMPLATE.replace("{tenantid}", CEDAR))
