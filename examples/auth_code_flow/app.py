"""Example A: sign in with the authorization-code flow, ask Microsoft Graph, sign out.

/login, /callback and /logout are Entrada's; they are at the root because ENTRADA_PREFIX is empty.
"""

from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Response, status
from fastapi.responses import RedirectResponse

from entrada import ApiClient, CurrentUser, Entrada, OptionalUser, Page, api_client

app = FastAPI(title="Authorization-code flow", openapi_url=None)
Entrada(templates=[Path(__file__).parent / "templates"]).install(app)

Graph = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0/", "User.Read")]


@app.get("/")
async def index(page: Page, user: OptionalUser) -> Response:
    """Offer to sign in or, signed in, show who it is."""
    return page("index.html", user=user)


@app.get("/call-graph")
async def call_graph(page: Page, user: CurrentUser, graph: Graph) -> Response:
    """Ask Graph who this is, with the person's own token, and say where that token came from."""
    answer = await graph.get("me")
    if answer.status_code == status.HTTP_401_UNAUTHORIZED:  # revoked over there, or the emulator was started anew
        return RedirectResponse("/login?return_to=/call-graph")
    return page("graph.html", user=user, answer=answer, source=graph.token_source)
