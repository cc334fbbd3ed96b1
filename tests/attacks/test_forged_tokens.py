"""Forged ID tokens: none of the ways known to fool a verifier fools this one."""

import base64
import contextlib
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from entrada.errors import TokenRefused
from entrada.provider.keys import KeySet
from entrada.provider.tokens import jws
from tests.authority_app import (
    ABSENT,
    CLIENT,
    HEADER,
    NONCE,
    AuthorityApp,
    base64url,
    claims,
    compact,
    jwk,
    rsa_key,
    token,
)
from tests.rules.test_id_token import verifier

GOOD_PAYLOAD = base64url(json.dumps(claims()).encode())


def header(**changes) -> dict:
    return {name: value for name, value in (HEADER | changes).items() if value is not ABSENT}


async def refused(forged, check: str = "", app: AuthorityApp | None = None, **settings) -> str:
    with pytest.raises(TokenRefused, match=rf"^{check}") as caught:
        await verifier(app, **settings).verify(forged, nonce=NONCE)
    return str(caught.value)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", "null", ABSENT, None, 0, ["RS256"], {}, True]
)
@pytest.mark.parametrize("signed", [True, False])
async def test_sec_033_no_algorithm(algorithm, signed):
    """SEC-033: alg none in any case, absent or no text is refused, with a signature and without."""
    forged = compact(header(alg=algorithm), claims())
    assert await refused(forged if signed else forged.rpartition(".")[0] + ".", "(alg|form)")


@pytest.mark.parametrize("algorithm", ["rs256", "RS256 ", "RS384", "RS512", "PS256", "ES256", "EdDSA", "RSA1_5", "dir"])
async def test_sec_034_an_algorithm_that_is_not_allowed(algorithm):
    """SEC-034: the allowlist is compared exactly."""
    assert await refused(compact(header(alg=algorithm), claims()), "alg")


@pytest.mark.parametrize("form", ["pem", "der", "jwk", "n"])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_sec_035_the_public_key_as_a_shared_secret(algorithm, form):
    """SEC-035: a token signed by HMAC with the public key, in whatever form, is refused."""
    public = rsa_key("one").public_key()
    secret = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk("one")).encode(),
        "n": jwk("one")["n"].encode(),
    }[form]
    head = base64url(json.dumps(header(alg=algorithm)).encode())
    digest = hmac.new(secret, f"{head}.{GOOD_PAYLOAD}".encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest()
    assert await refused(f"{head}.{GOOD_PAYLOAD}.{base64url(digest)}", "alg")


async def test_sec_035_a_symmetric_key_in_the_set_is_never_used():
    """SEC-035: an oct key in the authority's own set verifies nothing, though settings were to name its algorithm."""
    app = AuthorityApp()
    app.keys.append({"kty": "oct", "kid": "shared", "k": base64url(b"k" * 32), "alg": "HS256", "use": "sig"})
    head = base64url(json.dumps(header(alg="HS256", kid="shared")).encode())
    digest = hmac.new(b"k" * 32, f"{head}.{GOOD_PAYLOAD}".encode(), hashlib.sha256).digest()
    assert await refused(f"{head}.{GOOD_PAYLOAD}.{base64url(digest)}", "alg", app, algorithms=("RS256", "HS256"))
    assert await refused(compact(header(kid="shared"), claims()), "kid", app)


@pytest.mark.parametrize("kid", [ABSENT, None, "", 5, ["one"], {"one": 1}, True, "o" * 257])
async def test_sec_036_a_kid_that_is_none(kid):
    """SEC-036, SEC-045: a missing, long or non-text kid is refused."""
    assert await refused(compact(header(kid=kid), claims()), "kid")


@pytest.mark.parametrize("kid", ["ONE", "one ", "on", "three", "../../dev/null", "' OR 1=1 --", "o" * 256, "\u00f6"])
async def test_sec_036_a_foreign_kid(kid):
    """SEC-036: a kid that names no key of the set is refused although one of the keys did sign."""
    assert await refused(compact(header(kid=kid), claims()), "kid")


async def test_sec_036_another_key_of_the_same_set():
    """SEC-036: the key that kid names is the only one tried."""
    assert await refused(compact(header(kid="two"), claims(), signer="one"), "signature")


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
async def test_sec_036_a_header_that_brings_its_own_key(member):
    """SEC-036: a key in the header, or its address, is neither used nor fetched."""
    value = {
        "jwk": jwk("attacker", kid="one"),
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/cert",
        "x5c": [base64.b64encode(b"certificate").decode()],
    }[member]
    app = AuthorityApp()
    assert await refused(compact(header(**{member: value}), claims(), signer="attacker"), "signature", app)
    assert await refused(compact(header(**{member: value}, kid=ABSENT), claims(), signer="attacker"), "kid", app)
    assert app.hits == {"metadata": 1, "keys": 1}


@pytest.mark.parametrize("value", [[], ["b64"], ["exp"], "exp", None, {}, [5], ["http://example/ext"]])
async def test_sec_042_crit(value):
    """SEC-042: crit with anything in it, or nothing, is refused."""
    assert await refused(compact(header(crit=value), claims()), "crit")


@pytest.mark.parametrize("value", [True, False, None])
async def test_sec_042_b64(value):
    """SEC-042: b64 is refused, with crit and without."""
    assert await refused(compact(header(b64=value), claims()), "crit")
    assert await refused(compact(header(b64=value, crit=["b64"]), claims()), "crit")


def spoilt_forms() -> dict[str, str]:
    good = token()
    head, payload, signature = good.split(".")
    flip = dict(zip("AQgw", "BRhx", strict=True))
    return {
        "padded header": f"{head}=.{payload}.{signature}",
        "padded payload": f"{head}.{payload}==.{signature}",
        "padded signature": f"{good}==",
        "one more segment": f"{good}.",
        "five segments (JWE)": f"{head}.a.b.c.{signature}",
        "two segments": f"{head}.{payload}",
        "empty header": f".{payload}.{signature}",
        "empty payload": f"{head}..{signature}",
        "empty signature": f"{head}.{payload}.",
        "nothing": "",
        "dots": "..",
        "blank in front": f" {good}",
        "newline behind": f"{good}\n",
        "blank within": f"{head}.{payload[:9]} {payload[9:]}.{signature}",
        "newline within": f"{head}.{payload[:9]}\n{payload[9:]}.{signature}",
        "NUL within": f"{head}.{payload[:9]}\0{payload[9:]}.{signature}",
        "standard alphabet": f"{head}.{payload}.{signature.replace('-', '+').replace('_', '/')}+",
        "not ASCII": f"{head}.{payload}.{signature}\u00e9",
        "full-width dots": good.replace(".", "\uff0e"),
        "stray bits": good[:-1] + flip.get(good[-1], "B"),
        "impossible length": f"{head}.{payload}.{signature}AAA",
        "JSON serialisation": json.dumps({"payload": payload, "protected": head, "signature": signature}),
        "Bearer": f"Bearer {good}",
    }


@pytest.mark.parametrize("name", spoilt_forms())
async def test_sec_043_other_ways_to_write_a_token(name):
    """SEC-043: anything but three canonical base64url segments is refused."""
    assert await refused(spoilt_forms()[name], "form")


@pytest.mark.parametrize("forged", [None, b"a.b.c", 5, ["a.b.c"], {}])
async def test_sec_043_what_is_no_text(forged):
    """SEC-043: a token is a text."""
    assert await refused(forged, "form")


GOOD_HEADER = json.dumps(HEADER).encode()
GOOD_CLAIMS = json.dumps(claims()).encode()


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b'{"alg":"RS256","kid":"one","alg":"none"}', GOOD_CLAIMS),
        (b'{"alg":"none","alg":"RS256","kid":"one"}', GOOD_CLAIMS),
        (b'{"alg":"RS256","kid":"two","kid":"one"}', GOOD_CLAIMS),
        (GOOD_HEADER, GOOD_CLAIMS[:-1] + b',"sub":"victim"}'),
        (GOOD_HEADER, GOOD_CLAIMS[:-1] + b',"s\\u0075b":"victim"}'),
        (GOOD_HEADER, GOOD_CLAIMS[:-1] + b',"x":{"a":1,"a":2}}'),
        (GOOD_HEADER.decode().encode("utf-16"), GOOD_CLAIMS),
        (GOOD_HEADER, GOOD_CLAIMS.decode().encode("utf-16")),
        (GOOD_HEADER, GOOD_CLAIMS.decode().encode("utf-16-be")),
        (GOOD_HEADER, GOOD_CLAIMS.decode().encode("utf-32")),
        (GOOD_HEADER, b"\xef\xbb\xbf" + GOOD_CLAIMS),
        (GOOD_HEADER, GOOD_CLAIMS + b"\0"),
        (GOOD_HEADER, GOOD_CLAIMS + b"{}"),
        (GOOD_HEADER, b"[" + GOOD_CLAIMS + b"]"),
        (GOOD_HEADER, b'"text"'),
        (GOOD_HEADER, b"null"),
        (GOOD_HEADER, GOOD_CLAIMS[:-1] + b',"x":"\xff"}'),
        (GOOD_HEADER, GOOD_CLAIMS[:-1] + b',"x":"\\ud800"}'),
        (b"[" + GOOD_HEADER + b"]", GOOD_CLAIMS),
        (GOOD_HEADER + b" x", GOOD_CLAIMS),
    ],
)
async def test_sec_044_json_that_is_not_strict(head, body):
    """SEC-044: UTF-16, duplicate members, trailing bytes and non-objects are refused though the signature is right."""
    assert await refused(compact(head, body), "form")


async def test_sec_045_a_token_of_64_kib_is_read_and_a_longer_one_is_not():
    """SEC-045: more than 64 KiB is refused before decoding."""
    filler = "x" * ((jws.MAX_BYTES - len(token(filler=""))) * 3 // 4 - 3)
    assert len(token(filler=filler)) <= jws.MAX_BYTES
    assert await verifier().verify(token(filler=filler), nonce=NONCE)
    assert await refused(token(filler=filler + "x" * 8), "form: too long")
    assert await refused("a." * 5_000_000, "form: too long")


@pytest.mark.parametrize("deep", [b'{"a":' * 9_000, b'{"a":' + b"[" * 40_000, b"[" * 45_000])
async def test_sec_045_deep_json(deep):
    """SEC-045: nesting without end is our own refusal."""
    assert await refused(compact(GOOD_HEADER, deep), "form")
    assert await refused(compact(deep, GOOD_CLAIMS), "form")


@pytest.mark.parametrize("deep", [b'{"a":' * 100_000, b"[" * 100_000])
def test_sec_045_deep_json_whatever_the_limit(deep):
    """SEC-045: 100 000 levels are our own refusal, not RecursionError, also where longer tokens are allowed."""
    with pytest.raises(TokenRefused, match=r"^form"):
        jws.parse(compact(deep, GOOD_CLAIMS), algorithms=("RS256",), max_bytes=10_000_000)


async def test_sec_033_every_changed_byte_of_the_signature_is_noticed():
    """SEC-033: the signature is verified for every token, and over the whole of it."""
    head, payload, signature = token().split(".")
    changed = base64url(json.dumps(claims(oid="00000000-0000-4000-8000-000000000000")).encode())
    assert await refused(f"{head}.{changed}.{signature}", "signature")
    other_head = base64url(json.dumps(HEADER | {"x": 1}).encode())
    assert await refused(f"{other_head}.{payload}.{signature}", "signature")
    for forged in (b"\0" * 256, b"\xff" * 256, b"\1", b"\0" * 255, b"\0" * 257, b"x" * 512):
        assert await refused(f"{head}.{payload}.{base64url(forged)}", "signature")


async def test_sec_034_a_key_serves_one_algorithm():
    """SEC-034: a key that verifies RS256 does not verify PS256 too, though both are allowed."""
    head = base64url(json.dumps(header(alg="PS256")).encode())
    scheme = padding.PSS(padding.MGF1(SHA256()), 32)
    signature = rsa_key("one").sign(f"{head}.{GOOD_PAYLOAD}".encode(), scheme, SHA256())
    assert await refused(f"{head}.{GOOD_PAYLOAD}.{base64url(signature)}", "key", algorithms=("RS256", "PS256"))


async def test_no_refusal_repeats_the_token():
    """No text of a refusal holds a part of the token or a claim."""
    for forged in (token(aud="wrong-aud"), token(nonce="x"), token(header={"kid": "wrong-kid"}), token() + "="):
        with pytest.raises(TokenRefused) as caught:
            await verifier().verify(forged, nonce=NONCE)
        text = str(caught.value) + repr(caught.value)
        assert not any(part in text for part in (*forged.split("."), NONCE, CLIENT, "wrong-aud", "wrong-kid"))


KEY = KeySet.parse({"keys": [jwk("one")]}).keys["one"]
SEGMENT = st.binary(max_size=60).map(base64url) | st.text(alphabet="AQgw-_+/=. \u00e9", max_size=12)


@given(st.text(max_size=80) | st.tuples(SEGMENT, SEGMENT, SEGMENT).map(".".join))
def test_whatever_the_text_it_is_refused_in_our_own_words(text):
    """Whatever the text, the only exception is TokenRefused, and nothing of it verifies."""
    with pytest.raises(TokenRefused):
        jws.verify(jws.parse(text, algorithms=("RS256",)), KEY, algorithms=("RS256",))


@given(st.integers(0, 10**6), st.characters(codec="utf-8"))
def test_a_token_with_one_character_changed_is_refused(position, character):
    """There is one way only to write a token: no change of a single character goes unnoticed."""
    good = token()
    position %= len(good)
    changed = good[:position] + character + good[position + 1 :]
    if changed != good:
        with pytest.raises(TokenRefused):
            jws.verify(jws.parse(changed, algorithms=("RS256",)), KEY, algorithms=("RS256",))


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x"]), st.none() | st.text() | st.integers()
    )
)
def test_whatever_the_header_it_is_read_or_refused(members):
    """Whatever a header's members, it is read or TokenRefused."""
    with contextlib.suppress(TokenRefused):
        read = jws.parse(compact(members, b"{}"), algorithms=("RS256",))
        assert (read.header.algorithm, read.header.key_id) == ("RS256", members["kid"])
