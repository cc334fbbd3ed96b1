"""Example B: a page that signs in twice, through this backend with a cookie and by itself with a bearer token."""

import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Response
from fastapi.staticfiles import StaticFiles

from entrada import ApiClient, CurrentUser, Entrada, OptionalUser, Page, SessionUser, User, api_client

HERE = Path(__file__).parent
BUILT = HERE / "front" / "dist"
API = os.environ.get("API_URL", "http://localhost:8001")
SCOPE = os.environ.get("ENTRADA_SCOPES", "")

app = FastAPI(title="BFF and SPA", openapi_url=None)
entrada = Entrada(templates=[HERE / "templates"])
entrada.install(app)
app.mount("/static", StaticFiles(directory=HERE / "static"))
if is_built := BUILT.is_dir():  # without Node it is not
    app.mount("/built", StaticFiles(directory=BUILT))

AUTHORITY = entrada.settings.authority or f"https://login.microsoftonline.com/{entrada.settings.tenant_id}"
ENDPOINTS = os.environ.get("SPA_ENDPOINTS", AUTHORITY)
CLIENT = os.environ.get("SPA_CLIENT_ID", "")
SPA = {"client": CLIENT, "authority": AUTHORITY, "endpoints": ENDPOINTS, "scope": SCOPE, "api": API}
POLICY = f"; connect-src 'self' {API}/ {ENDPOINTS}/; require-trusted-types-for 'script'"
Orders = Annotated[ApiClient, api_client(os.environ.get("API_INSIDE", API), SCOPE)]


@app.get("/")
async def index(page: Page, user: OptionalUser) -> Response:
    """Show both halves."""
    return side_by_side(page, user)


@app.get("/protected")
async def protected(page: Page, user: CurrentUser) -> Response:
    """Show the same to who is signed in by cookie; anybody else is sent to sign in first."""
    return side_by_side(page, user)


@app.get("/protected/orders")
async def orders(_user: SessionUser, api: Orders) -> dict[str, Any]:
    """Ask the resource API with the token that the session keeps, and say where that token came from."""
    answer = await api.get("/protected")
    if not answer.is_success:
        raise HTTPException(502, f"The resource API answered {answer.status_code}.")
    return {"token": api.token_source, "answer": answer.json()}


@app.get("/spa")
async def back(page: Page) -> Response:
    """End the window in which the other half signed in; by MSAL's rule its page keeps the link to its opener."""
    return page("back.html", headers={"cross-origin-opener-policy": "unsafe-none"})


def side_by_side(page: Page, user: User | None) -> Response:
    """Render the page; its scripts may speak with the API and the authority, and it may open a window to sign in."""
    windows = {"cross-origin-opener-policy": "same-origin-allow-popups"}
    answer = page("side_by_side.html", headers=windows, user=user, spa=SPA, built=is_built)
    answer.headers["content-security-policy"] += POLICY
    return answer
