"""A small application for what happens to people in browsers: pages with a form, a service worker, a clock to move."""

import os
from typing import Annotated

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse

from entrada import CsrfToken, CurrentUser, Entrada, OptionalUser
from tests.moved_clock import shared_clock

WORKER = """
addEventListener("install", event => skipWaiting());
addEventListener("activate", event => event.waitUntil(clients.claim()));
addEventListener("fetch", event => event.respondWith((async () => {
  const kept = await caches.match(event.request);
  if (kept) return kept;
  const answer = await fetch(event.request);
  if (event.request.url.includes("/private")) await (await caches.open("v1")).put(event.request, answer.clone());
  return answer;
})()));
"""
STYLE = "<link rel=icon href=data:,>"

app = FastAPI(openapi_url=None)
Entrada(clock=shared_clock(os.environ["PORTAL_CLOCK"])).install(app)
notes: list[tuple[str, str]] = []


@app.get("/")
async def home(user: OptionalUser) -> HTMLResponse:
    who = f"Hello {user.name}" if user else "Who are you?"
    return HTMLResponse(f"<!doctype html>{STYLE}<title>Home</title><h1>{who}</h1><a href=/login>Sign in</a>")


@app.get("/private")
async def private(user: CurrentUser, csrf_token: CsrfToken) -> HTMLResponse:
    field = f'<input type=hidden name=csrf_token value="{csrf_token}">'
    return HTMLResponse(
        f"<!doctype html>{STYLE}<title>Private</title><h1>Private to {user.name}</h1><a href=/public>Onward</a>"
        f"<form method=post action=/note>{field}<input name=text aria-label=Text><button>Save</button></form>"
        f"<form method=post action=/logout>{field}<button>Sign out</button></form>"
    )


@app.post("/note")
async def note(user: CurrentUser, text: Annotated[str, Form()]) -> HTMLResponse:
    notes.append((user.username, text))
    return HTMLResponse(f"<!doctype html>{STYLE}<title>Saved</title><h1>Saved</h1>")


@app.get("/notes")
async def saved() -> list[tuple[str, str]]:
    return notes


@app.get("/public")
async def public(request: Request) -> HTMLResponse:
    """A page for everybody, which leads wherever `to` says and tells the browser to load that ahead of time."""
    to = request.query_params.get("to", "/")
    quoted = to.replace("&", "&amp;").replace('"', "&quot;")
    return HTMLResponse(
        f'<!doctype html>{STYLE}<link rel=prefetch href="{quoted}"><title>Public</title><h1>Public</h1>'
        f'<a href="{quoted}">There</a>'
    )


@app.get("/worker.js")
async def worker() -> Response:
    return Response(WORKER, media_type="text/javascript")
