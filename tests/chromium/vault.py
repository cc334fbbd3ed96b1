"""A small application with a payment that wants an authentication context, for walks in a browser."""

from typing import Annotated

from fastapi import FastAPI, Form
from fastapi.responses import HTMLResponse

from entrada import CsrfToken, CurrentUser, Entrada, User, auth_context, mfa, requires

STYLE = '<html lang="en"><meta name="viewport" content="width=device-width"><link rel=icon href=data:,>'
Strong = Annotated[User, requires(auth_context("c1"))]

app = FastAPI(openapi_url=None)
Entrada().install(app)
paid: list[tuple[str, str]] = []


@app.get("/private")
async def private(user: CurrentUser, csrf_token: CsrfToken) -> HTMLResponse:
    return HTMLResponse(
        f"<!doctype html>{STYLE}<title>Private</title><h1>Private to {user.name}</h1>"
        '<form method=post action="/pay?to=Birch%20%26%20Sons">'
        f'<input type=hidden name=csrf_token value="{csrf_token}">'
        "<input name=amount aria-label=Amount><button>Pay</button></form>"
    )


@app.post("/pay")
async def pay(user: Strong, to: str, amount: Annotated[str, Form()]) -> HTMLResponse:
    paid.append((user.name, amount))
    return HTMLResponse(f"<!doctype html>{STYLE}<title>Paid</title><h1>Paid {amount} to {to} {len(paid)}</h1>")


@app.get("/factors")
async def factors(user: Annotated[User, requires(mfa())]) -> HTMLResponse:
    return HTMLResponse(f"<!doctype html>{STYLE}<title>Factors</title><h1>{user.name}</h1>")
