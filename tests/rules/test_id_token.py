"""An ID token is believed when everything about it is right, and refused when any one thing is wrong."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

from entrada.errors import TokenRefused
from entrada.principal import User
from entrada.provider.authority import Authority
from entrada.provider.discovery import Discovery
from entrada.provider.egress import Egress
from entrada.provider.tokens.id_token import IdTokenVerifier
from entrada.provider.tokens.identity import user_from
from tests.authority_app import (
    ABSENT,
    CLIENT,
    HOST,
    ISSUER,
    NONCE,
    OBJECT,
    START,
    TENANT,
    AuthorityApp,
    Clock,
    base64url,
    claims,
    compact,
    jwk,
    rsa_key,
    settings,
    token,
)
from tests.internet import Internet

NOW = int(START.timestamp())
OTHER_GUID = "11111111-2222-4333-8444-666666666666"


def verifier(app: AuthorityApp | None = None, *, clock: Clock | None = None, **changes) -> IdTokenVerifier:
    chosen = settings(**changes)
    authority = Authority.from_settings(chosen)
    clock = clock or Clock()
    egress = Egress(transport=Internet({HOST: app or AuthorityApp()}), private_addresses_allowed=False)
    discovery = Discovery(authority, egress, clock, production=False, jitter=lambda: 0.5)
    return IdTokenVerifier(
        discovery, client_id=CLIENT, authority=authority, algorithms=chosen.algorithms, leeway=60, clock=clock
    )


async def refused(id_token: str, check: str, **options) -> None:
    with pytest.raises(TokenRefused, match=rf"^{check}"):
        await verifier().verify(id_token, **({"nonce": NONCE} | options))


async def test_a_good_token_is_believed_and_names_the_person():
    """A token right in every way gives its claims, and they give the person."""
    person = user_from(await verifier().verify(token(roles=["Admin"], auth_time=NOW, amr=["pwd", "mfa"]), nonce=NONCE))
    assert (person.key, person.name, person.roles) == (f"{TENANT}:{OBJECT}", "Alba Torres", {"Admin"})
    assert (person.auth_time, person.amr) == (START, ("pwd", "mfa"))


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"iss": ABSENT}, "issuer_is_expected"),
        ({"iss": ISSUER + "/"}, "issuer_is_expected"),
        ({"iss": ISSUER.upper()}, "issuer_is_expected"),
        ({"iss": ISSUER[:-1]}, "issuer_is_expected"),
        ({"iss": [ISSUER]}, "issuer_is_expected"),
        ({"iss": None}, "issuer_is_expected"),
        ({"iss": f"https://login.microsoftonline.com/{OTHER_GUID}/v2.0", "tid": OTHER_GUID}, "issuer_is_expected"),
        ({"iss": f"https://sts.windows.net/{TENANT}/"}, "issuer_is_expected"),
    ],
)
async def test_sec_037_issuer(changes, check):
    """SEC-037: iss is our authority character by character."""
    await refused(token(**changes), check)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ABSENT},
        {"aud": "another"},
        {"aud": []},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, CLIENT]},
        {"aud": CLIENT.upper().replace("9", "8")},
        {"aud": {"a": CLIENT}},
        {"aud": [[CLIENT]]},
        {"aud": None},
        {"azp": "another"},
        {"azp": None},
        {"aud": [CLIENT], "azp": ["x"]},
    ],
)
async def test_sec_038_audience(changes):
    """SEC-038: aud is our client id and nobody else's; azp, when there, is too."""
    await refused(token(**changes), "audience_is_us")


@pytest.mark.parametrize("changes", [{"aud": [CLIENT]}, {"azp": CLIENT}])
async def test_sec_038_audience_as_one_member_array(changes):
    """SEC-038: an array of our client id alone is accepted, and our own azp."""
    assert (await verifier().verify(token(**changes), nonce=NONCE)).audience == CLIENT


@pytest.mark.parametrize("value", [ABSENT, None, "", 1, ["a"], "a" * 256, "ü", "a\n", "a\x00", {}, True])
async def test_sec_039_subject(value):
    """SEC-039: sub is a short printable text."""
    await refused(token(sub=value), "subject_is_named")


@pytest.mark.parametrize(
    "changes",
    [
        {"tid": ABSENT},
        {"tid": None},
        {"tid": OTHER_GUID},
        {"tid": [TENANT]},
        {"tid": TENANT + " "},
        {"oid": ABSENT},
        {"oid": "not-a-guid"},
        {"oid": 7},
        {"oid": None},
    ],
)
async def test_sec_039_tenant_and_object(changes):
    """SEC-039: at Entra tid is the issuer's tenant, and oid is there."""
    await refused(token(**changes), "tenant_is_expected")


@pytest.mark.parametrize("name", ["exp", "iat"])
async def test_sec_039_required_times(name):
    """SEC-039: exp and iat are required."""
    await refused(token(**{name: ABSENT}), "times_are_numbers")


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", [None, True, False, "1", str(NOW), [NOW], {}, -1, 10**18, 10**400, 1e308])
async def test_sec_039_times_of_wrong_types(name, value):
    """SEC-039: booleans, strings and numbers out of range are no times."""
    await refused(token(**{name: value}), "times_are_numbers")


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"1e400"])
async def test_sec_039_infinite_times(number):
    """SEC-039: a number that overflows to infinity is no time."""
    body = b'{"exp":' + number + b"," + str(claims(exp=ABSENT)).replace("'", '"').encode()[1:]
    await refused(compact({"alg": "RS256", "kid": "one"}, body), "form")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
async def test_sec_039_not_a_number(number):
    """SEC-039: NaN and Infinity are not even JSON."""
    await refused(compact({"alg": "RS256", "kid": "one"}, b'{"exp":' + number + b"}"), "form")


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"exp": NOW - 60}, "not_expired"),
        ({"exp": NOW - 3600}, "not_expired"),
        ({"exp": 0}, "not_expired"),
        ({"nbf": NOW + 61}, "already_valid"),
        ({"iat": NOW + 61}, "already_valid"),
    ],
)
async def test_sec_040_times_beyond_the_leeway(changes, check):
    """SEC-040: beyond the leeway of a minute a token is too old or too young."""
    await refused(token(**changes), check)


@pytest.mark.parametrize("changes", [{"exp": NOW - 59}, {"nbf": NOW + 60}, {"iat": NOW + 60}, {"exp": NOW + 0.5}])
async def test_sec_040_times_within_the_leeway(changes):
    """SEC-040: within the leeway a token is accepted; fractions are times too."""
    assert await verifier().verify(token(**changes), nonce=NONCE)


@pytest.mark.parametrize("value", [ABSENT, None, "", "another", NONCE + "x", NONCE.upper(), 5, [NONCE], "ü"])
async def test_sec_041_nonce(value):
    """SEC-041: nonce is this sign-in's."""
    await refused(token(nonce=value), "nonce_is_ours")


async def test_sec_041_an_empty_expected_nonce_matches_nothing():
    """SEC-041: a sign-in without a nonce is refused, also by a token with an empty one."""
    await refused(token(nonce=""), "nonce_is_ours", nonce="")


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", "JOSE", "", "application/at+jwt", "secevent+jwt"])
async def test_sec_046_another_kind_of_token(kind):
    """SEC-046: a token whose typ says something else is no ID token."""
    await refused(token(header={"typ": kind}), "type_is_jwt")


@pytest.mark.parametrize("kind", [None, 5, ["JWT"]])
async def test_sec_046_typ_of_wrong_type(kind):
    """SEC-046: typ is a text."""
    await refused(token(header={"typ": kind}), "typ")


@pytest.mark.parametrize("kind", [ABSENT, "JWT", "jwt"])
async def test_sec_046_typ_of_an_id_token(kind):
    """SEC-046: JWT in any case, or nothing."""
    assert await verifier().verify(token(header={"typ": kind}), nonce=NONCE)


def half_hash(access_token: str) -> str:
    return base64url(hashlib.sha256(access_token.encode()).digest()[:16])


async def test_sec_046_the_access_token_that_came_with_it():
    """SEC-046: at_hash fits the access token that came with the ID token."""
    good = token(at_hash=half_hash("opaque"))
    assert await verifier().verify(good, nonce=NONCE, access_token="opaque")


@pytest.mark.parametrize("access_token", ["another", "", None])
@pytest.mark.parametrize("value", [half_hash("opaque"), 5, None, "", "ü"])
async def test_sec_046_another_access_token(access_token, value):
    """SEC-046: at_hash is checked whenever there, and refuses when there is nothing to check it with."""
    await refused(token(at_hash=value), "access_token_is_its_own", access_token=access_token)


@pytest.mark.parametrize("value", [ABSENT, NOW - 361, NOW + 61])
async def test_sec_047_max_age(value):
    """SEC-047: with max_age an old, future or absent auth_time is refused."""
    await refused(token(auth_time=value), "signed_in_lately", max_age=300)


async def test_sec_047_max_age_kept():
    """SEC-047: a recent auth_time satisfies max_age."""
    assert await verifier().verify(token(auth_time=NOW - 300), nonce=NONCE, max_age=300)


@pytest.mark.parametrize(
    "issuer",
    [
        f"https://login.microsoftonline.com/{OTHER_GUID}/v2.0",
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "https://login.microsoftonline.us/{tenantid}/v2.0",
        "",
    ],
)
async def test_sec_066_a_key_bound_to_another_issuer(issuer):
    """SEC-066: a key that Entra bound to another tenant verifies nothing of ours."""
    app = AuthorityApp()
    app.keys = [jwk("one", issuer=issuer)]
    with pytest.raises(TokenRefused, match=r"^key_is_issuers"):
        await verifier(app).verify(token(), nonce=NONCE)


@pytest.mark.parametrize("issuer", [None, ISSUER, "https://login.microsoftonline.com/{tenantid}/v2.0"])
async def test_sec_066_a_key_bound_to_our_issuer(issuer):
    """SEC-066: a key for our tenant, for every tenant, or without a binding verifies."""
    app = AuthorityApp()
    app.keys = [jwk("one", issuer=issuer)]
    assert await verifier(app).verify(token(), nonce=NONCE)


async def test_sec_109_a_renewed_token_of_the_same_person():
    """SEC-109: a renewed token needs no nonce and must be the same person's, whom claims or the kept user name."""
    first = await verifier().verify(token(), nonce=NONCE)
    renewed = token(nonce=ABSENT)
    assert await verifier().verify_renewed(renewed, of=first)
    assert await verifier().verify_renewed(renewed, of=user_from(first))


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"sub": "somebody-else"}, "same_person"),
        ({"oid": OTHER_GUID}, "same_person"),
        ({"exp": NOW - 60}, "not_expired"),
        ({"aud": "another"}, "audience_is_us"),
        ({"iss": ISSUER + "/"}, "issuer_is_expected"),
    ],
)
async def test_sec_109_a_renewed_token_of_somebody_else(changes, check):
    """SEC-109: a renewed token passes every check and keeps issuer, subject, tenant and object id."""
    first = await verifier().verify(token(), nonce=NONCE)
    with pytest.raises(TokenRefused, match=rf"^{check}"):
        await verifier().verify_renewed(token(**changes), of=first)


async def test_sec_109_a_user_of_another_tenant():
    """SEC-109: the tenant of the session's user is compared too."""
    user = User(issuer=ISSUER, subject=claims()["sub"], tenant_id=OTHER_GUID, object_id=OBJECT)
    with pytest.raises(TokenRefused, match=r"^same_person"):
        await verifier().verify_renewed(token(), of=user)


async def test_a_tenant_named_by_its_domain():
    """With a domain as tenant, the metadata's issuer supplies the GUID that tid must be."""
    checks = verifier(tenant_id="contoso.onmicrosoft.com")
    assert (await checks.verify(token(), nonce=NONCE)).tenant_id == TENANT
    with pytest.raises(TokenRefused, match=r"^tenant_is_expected"):
        await checks.verify(token(tid=OTHER_GUID), nonce=NONCE)


async def test_the_numbers_in_a_tenant_are_not_those_of_another_provider():
    """tid and oid of a provider that is not Entra are only claims: they never become the person's key."""
    app = AuthorityApp()
    app.metadata |= {"issuer": ISSUER, "userinfo_endpoint": None}
    checks = verifier(app, tenant_id=None, issuer=ISSUER)
    person = user_from(await checks.verify(token(), nonce=NONCE))
    assert (person.tenant_id, person.object_id, person.key) == (None, None, f"{ISSUER}|{person.subject}")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ["x"]},
        {"roles": "Admin"},
        {"roles": ["Admin", 5]},
        {"roles": {"Admin": 1}},
        {"email": 5},
        {"amr": "mfa"},
        {"sid": 5},
        {"login_hint": "x" * 5000},
        {"acrs": [["c1"]]},
    ],
)
async def test_a_claim_of_the_wrong_type_counts_as_absent(changes):
    """A claim of the wrong type never raises and never grants: it is not there."""
    person = user_from(await verifier().verify(token(**changes), nonce=NONCE))
    assert getattr(person, next(iter(changes))) in ("", None, (), frozenset())


@pytest.mark.parametrize("said", [{"hasgroups": True}, {"hasgroups": "true"}, {"_claim_names": {"groups": "src1"}}])
async def test_sec_132_groups_that_had_no_room(said):
    """SEC-132: each form in which Entra says so counts as not known, never as none."""
    person = user_from(await verifier().verify(token(**said), nonce=NONCE))
    assert (person.groups, person.groups_overage) == (frozenset(), True)


@pytest.mark.parametrize("said", [{"hasgroups": False}, {"hasgroups": 1}, {"_claim_names": {"other": "src1"}}])
async def test_sec_132_what_says_nothing_of_groups(said):
    """SEC-132: nothing else does."""
    assert not user_from(await verifier().verify(token(**said), nonce=NONCE)).groups_overage


async def test_sec_133_names_of_groups_are_no_groups():
    """SEC-133: groups may be told by names, which can be changed by others; only object ids count."""
    person = user_from(await verifier().verify(token(groups=["Admins", "BIRCH\\Admins", OTHER_GUID]), nonce=NONCE))
    assert person.groups == {OTHER_GUID}


async def test_other_signature_algorithms_when_configured():
    """PS256, ES256 and EdDSA verify when the settings accept them and the key suits."""
    curve, edwards = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    point = curve.public_key().public_numbers()
    app = AuthorityApp()
    app.keys = [
        jwk("one", alg="PS256"),
        {
            "kty": "EC",
            "crv": "P-256",
            "kid": "curve",
            "x": base64url(point.x.to_bytes(32)),
            "y": base64url(point.y.to_bytes(32)),
        },
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": "edwards",
            "x": base64url(edwards.public_key().public_bytes_raw()),
        },
    ]
    checks = verifier(app, algorithms=("RS256", "PS256", "ES256", "EdDSA"))

    def signed(algorithm: str, kid: str, sign, **changes) -> str:
        head = compact({"alg": algorithm, "kid": kid}, claims(**changes)).rpartition(".")[0]
        return f"{head}.{base64url(sign(head.encode()))}"

    def ecdsa(data: bytes) -> bytes:
        r, s = decode_dss_signature(curve.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def pss(data: bytes) -> bytes:
        return rsa_key("one").sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())

    assert await checks.verify(signed("PS256", "one", pss), nonce=NONCE)
    assert await checks.verify(signed("ES256", "curve", ecdsa), nonce=NONCE)
    wide = base64url(hashlib.new("sha512", b"opaque").digest()[:32])
    edwards_token = signed("EdDSA", "edwards", edwards.sign, at_hash=wide)
    assert await checks.verify(edwards_token, nonce=NONCE, access_token="opaque")
    for wrong in (signed("RS256", "one", pss), signed("ES256", "one", pss), signed("PS256", "curve", pss)):
        with pytest.raises(TokenRefused):
            await checks.verify(wrong, nonce=NONCE)
    for spoilt in (lambda data: ecdsa(data)[:-1], lambda data: b"\0" * 64, lambda data: ecdsa(data) + b"\0"):
        with pytest.raises(TokenRefused, match=r"^signature"):
            await checks.verify(signed("ES256", "curve", spoilt), nonce=NONCE)
    long_salt = padding.PSS(padding.MGF1(SHA512()), 64)
    with pytest.raises(TokenRefused, match=r"^signature"):
        await checks.verify(
            signed("PS256", "one", lambda data: rsa_key("one").sign(data, long_salt, SHA512())), nonce=NONCE
        )
