"""A bearer token at the same endpoint: ours remembered, ours verified each time, and the peers, which verify each time.

The authority is an answer in memory: what is measured is the request, not the way to the authority.
"""

import base64
import json
import logging
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fastapi import Depends, FastAPI, HTTPException, Request, Security

from bench.contender import PATH, Prepared
from bench.signed_in import PERSON
from bench.sizes import size
from entrada import BearerUser, Entrada, Settings, bearer_user, keyring
from entrada.provider.tokens.claims_cache import MOST

HOST = "login.microsoftonline.com"
TENANT = str(PERSON.tenant_id)
ISSUER = f"https://{HOST}/{TENANT}/v2.0"
API = "9c1b9a9e-0000-4000-8000-000000000003"
CALLER = "9c1b9a9e-0000-4000-8000-000000000004"
MORE_THAN_ARE_REMEMBERED = size(MOST + 100, 3)

logging.getLogger("entrada").setLevel(logging.CRITICAL)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Return the authority's key, the same for one process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set() -> dict[str, Any]:
    """Return the authority's keys as it publishes them."""
    numbers = signing_key().public_key().public_numbers()
    issuer = f"https://{HOST}/{{tenantid}}/v2.0"
    member = {"kty": "RSA", "use": "sig", "kid": "one", "n": _base64url(numbers.n.to_bytes(256)), "e": "AQAB"}
    return {"keys": [member | {"issuer": issuer}]}


def metadata() -> dict[str, str]:
    """Return the authority's metadata."""
    base = f"https://{HOST}/{TENANT}"
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
    }


class Authority(httpx2.AsyncBaseTransport):
    """Answers for its metadata and keys, and for nothing else."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        document = metadata() if path.endswith("openid-configuration") else key_set() if path.endswith("keys") else None
        body, headers = httpx2.ByteStream(json.dumps(document).encode()), {"content-type": "application/json"}
        return httpx2.Response(404 if document is None else 200, headers=headers, stream=body)


def access_token() -> str:
    """Return an access token as Entra issues it, of about its length; no two are alike."""
    now = int(time.time())
    claims: dict[str, Any] = {"aud": API, "iss": ISSUER, "iat": now, "nbf": now, "exp": now + 3600, "aio": "a" * 60}
    claims |= {"azp": CALLER, "azpacr": "1", "name": "Ada", "oid": PERSON.object_id, "tid": TENANT, "ver": "2.0"}
    claims |= {"preferred_username": "ada@contoso.example", "rh": "r" * 40, "scp": "access_as_user", "sub": "s" * 43}
    claims |= {"uti": uuid.uuid4().hex[:22], "roles": ["Reader"]}
    header = _base64url(json.dumps({"typ": "JWT", "alg": "RS256", "kid": "one"}).encode())
    message = header + "."
    message += _base64url(json.dumps(claims, separators=(",", ":")).encode())
    signature = signing_key().sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{message}.{_base64url(signature)}"


def callers(number: int) -> list[dict[str, str]]:
    """Return the headers of so many callers, each with a token of its own."""
    return [{"authorization": f"Bearer {access_token()}"} for _ in range(number)]


def _ours(folder: str, *, inside: bool = False) -> FastAPI:
    settings = Settings.load(
        tenant_id=TENANT, client_id=API, keys=keyring.generate(), data_dir=Path(folder), store="memory:"
    )
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    Entrada(settings, transport=Authority()).install(app)

    async def hello(user: BearerUser) -> dict[str, str]:
        return {"hello": user.name}

    async def ask(request: Request) -> dict[str, str]:
        return {"hello": (await bearer_user(request)).name}

    app.get(PATH)(ask if inside else hello)
    return app


async def warm(folder: str) -> Prepared:
    """Prepare a client that calls again and again with its token."""
    return Prepared(_ours(folder), callers(1))


async def warm_inside(folder: str) -> Prepared:
    """Prepare the same, asked in the function."""
    return Prepared(_ours(folder, inside=True), callers(1))


async def cold(folder: str) -> Prepared:
    """Prepare more tokens than are remembered, one after another, so that each is verified each time."""
    return Prepared(_ours(folder), callers(MORE_THAN_ARE_REMEMBERED))


async def cold_inside(folder: str) -> Prepared:
    """Prepare the same, asked in the function."""
    return Prepared(_ours(folder, inside=True), callers(MORE_THAN_ARE_REMEMBERED))


async def pyjwt(_folder: str) -> Prepared:
    """Prepare the dependency that is written by hand: PyJWT, the key set held, signature, issuer, audience, expiry."""
    import jwt

    key = jwt.PyJWKSet.from_dict(key_set())["one"]
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def somebody(request: Request) -> dict[str, Any]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer" or jwt.get_unverified_header(token)["kid"] != "one":
                raise HTTPException(401)
            found: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=API, issuer=ISSUER)
        except jwt.InvalidTokenError:
            raise HTTPException(401) from None
        return found

    @app.get(PATH)
    async def hello(claims: Annotated[dict[str, Any], Depends(somebody)]) -> dict[str, str]:
        return {"hello": claims["name"]}

    return Prepared(app, callers(1))


async def azure_auth(_folder: str) -> Prepared:
    """Prepare fastapi-azure-auth with its documents in place, as after its first request."""
    from datetime import datetime, timedelta

    import jwt
    from fastapi_azure_auth import SingleTenantAzureAuthorizationCodeBearer
    from fastapi_azure_auth.user import User as AzureUser

    scheme = SingleTenantAzureAuthorizationCodeBearer(
        app_client_id=API, tenant_id=TENANT, scopes={f"api://{API}/access_as_user": "access_as_user"}
    )
    config = scheme.openid_config
    config.issuer, config.authorization_endpoint = ISSUER, metadata()["authorization_endpoint"]
    config.token_endpoint = metadata()["token_endpoint"]
    config.signing_keys = {"one": jwt.PyJWKSet.from_dict(key_set())["one"].key}
    config._config_timestamp = datetime.now() + timedelta(hours=1)  # noqa: DTZ005 - as the library keeps it
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get(PATH)
    async def hello(user: Annotated[AzureUser, Security(scheme, scopes=["access_as_user"])]) -> dict[str, str]:
        return {"hello": user.name or ""}

    return Prepared(app, callers(1))
