"""fastapi-azure-auth, unmodified, over TLS: an API that believes the emulator's access tokens alone."""

import ssl
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import ServedEntra
from fastapi import FastAPI, Security
from fastapi_azure_auth.auth import AzureAuthorizationCodeBearerBase
from fastapi_azure_auth.user import User
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, redeem

pytestmark = pytest.mark.peer

ORDERS = ("openid", "profile", f"api://{seeds.API}/access_as_user")


@pytest.fixture
def api(served_entra: ServedEntra) -> Iterator[TestClient]:
    """A client of an API that this library guards; its class for one tenant knows Microsoft's own address only."""
    bearer = AzureAuthorizationCodeBearerBase(
        app_client_id=seeds.API,
        tenant_id=BIRCH,
        scopes={ORDERS[-1]: "as the person"},
        openid_config_url=f"{served_entra.service.public_origin}/{BIRCH}/v2.0/.well-known/openid-configuration",
        http_client_config={
            "verify": ssl.create_default_context(cafile=served_entra.ca_file),
            "trust_env": False,
        },
    )
    app = FastAPI()

    @app.get("/me")
    async def me(user: Annotated[User, Security(bearer, scopes=["access_as_user"])]) -> dict[str, Any]:
        return {"name": user.preferred_username, "tenant": user.tid, "scopes": user.scp}

    with TestClient(app) as client:
        yield client


def got(served: ServedEntra, *scopes: str) -> dict[str, Any]:
    entra = served.entra
    with entra.http_client(served.service.public_origin) as http:
        return dict(redeem(http, entra, entra.code(scopes=scopes), scope=" ".join(scopes)).json())


def test_it_believes_an_access_token_and_nothing_else(served_entra: ServedEntra, api: TestClient) -> None:
    """The API's own token is believed by the published keys; an ID token, Graph's and a spoilt one are refused."""
    answer = got(served_entra, *ORDERS)
    token = answer["access_token"]
    asked = {name: _status(api, bearer) for name, bearer in {
        "its own": token,
        "an ID token": answer["id_token"],
        "for Graph": got(served_entra, "openid", "User.Read")["access_token"],
        "spoilt": token[:-8] + "AAAAAAAA",
    }.items()}  # fmt: skip
    assert asked["its own"] == (200, {"name": "mia@birch.example", "tenant": BIRCH, "scopes": ["access_as_user"]})
    assert {name: status for name, (status, _) in asked.items() if name != "its own"} == {
        "an ID token": 403,
        "for Graph": 403,
        "spoilt": 401,
    }


def _status(api: TestClient, token: str) -> tuple[int, Any]:
    answer = api.get("/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()
