"""Example D: an API for customers who sign in with Azure AD B2C, in a browser or with a token, and its documentation.

The settings are the `B2C_*` ones. /auth/login and /auth/callback are Entrada's; ENTRADA_PREFIX is /auth.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Response
from pydantic import BaseModel

from entrada import CurrentUser, Entrada, OptionalUser, Page, User, requires, role

ADMINS = frozenset(os.environ.get("API_ADMINS", "").split())


class Caller(BaseModel):
    """Who calls, and by which way."""

    id: str
    name: str
    email: str | None
    roles: list[str]
    way: str


def with_roles(user: User) -> User:
    """Say who is an administrator: B2C's tokens name no roles, so the application does, by the permanent `sub`."""
    return replace(user, roles=user.roles | {"Admin"}) if user.subject in ADMINS else user


def told(user: User) -> Caller:
    return Caller(id=user.subject, name=user.name, email=user.email, roles=sorted(user.roles), way=user.way)


app = FastAPI(title="Birch Shop", redoc_url=None)
Entrada(provision=with_roles, templates=[Path(__file__).parent / "templates"]).install(app)


@app.get("/", include_in_schema=False)
async def index(page: Page, user: OptionalUser) -> Response:
    """Offer to sign in or, signed in, show who it is and what to try."""
    return page("index.html", user=user)


@app.get("/api/me")
async def me(user: CurrentUser) -> Caller:
    """Who you are."""
    return told(user)


@app.get("/api/admin-only")
async def admin_only(user: Annotated[User, requires(role("Admin"))]) -> Caller:
    """For administrators only."""
    return told(user)
