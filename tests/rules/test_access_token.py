"""An access token is believed when everything about it is right, and says whether a person or an application calls."""

import pytest

from entrada.errors import TenantRefused, TokenRefused
from entrada.principal import App, Delegation, User
from entrada.provider.tokens.access_checks import ExpectedAccess, check
from entrada.provider.tokens.access_token import Api
from entrada.provider.tokens.identity import principal_from
from tests.access_authority import (
    CALLER,
    PRINCIPAL,
    BothVersions,
    api_claims,
    app_claims,
    old_claims,
    signed,
    verifier,
)
from tests.authority_app import ABSENT, CLIENT, OBJECT, START, TENANT, jwk

NOW = int(START.timestamp())
OTHER = "11111111-2222-4333-8444-666666666666"


async def accepted(values, **options):
    return principal_from((await verifier(**options).verify(signed(values))).claims)


async def test_a_persons_token():
    """API-1, API-6: a token with scopes names the person, and the client that acts for them."""
    user = await accepted(
        api_claims(roles=["Admin"], acrs=["c1"], amr=["pwd", "mfa"], auth_time=NOW, xms_cc=["CP1"], scp="Orders.Read b")
    )
    assert isinstance(user, User)
    assert (user.key, user.name, user.roles, user.acrs) == (f"{TENANT}:{OBJECT}", "Alba Torres", {"Admin"}, {"c1"})
    assert user.delegation == Delegation(CALLER, frozenset({"Orders.Read", "b"}), frozenset({"cp1"}))
    assert (user.way, user.scopes) == ("bearer", {"Orders.Read", "b"})


@pytest.mark.parametrize("changes", [{}, {"idtyp": "app"}, {"scp": ABSENT, "idtyp": "app", "sub": "pairwise"}])
async def test_an_applications_token(changes):
    """SEC-054: a token without scopes, of the client itself, names the application and its roles."""
    app = await accepted(app_claims(**changes))
    assert isinstance(app, App)
    assert (app.client_id, app.roles, app.object_id, app.tenant_id) == (CALLER, {"Task.Write"}, PRINCIPAL, TENANT)
    assert app.key == f"{TENANT}|app|{CALLER}"


async def test_a_claim_named_scope_grants_nothing_at_entra():
    """SEC-054: Entra's scopes are in scp; a claim that somebody named scope leaves an application what it is."""
    app = await accepted(app_claims(scope="Orders.Read"))
    assert isinstance(app, App)
    assert app.roles == {"Task.Write"}


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ({"scope": "read write"}, {"read", "write"}),
        ({"scope": "read", "scp": ["read", "write"]}, {"read"}),
        ({"scope": "read", "scp": "write"}, {"read"}),
        ({"scp": "read"}, {"read"}),
    ],
    ids=["scope", "a list of its own beside it", "a text of its own beside it", "scp alone"],
)
def test_another_providers_scopes(given, scopes):
    """RFC 9068 section 2.2.3: the scopes are in scope, whatever else a provider repeats them in."""
    issuer = "https://login.example"
    values = {"iss": issuer, "sub": "ada", "aud": CLIENT, "client_id": CALLER, "iat": NOW, "exp": NOW + 60}
    expected = ExpectedAccess(issuer=issuer, audience=CLIENT, now=NOW, leeway=60)
    assert check(values | given, expected).scopes == scopes


@pytest.mark.parametrize("aud", [CLIENT, f"api://{CLIENT}", f"api://{CLIENT}/"])
async def test_sec_051_version_1(aud):
    """SEC-051: a version 1 token is held against its own issuer; its aud is as the client wrote it."""
    user = await accepted(old_claims(aud=aud))
    assert isinstance(user, User)
    assert user.delegation is not None
    assert user.delegation.client_id == CALLER


@pytest.mark.parametrize(
    ("values", "check"),
    [
        (api_claims(ver="1.0"), "issuer_is_expected"),
        (api_claims(ver="3.0"), "version_is_issuers"),
        (api_claims(ver=ABSENT), "version_is_issuers"),
        (api_claims(ver=2.0), "version_is_issuers"),
        (old_claims(ver="2.0"), "issuer_is_expected"),
        (old_claims(azp=CALLER, appid=ABSENT), "client_is_admitted"),
        (api_claims(azp=ABSENT, appid=CALLER), "client_is_admitted"),
        (api_claims(aud=f"api://{CLIENT}"), "audience_is_this_api"),
        (api_claims(aud=CLIENT + "/"), "audience_is_this_api"),
        (old_claims(aud=f"api://{CLIENT}//"), "audience_is_this_api"),
        (old_claims(iss=f"https://sts.windows.net/{OTHER}/", tid=OTHER), "issuer_is_expected"),
    ],
)
async def test_sec_051_versions_do_not_mix(values, check):
    """SEC-051: ver, iss and the form of aud belong together."""
    with pytest.raises(TokenRefused, match=f"^{check}"):
        await accepted(values)


async def test_sec_051_a_key_of_the_other_version_alone():
    """SEC-051, SEC-059: the key that signed must be published by the metadata of the token's own version."""
    app = BothVersions()
    app.old.keys = [jwk("two", issuer=None)]
    with pytest.raises(TokenRefused, match=r"^kid"):
        await accepted(old_claims(), app=app)
    app = BothVersions()
    app.old.keys = [jwk("two", kid="one", issuer=None)]
    with pytest.raises(TokenRefused, match=r"^key"):
        await accepted(old_claims(), app=app)


async def test_sec_051_a_key_that_version_1_has_alone():
    """API-2: once version 1 tokens are in use, a key that only its metadata publish verifies them too."""
    app = BothVersions()
    app.old.keys.append(jwk("three", issuer=None))
    checks = verifier(app)
    with pytest.raises(TokenRefused, match=r"^kid"):
        await checks.verify(signed(old_claims(), signer="three"))
    await checks.verify(signed(old_claims()))
    await checks.verify(signed(old_claims(), signer="three"))


async def test_version_1_is_not_fetched_for_version_2():
    """SEC-159: no token, good or bad, has version 1's documents fetched before a verified one needs them."""
    app = BothVersions()
    checks = verifier(app)
    await checks.verify(signed(api_claims()))
    with pytest.raises(TokenRefused):
        await checks.verify(signed(old_claims(), signer="attacker"))
    assert app.old.hits == {"metadata": 0, "keys": 0}
    await checks.verify(signed(old_claims()))
    assert app.old.hits == {"metadata": 1, "keys": 1}


@pytest.mark.parametrize("issuer", [f"https://login.microsoftonline.com/{OTHER}/v2.0", "https://evil.example/v2.0"])
async def test_sec_066_a_key_of_another_tenant(issuer):
    """SEC-066: a key that is bound to another issuer verifies neither version's tokens."""
    app = BothVersions()
    app.keys[0]["issuer"] = issuer
    for values in (api_claims(), old_claims()):
        with pytest.raises(TokenRefused, match=r"^key_is_tenants"):
            await accepted(values, app=app)


async def test_clients_that_may_call():
    """API-1: with an allow-list only its clients call; an application without roles also needs idtyp (SEC-054)."""
    api = Api(client_id=CLIENT, clients=frozenset({CALLER}))
    await accepted(api_claims(), api=api)
    await accepted(app_claims(roles=ABSENT, idtyp="app"), api=api)
    with pytest.raises(TokenRefused, match=r"^one_kind_of_caller"):
        await accepted(app_claims(roles=ABSENT), api=api)
    with pytest.raises(TokenRefused, match=r"^client_is_admitted"):
        await accepted(api_claims(azp=OTHER), api=api)


async def test_sec_122_tenants():
    """SEC-122: of many tenants those that the settings name come in, each under its own issuer and key."""
    app = BothVersions()
    app.metadata["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0"
    many = {"tenant_id": "organizations", "app": app}
    await accepted(api_claims(), tenants=(TENANT,), **many)
    await accepted(api_claims(), any_tenant=True, **many)
    with pytest.raises(TenantRefused):
        await accepted(api_claims(), tenants=(OTHER,), **many)
    with pytest.raises(TokenRefused, match=r"^issuer_is_expected"):
        await accepted(api_claims(tid=OTHER), any_tenant=True, **many)
    with pytest.raises(TokenRefused, match=r"^tenant_is_expected"):
        await accepted(api_claims(tid="birch.example"), any_tenant=True, **many)


CIAM = {"authority": f"https://birchfamily.ciamlogin.com/{TENANT}"}
CIAM_ISSUER = f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"


async def test_external_id():
    """API-1: External ID's tokens carry an issuer on a host of the tenant's own, and are held against that."""
    app = BothVersions()
    base = f"https://birchfamily.ciamlogin.com/{TENANT}"
    app.metadata = {
        "issuer": CIAM_ISSUER,
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
    }
    for key in app.keys:
        key["issuer"] = CIAM_ISSUER
    hosts = {"app": app, "host": "birchfamily.ciamlogin.com", **CIAM}
    assert isinstance(await accepted(api_claims(iss=CIAM_ISSUER), **hosts), User)
    with pytest.raises(TokenRefused, match=r"^issuer_is_expected"):
        await accepted(api_claims(), **hosts)
