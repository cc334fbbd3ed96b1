"""The protective headers: on every response, weaker only where the application says so itself."""

import re
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from entrada.web.middleware.headers import HeaderRules, HeadersMiddleware, csp_nonce
from entrada.web.pages.content_policy import ContentPolicy
from entrada.web.routes.static import static_routes
from tests.front_door import BASE, running

COOKIE = "__Host-entrada"
AUTHORITY = "https://login.microsoftonline.com"


def rules(**changes: object) -> HeaderRules:
    given = {
        "policy": ContentPolicy([AUTHORITY]),
        "https": True,
        "session_cookie": COOKIE.encode(),
        "auth_paths": ("/api/auth/", "/signed-out"),
        "documentation": frozenset({"/docs", "/redoc"}),
    } | changes
    return HeaderRules(**given)


def application(**own: str) -> FastAPI:
    """An application whose every kind of answer carries the headers in `own`."""
    app = FastAPI(routes=static_routes())
    kinds: Mapping[str, Response] = {
        "html": HTMLResponse("<p>hello", headers=own),
        "json": JSONResponse({}, headers=own),
        "text": PlainTextResponse("hello", headers=own),
        "away": RedirectResponse("/html", headers=own),
        "empty": Response(status_code=204, headers=own),
        "unchanged": Response(status_code=304, headers=own),
        "style": Response("a{}", media_type="text/css", headers=own),
        "image": Response("<svg/>", media_type="image/svg+xml", headers=own),
    }

    @app.get("/kind/{name}")
    @app.get("/api/auth/{name}")
    async def kind(name: str) -> Response:
        return kinds[name]

    @app.get("/inline")
    async def inline(request: Request) -> HTMLResponse:
        return HTMLResponse(f'<script nonce="{csp_nonce(request)}"></script><i data-n="{csp_nonce(request)}">')

    return app


async def get(
    path: str, *, app: FastAPI | None = None, carried: dict[str, str] | None = None, **changes: object
) -> httpx2.Response:
    layer = HeadersMiddleware(app or application(), rules=rules(**changes))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(layer), base_url="https://app.test") as client:
        return await client.get(path, headers=carried)


EVERYWHERE = ["html", "json", "text", "away", "empty", "style", "image"]


@pytest.mark.parametrize(
    "path",
    [
        *(f"/kind/{name}" for name in EVERYWHERE),
        "/nothing-here",
        "/kind/html?x=1",
        "/entrada/static/x/entrada.css",
        "/docs",
    ],
)
async def test_every_response_is_protected(path: str) -> None:
    """SEC-160: also an unknown path, a redirect, a file of ours and FastAPI's own page."""
    headers = (await get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/kind/html", "/kind/image", "/kind/away", "/kind/empty", "/docs"])
async def test_whatever_a_browser_may_show_as_a_page_says_what_pages_may(path: str) -> None:
    """SEC-162: an SVG, a redirect and an answer that does not say what it is too; JSON goes without (0324)."""
    headers = (await get(path)).headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert (
        not {"x-frame-options", "cross-origin-opener-policy", "permissions-policy"}
        & (await get("/kind/json")).headers.keys()
    )


async def test_no_header_is_sent_twice_and_a_kept_response_object_does_not_grow() -> None:
    app = application()
    for _ in range(3):
        headers = (await get("/kind/json", app=app)).headers
    names = [name.lower() for name, _ in headers.multi_items()]
    assert len(names) == len(set(names))


async def test_hsts_is_sent_by_configuration_and_never_over_http() -> None:
    """SEC-164: what the request says of itself decides nothing."""
    carried = {"x-forwarded-proto": "https"}
    assert "strict-transport-security" not in (await get("/kind/html", https=False, carried=carried)).headers


async def test_a_page_without_a_policy_gets_one_that_runs_no_foreign_or_inline_script() -> None:
    """SEC-161: default-src 'self', no plug-in, no base, forms to self and the authority only."""
    for name in ("html", "image", "away"):
        policy = (await get(f"/kind/{name}")).headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; ")
        assert "object-src 'none'" in policy
        assert "base-uri 'none'" in policy
        assert f"form-action 'self' {AUTHORITY};" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
    assert (await get("/kind/json")).headers["content-security-policy"] == "frame-ancestors 'none'"


async def test_a_page_may_ask_for_a_nonce_and_has_the_same_one_throughout() -> None:
    first, second = [await get("/inline") for _ in range(2)]
    nonces = [set(re.findall(r'(?:nonce|data-n)="([^"]+)"', page.text)) for page in (first, second)]
    assert len(nonces[0]) == 1
    assert nonces[0] != nonces[1]
    policy = first.headers["content-security-policy"]
    assert f"script-src 'self' 'nonce-{nonces[0].pop()}'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_forms_may_lead_to_an_address_that_is_learnt_later() -> None:
    """The sign-out address is known only once the authority's metadata has been read."""
    policy = ContentPolicy()
    layer = HeadersMiddleware(application(), rules=rules(policy=policy))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(layer), base_url="https://app.test") as client:
        assert "form-action 'self';" in (await client.get("/kind/html")).headers["content-security-policy"]
        policy.allow_forms_to("https://login.contoso.com/logout?x=1")
        later = (await client.get("/kind/html")).headers["content-security-policy"]
    assert "form-action 'self' https://login.contoso.com;" in later


async def test_the_documentation_page_works_in_development_and_only_there() -> None:
    """SEC-186: FastAPI's page loads a script from elsewhere; with no path excepted it gets the policy of any other."""
    relaxed = (await get("/docs")).headers["content-security-policy"]
    assert "default-src" not in relaxed
    assert "frame-ancestors 'none'" in relaxed
    assert "object-src 'none'" in relaxed
    assert "default-src 'self'" in (await get("/docs", documentation=frozenset())).headers["content-security-policy"]


@pytest.mark.parametrize("name", ["html", "json", "image", "empty"])
@pytest.mark.parametrize("carried", [{"cookie": f"a=b; {COOKIE}=abc"}, {"authorization": "Bearer abc"}])
async def test_an_answer_to_somebody_is_not_kept(name: str, carried: dict[str, str]) -> None:
    assert (await get(f"/kind/{name}", carried=carried)).headers["cache-control"] == "no-store"
    assert "cache-control" not in (await get(f"/kind/{name}", carried={"cookie": "other=1"})).headers


async def test_a_session_in_a_second_cookie_header_is_seen_too() -> None:
    """HTTP/2 lets a client split its cookies over several headers."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    headers = [(b"cookie", f"{COOKIE}=abc".encode()), (b"cookie", b"other=1")]
    await HeadersMiddleware(inner, rules=rules())({"type": "http", "path": "/", "headers": headers}, receive, send)
    assert (b"cache-control", b"no-store") in sent[0]["headers"]


async def test_what_a_page_is_made_of_may_be_kept_although_somebody_is_signed_in() -> None:
    assert "cache-control" not in (await get("/kind/style", carried={"cookie": f"{COOKIE}=abc"})).headers


async def test_the_routes_of_signing_in_are_never_kept_and_name_no_referrer() -> None:
    for name in EVERYWHERE:
        headers = (await get(f"/api/auth/{name}")).headers
        assert headers["referrer-policy"] == "no-referrer"
        if name != "style":
            assert headers["cache-control"] == "no-store"
    assert (await get("/signed-out")).headers["cache-control"] == "no-store"


async def test_an_unchanged_page_keeps_the_policy_it_came_with() -> None:
    """The headers of a 304 replace those that the browser has kept."""
    headers = (await get("/kind/unchanged", carried={"cookie": f"{COOKIE}=abc"})).headers
    assert "content-security-policy" not in headers
    assert "cache-control" not in headers
    assert headers["x-content-type-options"] == "nosniff"


async def test_what_the_application_set_itself_stays() -> None:
    own = {
        "referrer-policy": "same-origin",
        "cache-control": "max-age=60",
        "permissions-policy": "geolocation=(self)",
        "cross-origin-resource-policy": "cross-origin",
        "content-security-policy": "default-src 'self'; frame-ancestors https://partner.test",
    }
    headers = (await get("/kind/html", app=application(**own), carried={"cookie": f"{COOKIE}=abc"})).headers
    assert {name: headers[name] for name in own} == own
    assert "x-frame-options" not in headers


async def test_nosniff_is_not_for_the_application_to_weaken() -> None:
    headers = (await get("/kind/html", app=application(**{"x-content-type-options": "sniff-away"}))).headers
    assert headers.get_list("x-content-type-options") == ["nosniff"]


async def test_a_policy_that_forgets_framing_is_completed() -> None:
    own = {"content-security-policy": "default-src *"}
    headers = (await get("/kind/html", app=application(**own))).headers
    assert headers.get_list("content-security-policy") == ["default-src *", "frame-ancestors 'none'"]
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("frame", "ancestors"), [("SAMEORIGIN", "'self'"), ("DENY", "'none'"), ("sameorigin", "'self'")]
)
async def test_framing_by_the_application_itself_is_possible(frame: str, ancestors: str) -> None:
    headers = (await get("/kind/html", app=application(**{"x-frame-options": frame}))).headers
    assert headers["x-frame-options"] == frame
    assert f"frame-ancestors {ancestors}" in headers["content-security-policy"]


async def test_many_types_of_content_take_bounded_memory_and_all_are_protected() -> None:
    app = FastAPI()

    @app.get("/{number}")
    async def any_type(number: int) -> Response:
        return Response("x", headers={"content-type": f"application/x-{number}"})

    layer = HeadersMiddleware(app, rules=rules())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(layer), base_url="https://app.test") as client:
        answers = [(await client.get(f"/{number}")).headers for number in range(200)]
    assert all(headers["x-content-type-options"] == "nosniff" for headers in answers)
    assert len(layer._ready) <= 64


def with_page(app: FastAPI) -> None:
    @app.get("/page")
    async def page() -> HTMLResponse:
        return HTMLResponse("<form></form>")


async def test_the_authority_in_form_action_while_it_is_down(entra: Entra, tmp_path: Path) -> None:
    """SEC-161: its origin is there also when its metadata came late, or has not come yet."""
    entra.state.faults.add(Fault(endpoint="metadata", kind="status", times=1))
    async with running(entra, tmp_path, build=with_page) as door:
        answer = await door.raw("GET", f"{BASE}/page", headers={"accept": "text/html"})
        assert f"form-action 'self' {AUTHORITY};" in answer.headers["content-security-policy"]
