"""Example E: an enterprise's backend: people, administration, audit.

/api/auth/*, /api/admin/*, the console at /admin and the page /account are Entrada's.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Response

from entrada import Entrada, OptionalUser, Page, User, requires, role
from examples.month import lay_down

auth = Entrada(templates=[Path(__file__).parent / "templates"])


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Put a month of history into an empty database, so that there is something to look at."""
    await lay_down(auth.settings, administrator="pia@birch.example")
    yield


app = FastAPI(title="Enterprise", lifespan=lifespan, openapi_url=None)
auth.install(app)


@app.get("/")
async def index(page: Page, user: OptionalUser) -> Response:
    """Say who is signed in, and where one can go."""
    return page("index.html", user=user)


@app.get("/reports")
async def reports(page: Page, user: Annotated[User, requires(role("Reports"))]) -> Response:
    """Show what is for holders of a role that administrators grant."""
    return page("reports.html", user=user)
