"""What is unusual and still right is accepted: a verifier that is strict refuses no valid token."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from entrada.errors import TokenRefused
from entrada.provider.keys import KeySet
from tests.access_authority import api_claims, verifier
from tests.authority_app import ABSENT, AuthorityApp, base64url, compact, jwk, rsa_key

HEADER = {"alg": "RS256", "kid": "one", "typ": "JWT"}


async def claims_of(token: str, **options) -> dict:
    return dict((await verifier(**options).verify(token)).claims.values)


HEADERS = {
    "no typ": {"typ": ABSENT},
    "typ in small letters": {"typ": "jwt"},
    "typ of RFC 9068": {"typ": "at+jwt"},
    "typ of RFC 9068 as a media type": {"typ": "application/at+jwt"},
    "x5t and x5t#S256": {"x5t": "AAAA", "x5t#S256": "BBBB"},
    "a certificate chain": {"x5c": ["MIIB"]},
    "its own key, which is not looked at": {"jwk": jwk("one")},
    "addresses, which are not fetched": {"jku": "https://login.microsoftonline.com/keys", "x5u": "https://x.example/c"},
    "cty": {"cty": "JWT"},
    "members that nobody knows": {"x-private": {"deep": [1, {"null": None}]}, "zip": "DEF", "exp": 1, "alg2": "none"},
    "beyond ASCII": {"x": "żółw \U0001f422"},
}


@pytest.mark.parametrize("changes", HEADERS.values(), ids=HEADERS)
async def test_header_members_beside_the_known_ones(changes):
    """RFC 7515 section 4: header parameters that are not understood, and not in crit, are ignored."""
    members = {name: value for name, value in (HEADER | changes).items() if value is not ABSENT}
    assert await claims_of(compact(members, api_claims()))


@pytest.mark.parametrize("kid", ["0", "a b", "/+=.", "k" * 256, "{}", "null", "żółw", "\U0001f511", "one\u0000"])
async def test_kids_of_every_shape(kid):
    """RFC 7517 section 4.5: a kid is any text; it is compared as it is."""
    app = AuthorityApp()
    app.keys = [jwk("one", kid=kid)]
    assert await claims_of(compact(HEADER | {"kid": kid}, api_claims()), app=app)


WRITINGS = {
    "indented": lambda claims: json.dumps(claims, indent=2),
    "every letter escaped": lambda claims: (
        "{" + ",".join(f"{_escaped(k)}:{json.dumps(v)}" for k, v in claims.items()) + "}"
    ),
    "blanks around": lambda claims: " \r\n\t" + json.dumps(claims) + "\n",
    "slashes escaped": lambda claims: json.dumps(claims).replace("/", "\\/"),
    "surrogate pairs escaped": lambda claims: json.dumps(claims | {"name": "\U0001f422"}),
    "the same beyond ASCII": lambda claims: json.dumps(claims | {"name": "\U0001f422 żółw"}, ensure_ascii=False),
    "members in another order": lambda claims: json.dumps(dict(reversed(claims.items()))),
    "times with a fraction": lambda claims: json.dumps(
        claims | {"exp": claims["exp"] + 0.5, "iat": claims["iat"] - 0.25}
    ),
    "times with an exponent": lambda claims: json.dumps(claims).replace(str(claims["exp"]), f"{claims['exp']:.9e}"),
    "large numbers": lambda claims: json.dumps(claims | {"n": 2**400, "m": -(2**64), "f": 1e308, "s": 5e-324}),
    "nesting": lambda claims: json.dumps(claims | {"x": _nested(100)}),
    "names that repeat on other levels": lambda claims: json.dumps(claims | {"sub2": {"sub": 1, "x": [{"sub": 2}]}}),
    "an empty name": lambda claims: json.dumps(claims | {"": "", "\u0000": None}),
    "ten thousand characters": lambda claims: json.dumps(claims | {"x": "é" * 10_000}, ensure_ascii=False),
}


def _escaped(name: str) -> str:
    return '"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + '"'


def _nested(levels: int) -> list:
    return [_nested(levels - 1)] if levels else []


@pytest.mark.parametrize("write", WRITINGS.values(), ids=WRITINGS)
async def test_payloads_however_they_are_written(write):
    """RFC 8259: blanks, escapes, order and numbers as others write them are read to what they mean."""
    text = write(api_claims())
    assert await claims_of(compact(HEADER, text.encode())) == json.loads(text)


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" + b"0" * 400 + b".0"])
async def test_sec_039_a_number_that_becomes_infinite(number):
    """SEC-039, SEC-044: JSON allows 1e400, no answer could hold it: our own refusal."""
    body = json.dumps(api_claims()).encode()[:-1] + b',"x":' + number + b"}"
    with pytest.raises(TokenRefused, match=r"^form: the payload is a number"):
        await claims_of(compact(HEADER, body))


KEYS = {
    "no use, no alg": {"use": None},
    "key_ops": {"use": None, "key_ops": ["verify"]},
    "key_ops with more": {"use": None, "key_ops": ["verify", "sign", "x-private"]},
    "use and key_ops": {"key_ops": ["verify"]},
    "alg": {"alg": "RS256"},
    "certificate": {"x5c": ["MIIB"], "x5t": "AAAA", "x5t#S256": "B"},
    "members that nobody knows": {"cloud_instance_name": "microsoftonline.com", "exp": 1, "x": None, "y": [1]},
    "a zero in front of n": {"n": base64url(b"\0" + rsa_key("one").public_key().public_numbers().n.to_bytes(256))},
    "a zero in front of e": {"e": "AAEAAQ"},
}


@pytest.mark.parametrize("changes", KEYS.values(), ids=KEYS)
async def test_keys_as_others_publish_them(changes):
    """RFC 7517 section 4: members that are optional or unknown make no difference to a key."""
    app = AuthorityApp()
    app.keys = [jwk("one", **changes)]
    assert await claims_of(compact(HEADER, api_claims()), app=app)


@pytest.mark.parametrize("exponent", [65539, 2**31 + 11, 2**32 + 15, 2**63 + 29])
def test_exponents_up_to_64_bits(exponent):
    """FIPS 186-5 section A.1.1 allows large exponents; those that OpenSSL computes with are usable."""
    assert KeySet.parse({"keys": [jwk("one", e=base64url(exponent.to_bytes(8)))]}).keys["one"]


@pytest.mark.parametrize("bits", [2049, 3072, 4096])
async def test_moduli_of_other_lengths(bits):
    """A modulus need not be of 2048 bits, nor of whole bytes."""
    app = AuthorityApp()
    member, token = signed_by(rsa.generate_private_key(public_exponent=65537, key_size=bits), "RS256")
    app.keys = [member | {"kid": "one"}]
    assert await claims_of(token, app=app)


def signed_by(private, algorithm: str) -> tuple[dict, str]:
    """Return the key as it is published and a token that it signed."""
    text = (
        f"{base64url(json.dumps(HEADER | {'alg': algorithm}).encode())}.{base64url(json.dumps(api_claims()).encode())}"
    )
    hashed = {"256": SHA256(), "384": SHA384(), "512": SHA512()}.get(algorithm[-3:])
    if isinstance(private, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(hashed), hashed.digest_size) if algorithm[0] == "P" else padding.PKCS1v15()
        modulus = private.public_key().public_numbers().n.to_bytes((private.key_size + 7) // 8)
        return jwk("one", n=base64url(modulus)), f"{text}.{base64url(private.sign(text.encode(), scheme, hashed))}"
    if isinstance(private, ed25519.Ed25519PrivateKey):
        member = {"kty": "OKP", "crv": "Ed25519", "x": base64url(private.public_key().public_bytes_raw())}
        return member, f"{text}.{base64url(private.sign(text.encode()))}"
    size = (private.curve.key_size + 7) // 8
    point = private.public_key().public_numbers()
    member = {"kty": "EC", "crv": f"P-{private.curve.key_size}"}
    member |= {"x": base64url(point.x.to_bytes(size)), "y": base64url(point.y.to_bytes(size))}
    numbers = decode_dss_signature(private.sign(text.encode(), ec.ECDSA(hashed)))
    return member, f"{text}.{base64url(b''.join(number.to_bytes(size) for number in numbers))}"


@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
)
async def test_every_algorithm_that_can_be_allowed(algorithm):
    """RFC 7518, RFC 8037, RFC 9864: each algorithm verifies where the settings allow it, and is refused where not."""
    curve = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}.get(algorithm)
    edwards = ed25519.Ed25519PrivateKey.generate() if algorithm.startswith("Ed") else rsa_key("one")
    member, token = signed_by(ec.generate_private_key(curve()) if curve else edwards, algorithm)
    app = AuthorityApp()
    app.keys = [member | {"kid": "one", "alg": algorithm}, jwk("two")]
    assert await claims_of(token, app=app, algorithms=(algorithm,))
    assert await claims_of(token, app=app, algorithms=("RS256", algorithm))
    with pytest.raises(TokenRefused, match=r"^alg"):
        await claims_of(token, app=app, algorithms=("RS256",) if algorithm != "RS256" else ("PS256",))


@pytest.mark.parametrize("of_token", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("of_key", [None, "EdDSA", "Ed25519"])
async def test_two_names_of_one_algorithm(of_token, of_key):
    """RFC 9864: EdDSA with Ed25519 is Ed25519; where the settings accept both names, it does not matter who says which.

    What the settings do not name is refused by its name all the same (SEC-034).
    """
    member, token = signed_by(ed25519.Ed25519PrivateKey.generate(), of_token)
    app = AuthorityApp()
    app.keys = [{**member, "kid": "one", **({"alg": of_key} if of_key else {})}, jwk("two")]
    for accepted in (("EdDSA", "Ed25519"), ("RS256", "Ed25519", "EdDSA"), (of_token,)):
        assert await claims_of(token, app=app, algorithms=accepted)
    with pytest.raises(TokenRefused, match=r"^alg"):
        await claims_of(token, app=app, algorithms=tuple({"EdDSA", "Ed25519"} - {of_token}))
