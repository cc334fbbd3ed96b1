"""The parts that a request is made of: each beside the floor that nobody can go under, or beside a peer's way."""

import asyncio
import base64
import json
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joserfc.jwt
import jwt as pyjwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc.jwk import RSAKey

from bench import authority_parts, bearer_parts, limit_parts
from bench.signed_in import PERSON, opened
from bench.table import show
from bench.timing import Row, micros, micros_of
from entrada.provider.keys import KeySet
from entrada.provider.tokens import jws
from entrada.provider.tokens.validate import Expected, check
from entrada.sessions.record import SessionRecord, decode, encode
from entrada.sessions.sealing import Sealer

MEMORY = "int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize() / 2**20"
ISSUER = "https://login.microsoftonline.com/9c1b9a9e-0000-4000-8000-000000000002/v2.0"
CLIENT = "9c1b9a9e-0000-4000-8000-000000000003"


def _segment(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _token(private: rsa.RSAPrivateKey, now: int) -> str:
    claims: dict[str, Any] = {"iss": ISSUER, "aud": CLIENT, "iat": now, "nbf": now, "exp": now + 3600, "ver": "2.0"}
    claims |= {"sub": "s" * 43, "oid": PERSON.object_id, "tid": PERSON.tenant_id, "nonce": "n" * 43, "name": "Ada"}
    claims |= {"preferred_username": "ada@contoso.example", "uti": "u" * 22, "rh": "r" * 40, "aio": "a" * 60}
    message = _segment(json.dumps({"typ": "JWT", "alg": "RS256", "kid": "one"}).encode()) + b"."
    message += _segment(json.dumps(claims).encode())
    signature = private.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return (message + b"." + _segment(signature)).decode()


def verification() -> list[Row]:
    """Verify one RS256 ID token with all its claims, beside the bare signature check and two libraries."""
    now = datetime.now(UTC)
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = _token(private, int(now.timestamp()))
    public = private.public_key()
    member = json.loads(pyjwt.algorithms.RSAAlgorithm.to_jwk(public)) | {"kid": "one", "use": "sig"}
    key = KeySet.parse({"keys": [member]}).get("one")
    assert key
    message, _, signature = token.encode().rpartition(b".")
    raw_signature = base64.urlsafe_b64decode(signature + b"==")
    algorithms = ("RS256",)
    expected = Expected(
        issuer=ISSUER, audience=CLIENT, now=now.timestamp(), leeway=60, tenant_id=PERSON.tenant_id, nonce="n" * 43
    )

    def ours() -> None:
        check(jws.verify(jws.parse(token, algorithms=algorithms), key, algorithms=algorithms), expected)

    def with_joserfc() -> None:
        found = joserfc.jwt.decode(token, joserfc_key, algorithms=["RS256"])
        registry.validate(found.claims)

    joserfc_key = RSAKey.import_key(member)
    registry = joserfc.jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": CLIENT}, exp={"essential": True}
    )
    raw = micros(lambda: public.verify(raw_signature, message, padding.PKCS1v15(), hashes.SHA256()))
    times = {
        "raw RS256 signature check (the floor)": raw,
        "Entrada: strict form, signature, every claim": micros(ours),
        "joserfc: signature, iss, aud, exp": micros(with_joserfc),
        "PyJWT: signature, iss, aud, exp": micros(
            lambda: pyjwt.decode(token, public, algorithms=["RS256"], audience=CLIENT, issuer=ISSUER)
        ),
    }
    return [(f"ID token · {name}", f"{spent:.1f}", f"{spent / raw:.2f} × raw") for name, spent in times.items()]


async def session() -> list[Row]:
    """Look a session up on SQLite with decoding, open its tokens, decode its record; beside the usual ways."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(f"sqlite:{folder}/sessions.db", Path(folder)) as desk:
            session_id, found = await desk.sessions.begin(PERSON, tokens=b"t" * 5500)
            look_up = await micros_of(lambda: desk.sessions.load(session_id))
            first = await micros_of(lambda: desk.sessions.by_key(found.key))
            tokens = await micros_of(lambda: desk.sessions.tokens(found))
            ring = desk.ring
    return [
        ("session look-up, SQLite by key, bytes that this worker has verified", f"{look_up:.1f}", ""),
        ("session look-up, SQLite by key, verified and decoded", f"{first:.1f}", ""),
        ("session's tokens, SQLite, opened", f"{tokens:.1f}", ""),
        *_sealing(Sealer(ring)),
        *_records(found.record),
    ]


def _sealing(sealer: Sealer) -> list[Row]:
    plain, fernet = b"t" * 5500, Fernet(Fernet.generate_key())
    sealed = sealer.seal(plain, purpose="session-tokens", bound_to=(b"row", b"person"))
    token = fernet.encrypt(plain)
    ours = micros(lambda: sealer.open(sealed, purpose="session-tokens", bound_to=(b"row", b"person")))
    theirs = micros(lambda: fernet.decrypt(token))
    return [
        ("open sealed tokens (5.5 kB) · Entrada, AES-256-GCM", f"{ours:.1f}", f"{ours / theirs:.2f} × Fernet"),
        ("open sealed tokens (5.5 kB) · Fernet", f"{theirs:.1f}", "1.00 × Fernet"),
    ]


def _records(record: SessionRecord) -> list[Row]:
    data = encode(record)
    text = json.dumps({"user": PERSON.name, "issuer": PERSON.issuer, "facts": {"address": None}, "at": [1, 2, 3, 4]})
    ours, theirs = micros(lambda: decode(data)), micros(lambda: json.loads(text))
    return [
        (f"decode the record ({len(data)} bytes) · Entrada, msgspec to values", f"{ours:.1f}", f"{ours / theirs:.2f}"),
        (f"decode less ({len(text)} bytes) · json to a dict", f"{theirs:.1f}", "1.00 × json"),
    ]


def imports() -> list[Row]:
    """Import the library on top of FastAPI, each in a fresh interpreter."""

    def cost(statement: str) -> tuple[float, float]:
        """Seconds and megabytes that a statement takes when FastAPI is there."""
        code = f"import fastapi, resource, time; t = time.perf_counter(); m = {MEMORY}; {statement}; "
        code += f"print(time.perf_counter() - t, {MEMORY} - m)"
        runs = [
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
            for _ in range(5)
        ]
        seconds, megabytes = (statistics.median(map(float, seen)) for seen in zip(*runs, strict=True))
        return seconds, megabytes

    work = (
        "import entrada",
        "from entrada import Entrada, CurrentUser, api_client",
        "import msal",
        "import sqlalchemy",
    )
    costs = {statement: cost(statement) for statement in work}
    return [
        (f"{statement}, on top of FastAPI", f"{seconds * 1e6:,.0f}", f"{megabytes:.1f} MB")
        for statement, (seconds, megabytes) in costs.items()
    ]


def measure() -> None:
    """Print the table."""
    rows: list[Row] = []
    for part in (
        verification,
        bearer_parts.verification,
        bearer_parts.remembered,
        lambda: asyncio.run(session()),
        authority_parts.held_token,
        authority_parts.emulator,
        limit_parts.decisions,
        imports,
    ):
        print(f"  {len(rows)} rows …", file=sys.stderr)
        rows += part()
    show("Parts (median of rounds)", ("work", "µs", "ratio"), rows)
