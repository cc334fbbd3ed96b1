"""Errors of every origin: a page for people, a problem for programs, nothing of the inside for either."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from tests.front_door import AUTH, BASE, FrontDoor, routes, running

PAGE = {"accept": "text/html"}
JSON = {"accept": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/private", 405, "method_not_allowed"),
        ("GET", "/broken", 500, "server_error"),
        ("PUT", "/api/auth/login", 405, "method_not_allowed"),
        ("TRACE", "/api/auth/me", 405, "method_not_allowed"),
        ("GET", "/api/auth/nowhere", 404, "not_found"),
        ("GET", "/api/auth/me", 401, "login_required"),
    ],
)
async def test_both_forms(door: FrontDoor, method: str, path: str, status: int, code: str) -> None:
    """SEC-E, SEC-177, SEC-181: a page or a problem by Accept, each with the number to quote and nothing internal."""
    page = await door.raw(method, f"{BASE}{path}", headers=PAGE)
    problem = await door.raw(method, f"{BASE}{path}", headers=JSON)
    assert (page.status_code, problem.status_code) == (status, status)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-correlation-id"] in page.text
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == code
    assert problem.json()["correlation_id"] == problem.headers["x-correlation-id"]
    for answer in (page, problem):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" in answer.headers
        for inside in ("Traceback", "ValueError", "the words of the exception", "starlette", "/site-packages/"):
            assert inside not in answer.text


async def test_correlation_ids_are_ours(door: FrontDoor) -> None:
    """SEC-177: each request has its own number; one sent along is not taken over."""
    answers = [await door.raw("GET", f"{BASE}/", headers={"x-correlation-id": "mine"}) for _ in range(2)]
    numbers = {answer.headers["x-correlation-id"] for answer in answers}
    assert len(numbers) == 2
    assert "mine" not in numbers


async def test_the_applications_own_words(entra: Entra, tmp_path: Path) -> None:
    """An HTTPException of the application keeps its status, headers and detail in both forms."""

    def build(app: FastAPI) -> None:
        @app.get("/teapot")
        async def teapot() -> None:
            raise HTTPException(418, detail="short and <stout>", headers={"x-tea": "green"})

    async with running(entra, tmp_path, build=build) as door:
        page = await door.raw("GET", f"{BASE}/teapot", headers=PAGE)
        problem = await door.raw("GET", f"{BASE}/teapot", headers=JSON)
    assert (page.status_code, problem.status_code) == (418, 418)
    assert (page.headers["x-tea"], problem.headers["x-tea"]) == ("green", "green")
    assert "short and &lt;stout&gt;" in page.text
    assert problem.json()["detail"] == "short and <stout>"


async def test_the_applications_own_handlers(entra: Entra, tmp_path: Path) -> None:
    """Handlers that the application has registered stay in charge: of HTTPException, and of what nobody foresaw."""
    app = FastAPI()

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("ours", 500)

    @app.exception_handler(StarletteHTTPException)
    async def http(request: Request, error: StarletteHTTPException) -> JSONResponse:
        return JSONResponse({"own": error.detail}, error.status_code)

    async with running(entra, tmp_path, app=app) as door:
        missing = await door.raw("GET", f"{BASE}/nowhere", headers=JSON)
        refused = await door.raw("GET", f"{BASE}/private", headers=JSON)
        broken = await door.raw("GET", f"{BASE}/broken", headers=PAGE)
    assert broken.text == "ours"
    assert missing.json() == {"own": "Not Found"}
    assert refused.status_code == 401
    assert refused.json()["code"] == "login_required"


async def test_a_page_for_a_status_of_the_applications(entra: Entra, tmp_path: Path) -> None:
    """A person reads the application's words; where it has none, ours, and not the status's name twice."""
    raised: dict[str, tuple[int, Any, str]] = {
        "bare": (404, None, "There is nothing at this address."),
        "forbidden": (403, None, "You may not do this."),
        "worded": (404, "No order has this number.", "No order has this number."),
        "document": (418, {"own": "document"}, "I&#39;m a Teapot"),
    }

    def raising(app: FastAPI) -> None:
        @app.get("/refused/{which}")
        async def refused(which: str) -> None:
            raise HTTPException(raised[which][0], raised[which][1])

    async with running(entra, tmp_path, build=raising) as door:
        for which, (status, _, said) in raised.items():
            page = await door.raw("GET", f"{BASE}/refused/{which}", headers=PAGE)
            assert page.status_code == status
            assert f'<p class="lead">{said}</p>' in page.text


async def test_the_process_lives_on(door: FrontDoor) -> None:
    """SEC-180: an unforeseen error is logged once and answered; the next request is served."""
    assert (await door.raw("GET", f"{BASE}/broken", headers=JSON)).status_code == 500
    assert (await door.raw("GET", f"{BASE}/")).status_code == 200


async def test_own_pages_in_place_of_ours(entra: Entra, tmp_path: Path) -> None:
    """Entrada(templates=[…]): a page of the application's directory replaces ours."""
    own = tmp_path / "pages"
    own.mkdir()
    (own / "error.html").write_text("<h1>Our own: {{ title }}</h1>", "utf-8")
    async with running(entra, tmp_path, options={"templates": [own]}, build=routes) as door:
        page = await door.raw("GET", f"{AUTH}/failed", headers=PAGE)
    assert page.text == "<h1>Our own: This sign-in cannot be finished</h1>"


async def test_what_does_not_fit_is_named_and_not_repeated(entra: Entra, tmp_path: Path) -> None:
    """SEC-177: 422 says where and why; what was sent, perhaps a password in the wrong field, stays with its sender."""

    def typed(app: FastAPI) -> None:
        @app.post("/typed/{number}")
        async def typed(number: int, word: Annotated[str, Form(max_length=4)]) -> None: ...

    async with running(entra, tmp_path, build=typed) as door:
        form = {"content-type": "application/x-www-form-urlencoded"}
        answer = await door.raw("POST", f"{BASE}/typed/not-a-number", headers=form, content="word=a-password")
    assert answer.status_code == 422
    assert [(fault["loc"], fault["type"]) for fault in answer.json()["detail"]] == [
        (["path", "number"], "int_parsing"),
        (["body", "word"], "string_too_long"),
    ]
    assert "not-a-number" not in answer.text
    assert "a-password" not in answer.text


async def test_an_applications_own_words_for_what_does_not_fit(entra: Entra, tmp_path: Path) -> None:
    """A handler that the application has registered stays."""
    app = FastAPI(exception_handlers={RequestValidationError: lambda *_: JSONResponse("our own", 418)})

    @app.get("/checked/{number}")
    async def checked(number: int) -> int:
        return number

    async with running(entra, tmp_path, app=app) as door:
        assert (await door.raw("GET", f"{BASE}/checked/x")).status_code == 418
