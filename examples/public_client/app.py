"""Example C: one application that is a public or a confidential client, by one setting: AZURE_CLIENT_SECRET.

The sign-in routes are Entrada's, under /auth. A feature is a module with a router, such as `calculator`.
"""

from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse

from entrada import Entrada, OptionalUser, Page

from . import calculator

app = FastAPI(title="Calculator", openapi_url=None)
entrada = Entrada(templates=[Path(__file__).parent / "templates"])
entrada.install(app)
app.include_router(calculator.router)


@app.get("/")
async def index(page: Page, user: OptionalUser) -> Response:
    """Say who is signed in, and what kind of client this is."""
    return page("index.html", user=user, secret=entrada.settings.client_secret is not None)


@app.get("/login")
async def login(page: Page, user: OptionalUser) -> Response:
    """Offer to sign in; who is signed in has nothing to do here."""
    return RedirectResponse("/") if user else page("login.html")


@app.get("/auth/microsoft")
async def microsoft() -> Response:
    """Begin to sign in, under the address that people have bookmarked."""
    return RedirectResponse("/auth/login?return_to=/")


@app.get("/logout")
async def logout(page: Page, user: OptionalUser) -> Response:
    """Ask before signing out: only a form that carries the session's token ends it."""
    return page("logout.html", user=user) if user else RedirectResponse("/login")
