"""Where fuzzing begins: what is right, and what is known to be treacherous, for each target."""

import json
from typing import Any

from tests.access_authority import api_claims, app_claims
from tests.authority_app import base64url, jwk
from tests.fuzz.targets import MEMBER, signed

HEADER = {"alg": "EdDSA", "kid": "one", "typ": "JWT"}
WORDS = [
    *('"alg"', '"kid"', '"typ"', '"crit"', '"b64"', '"EdDSA"', '"none"', '"one"', '"nonce"', '"jwk"', '"zip"'),
    *('"aud"', '"iss"', '"sub"', '"tid"', '"oid"', '"exp"', '"nbf"', '"iat"', '"azp"', '"scp"', '"roles"', '"idtyp"'),
    *('"keys"', '"kty"', '"crv"', '"use"', '"key_ops"', '"verify"', '"issuer"', '"x5c"', '"RSA"', '"EC"', '"OKP"'),
    *("true", "false", "null", "NaN", "Infinity", "-0", "1e400", "1E-7", "\\u0000", "\\ud800", "\\udc00", "\\u0061"),
    *(
        "\ufeff",
        "\u00e9",
        "\u2028",
        "9" * 30,
        "{}",
        "[]",
        "[[[[",
        '":',
        '",',
        "\\/",
        "\t",
        "\x7f",
        "=",
        "==",
        ".",
        "-_",
    ),
]
"""What libFuzzer puts in here and there."""

ODD_JSON = [
    b"{}",
    b' {"a":1}\n',
    b'{"a":1,"a":1}',
    b'{"a":1,"\\u0061":2}',
    b'{"a":{"b":[1,2.5,-0,1e5,true,false,null,"x"]}}',
    b'{"a":"\\ud83d\\udc22\\ud800"}',
    b'\xef\xbb\xbf{"a":1}',
    b'{"a":1e400}',
    b'{"a":NaN}',
    b'{"a":18446744073709551616,"b":-9223372036854775809}',
    b'{"a":' + b"[" * 200 + b"]" * 200 + b"}",
    b'{"a":"\xff"}',
    b'{"a":"\\/\x7f\xc2\x80"}',
    b'{"a":0.1000000000000000055511151231257827}',
]


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def pair(header: bytes, payload: bytes) -> bytes:
    """Return a header and a payload as the target takes them apart."""
    return len(header).to_bytes(2) + header + payload


HEADERS: list[dict[str, Any]] = [HEADER, HEADER | {"crit": ["b64"], "b64": False}, HEADER | {"typ": 5, "x": [{}]}]
PAYLOADS = [compact(api_claims()), compact(app_claims()), json.dumps(api_claims(), indent=1).encode(), *ODD_JSON]
P256 = {
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
KEY_SETS: list[list[Any]] = [
    [jwk("one")],
    [MEMBER, jwk("one"), {"kty": "EC", "crv": "P-256", "kid": "e", **P256}],
    [jwk("one"), jwk("one", n="AQAB"), jwk("two", alg="RS256", key_ops=["verify"], use=None)],
    [None, 5, "x", {"kty": "oct", "kid": "s", "k": "AAAA"}, MEMBER | {"x": base64url(bytes(32))}, MEMBER],
]
SEEDS: dict[str, list[bytes]] = {
    "token": [pair(compact(HEADER), payload) for payload in PAYLOADS]
    + [pair(compact(header), b'{"sub":"x"}') for header in HEADERS],
    "text": [signed(compact(HEADER), payload).encode() for payload in PAYLOADS[:4]] + [b"..", b"a.b.c", b"e30.e30.e30"],
    "json": [*PAYLOADS, compact(HEADER)],
    "keys": [compact({"keys": members}) for members in KEY_SETS],
}
