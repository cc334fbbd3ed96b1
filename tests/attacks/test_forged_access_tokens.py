"""Access tokens that are none, or another's, or somebody else's: no way known to fool an API fools this one."""

import contextlib
import hashlib
import hmac
import json

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.errors import TokenRefused
from entrada.provider.tokens.access_token import Api
from entrada.provider.tokens.identity import principal_from
from tests.access_authority import CALLER, PRINCIPAL, BothVersions, api_claims, app_claims, signed, verifier
from tests.authority_app import ABSENT, CLIENT, ISSUER, OBJECT, START, TENANT, base64url, claims, compact, jwk, token

NOW = int(START.timestamp())
OTHER = "11111111-2222-4333-8444-666666666666"
GOOD = signed(api_claims())
HEAD, PAYLOAD, SIGNATURE = GOOD.split(".")


async def refused(forged, check: str, **options) -> str:
    with pytest.raises(TokenRefused, match=rf"^({check})") as caught:
        await verifier(**options).verify(forged)
    return str(caught.value)


def by_hmac(algorithm: str) -> str:
    head = base64url(json.dumps({"alg": algorithm, "kid": "one", "typ": "JWT"}).encode())
    digest = hmac.new(jwk("one")["n"].encode(), f"{head}.{PAYLOAD}".encode(), hashlib.sha256).digest()
    return f"{head}.{PAYLOAD}.{base64url(digest)}"


SEC_049 = {
    "SEC-033 alg none": (signed(api_claims(), alg="none"), "alg"),
    "SEC-033 alg None": (signed(api_claims(), alg="nOnE"), "alg"),
    "SEC-033 no signature": (f"{HEAD}.{PAYLOAD}.", "form"),
    "SEC-033 no alg": (signed(api_claims(), alg=ABSENT), "alg"),
    "SEC-034 another algorithm": (signed(api_claims(), alg="RS512"), "alg"),
    "SEC-035 HMAC with the public key": (by_hmac("HS256"), "alg"),
    "SEC-036 kid missing": (signed(api_claims(), kid=ABSENT), "kid"),
    "SEC-036 kid unknown": (signed(api_claims(), kid="three"), "kid"),
    "SEC-036 kid of another key": (signed(api_claims(), kid="two"), "signature"),
    "SEC-036 brings its key": (signed(api_claims(), signer="attacker", kid="one", jwk=jwk("attacker")), "signature"),
    "SEC-037 issuer": (signed(api_claims(iss=ISSUER + "/")), "issuer_is_expected"),
    "SEC-037 issuer of another tenant": (signed(api_claims(iss=ISSUER.replace(TENANT, OTHER))), "issuer_is_expected"),
    "SEC-039 sub missing": (signed(api_claims(sub=ABSENT)), "subject_is_named"),
    "SEC-039 tid missing": (signed(api_claims(tid=ABSENT)), "tenant_is_expected"),
    "SEC-039 tid of another": (signed(api_claims(tid=OTHER)), "tenant_is_expected"),
    "SEC-039 oid missing": (signed(api_claims(oid=ABSENT)), "tenant_is_expected"),
    "SEC-039 exp missing": (signed(api_claims(exp=ABSENT)), "times_are_numbers"),
    "SEC-039 exp a text": (signed(api_claims(exp=str(NOW + 60))), "times_are_numbers"),
    "SEC-039 exp true": (signed(api_claims(exp=True)), "times_are_numbers"),
    "SEC-039 exp endless": (signed(api_claims(exp=1e300)), "times_are_numbers"),
    "SEC-040 expired": (signed(api_claims(exp=NOW - 60)), "not_expired"),
    "SEC-040 not yet": (signed(api_claims(nbf=NOW + 61)), "already_valid"),
    "SEC-040 from the future": (signed(api_claims(iat=NOW + 61)), "already_valid"),
    "SEC-042 crit": (signed(api_claims(), crit=["exp"]), "crit"),
    "SEC-043 padded": (f"{HEAD}.{PAYLOAD}.{SIGNATURE}==", "form"),
    "SEC-043 five parts (JWE, Entra's refresh token)": (f"{HEAD}.a.b.c.{SIGNATURE}", "form"),
    "SEC-043 opaque (refresh token)": ("0.AXkAn3Zq-opaque-refresh-token", "form"),
    "SEC-044 a member twice": (
        compact(b'{"alg":"RS256","kid":"one","kid":"one"}', api_claims()), "form"),
    "SEC-044 UTF-16": (compact({"alg": "RS256", "kid": "one"}, json.dumps(api_claims()).encode("utf-16")), "form"),
    "SEC-045 too long": ("a" * 65_537, "form"),
}  # fmt: skip


@pytest.mark.parametrize(("forged", "check"), SEC_049.values(), ids=SEC_049)
async def test_sec_049_rules_of_every_token(forged, check):
    """SEC-049: what is held of ID tokens is held of access tokens."""
    assert await refused(forged, check)


SEC_050 = {
    "another API": OTHER,
    "missing": ABSENT,
    "empty": "",
    "none": [],
    "null": None,
    "two": [CLIENT, OTHER],
    "us twice": [CLIENT, CLIENT],
    "with a blank": f"{CLIENT} ",
    "as part of a longer one": f"{CLIENT}-test",
    "in capitals": CLIENT.upper() + "A",
    "an object": {CLIENT: True},
    "Microsoft Graph": "00000003-0000-0000-c000-000000000000",
}


@pytest.mark.parametrize("aud", SEC_050.values(), ids=SEC_050)
async def test_sec_050_audience(aud):
    """SEC-050: aud is this API's client id, alone and whole."""
    assert await refused(signed(api_claims(aud=aud)), "audience_is_this_api")


SEC_052 = {
    "ID token": (token(), "no_other_kind"),
    "ID token of a renewal, without nonce": (token(nonce=ABSENT), "client_is_admitted"),
    "ID token with roles": (token(nonce=ABSENT, roles=["Admin"]), "client_is_admitted"),
    "ID token with azp": (token(nonce=ABSENT, azp=CLIENT, roles=["Admin"]), "one_kind_of_caller"),
    "ID token whose sub is its oid (B2C)": (token(nonce=ABSENT, sub=OBJECT, roles=["Admin"]), "client_is_admitted"),
    "ID token with at_hash": (signed(api_claims(at_hash="x")), "no_other_kind"),
    "ID token of a hybrid flow": (signed(api_claims(c_hash="x")), "no_other_kind"),
    "logout token": (
        signed(claims(nonce=ABSENT, events={"http://schemas.openid.net/event/backchannel-logout": {}}),
               typ="logout+jwt"), "type_is_access"),
    "logout token typed JWT": (signed(api_claims(events={})), "no_other_kind"),
    "token of another kind": (signed(api_claims(), typ="secevent+jwt"), "type_is_access"),
    "DPoP proof": (signed(api_claims(), typ="dpop+jwt"), "type_is_access"),
    "Graph token": (signed(api_claims(), nonce="graphs"), "not_for_graph"),
    "Graph token that carries our audience": (signed(api_claims(), nonce=""), "not_for_graph"),
}  # fmt: skip


@pytest.mark.parametrize(("forged", "check"), SEC_052.values(), ids=SEC_052)
async def test_sec_052_tokens_of_another_kind(forged, check):
    """SEC-052: an ID token, a Graph token or a logout token is no access token for this API."""
    assert await refused(forged, check)


SEC_054 = {
    "a person's without scopes": api_claims(scp=ABSENT),
    "a person's with empty scopes": api_claims(scp=""),
    "a person's with blanks": api_claims(scp="  "),
    "scopes as a list": api_claims(scp=["Orders.Read"]),
    "scope in place of scp": api_claims(scp=ABSENT, scope="Orders.Read"),
    "scope beside an scp that is none": api_claims(scp=["Orders.Read"], scope="Orders.Read"),
    "roles in place of scopes": api_claims(scp=ABSENT, roles=["Task.Write"]),
    "idtyp user, without scopes": app_claims(idtyp="user"),
    "idtyp user, of the client itself": app_claims(idtyp="user", roles=["Task.Write"]),
    "an application's without roles": app_claims(roles=ABSENT),
    "an application's with empty roles": app_claims(roles=[]),
    "roles as a text": app_claims(roles="Task.Write"),
    "roles of mixed types": app_claims(roles=["Task.Write", 5]),
    "an application's with scopes": app_claims(idtyp="app", scp="Orders.Read"),
    "idtyp of another case": app_claims(idtyp="App"),
    "idtyp as a list": app_claims(idtyp=["app"]),
}


@pytest.mark.parametrize("values", SEC_054.values(), ids=SEC_054)
async def test_sec_054_neither_a_persons_nor_an_applications(values):
    """SEC-054: a person's token needs scopes and an application's needs roles, each in its own form."""
    assert await refused(signed(values), "one_kind_of_caller")


async def test_sec_054_an_allowed_client_is_no_right():
    """SEC-054: a client on the allow-list needs idtyp=app to come in without roles, and never comes in as a person."""
    api = Api(client_id=CLIENT, clients=frozenset({CALLER}))
    assert await refused(signed(app_claims(roles=ABSENT)), "one_kind_of_caller", api=api)
    assert await refused(signed(app_claims(roles=ABSENT, idtyp="user")), "one_kind_of_caller", api=api)
    assert await refused(signed(api_claims(scp=ABSENT, sub=PRINCIPAL)), "one_kind_of_caller", api=api)


@pytest.mark.parametrize("cnf", [{"jkt": "x"}, {"x5t#S256": "x"}, {}, None, "x"])
async def test_sec_057_bound_tokens(cnf):
    """SEC-057: a token whose holder must prove a key is refused, for the proof is not checked."""
    assert await refused(signed(api_claims(cnf=cnf)), "not_bound_to_a_proof")


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore")))
def test_sec_044_any_payload_is_refused_or_read(payload):
    """SEC-044: whatever is signed, the answer is TokenRefused and no other exception."""
    import anyio

    async def verified() -> None:
        with contextlib.suppress(TokenRefused):
            await CHECKS.verify(compact({"alg": "RS256", "kid": "one"}, payload or b"{}"))
            raise AssertionError("accepted")

    anyio.run(verified)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ("aud", "iss", "sub", "tid", "oid", "exp", "iat", "nbf", "ver", "azp", "scp", "roles", "idtyp", "auth_time",
         "amr", "acrs", "groups", "_claim_names", "xms_cc", "name", "cnf", "acr", "sid", "hasgroups", "_claim_sources",
         "preferred_username", "upn", "email", "emails", "login_hint", "idp", "acct", "scope", "tfp", "wids", "appid",
         "client_id", "nonce", "azpacr")  # fmt: skip
ODD = (None, True, 0, -1.5, 2**70, "", "x" * 5000, [], {}, [[]], [None], [{}], {"groups": []}, ["a", 1])


@given(st.dictionaries(st.sampled_from(NAMES), JSON, min_size=1, max_size=4))
def test_sec_131_any_claim_is_refused_or_harmless(changes):
    """SEC-131: claims of wrong types raise TokenRefused or grant nothing; no other exception, no right from nowhere."""

    async def verified() -> None:
        with contextlib.suppress(TokenRefused):
            values = api_claims(**changes)
            found = principal_from((await CHECKS.verify(compact({"alg": "RS256", "kid": "one"}, values))).claims)
            given_roles = changes.get("roles")
            assert not found.roles or found.roles == set(given_roles)
            assert found.tenant_id == TENANT

    anyio.run(verified)


CHECKS = verifier(BothVersions())


async def test_sec_131_every_claim_of_every_wrong_type():
    """SEC-131: a claim of a type that it should not have is refused or counts as absent: it makes nobody of another."""
    checks = verifier(BothVersions(), guests=False)
    for name in NAMES:
        for value in ODD:
            with contextlib.suppress(TokenRefused):
                found = principal_from((await checks.verify(signed(api_claims(**{name: value})))).claims)
                assert found.key == f"{TENANT}:{OBJECT}", (name, value)
