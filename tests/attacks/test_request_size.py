"""Requests larger, longer or slower than anybody honest sends: refused at their cap, before anything is parsed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import Body, FastAPI, Form, Request
from starlette.types import Message

from tests.front_door import FrontDoor, running
from tests.visitor import HOST, visit

KIB, MIB = 1024, 1024 * 1024
JSON = {"accept": "application/json"}
KIND = JSON | {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def taking(app: FastAPI) -> None:
    @app.post("/json")
    async def as_json(value: Annotated[Any, Body()]) -> dict[str, str]:
        return {"kind": type(value).__name__}

    @app.post("/form")
    async def as_form(a: Annotated[list[str], Form()]) -> dict[str, int]:
        return {"fields": len(a)}

    @app.api_route("/upload/file", methods=["GET", "POST"])
    async def upload(request: Request) -> dict[str, int]:
        return {"length": len(await request.body())}

    @app.get("/seen")
    async def seen(request: Request) -> dict[str, list[str]]:
        return {"names": sorted(request.headers.keys())}

    @app.get("/admin/panel")
    async def panel() -> dict[str, str]:
        return {"panel": "open"}


@pytest.fixture
async def open_door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """Routes that take bodies from anybody."""
    async with running(entra, tmp_path, build=taking, large_bodies="/upload/=3000000", body_seconds=1) as door:
        yield door


async def test_bodies(open_door: FrontDoor) -> None:
    """SEC-157, REL-052: over 1 MiB is 413, told by its length or found while it comes; less is taken."""
    small = await visit(
        open_door.app, "/json", method="POST", headers=JSON, parts=[json.dumps("x" * MIB)[:-200].encode() + b'"']
    )
    assert small.status == 200
    for headers in (
        {"content-length": str(100 * MIB)},
        {"content-length": "9" * 5000},
        {"transfer-encoding": "chunked"},
        {},
    ):
        taken = 0

        def pieces() -> Any:
            nonlocal taken
            for _ in range(100):
                taken += MIB // 4
                yield b"x" * (MIB // 4)

        answer = await visit(open_door.app, "/json", method="POST", headers=JSON | headers, parts=pieces())
        assert (answer.status, json.loads(answer.body)["code"]) == (413, "body_too_large"), headers
        assert answer.headers["connection"] == "close"
        assert taken <= 100 * MIB
    assert (await visit(open_door.app, "/json", method="POST", headers={"content-length": "+5"})).status == 400


async def test_paths_with_a_limit_of_their_own(open_door: FrontDoor) -> None:
    """SEC-157: a path that settings name takes more, a GET with a body is bounded too."""
    for size, status in ((2 * MIB, 200), (4 * MIB, 413)):
        answer = await visit(open_door.app, "/upload/file", method="POST", parts=[b"x" * size])
        assert answer.status == status
    length = {"content-length": str(4 * MIB)}
    assert (await visit(open_door.app, "/upload/file", headers=length, parts=[b"x" * 4 * MIB])).status == 413


async def test_fields(open_door: FrontDoor) -> None:
    """SEC-157, REL-052: ten thousand form fields are refused, in either kind of form; a thousand are taken."""
    few, many = (b"&".join([b"a=b"] * number) for number in (1000, 10_000))
    assert (await visit(open_door.app, "/form", method="POST", headers=FORM, parts=[few])).status == 200
    assert (await visit(open_door.app, "/form", method="POST", headers=JSON | FORM, parts=[many])).status == 413
    parts = (
        b"".join(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' for _ in range(10_000)) + b"--b--\r\n"
    )
    kind = {"content-type": "multipart/form-data; boundary=b"}
    assert (await visit(open_door.app, "/form", method="POST", headers=JSON | kind, parts=[parts])).status in {400, 413}


async def test_deep_json(open_door: FrontDoor) -> None:
    """SEC-157: a hundred thousand brackets are a bad request, and no error of ours."""
    for text in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
        answer = await visit(open_door.app, "/json", method="POST", headers=KIND, parts=[text])
        assert 400 <= answer.status < 500


async def test_heads(open_door: FrontDoor) -> None:
    """SEC-157, REL-052: 64 KiB of headers, many of them, long names, 500 cookies: 431; an address of 1 MiB: 414."""
    cases = {
        "one": [("x-a", "b" * 64 * KIB)],
        "together": [(f"x-{number}", "b" * KIB) for number in range(60)],
        "many": [(f"x-{number}", "b") for number in range(200)],
        "repeated": [("x-a", "b" * KIB)] * 60,
        "name": [("x" * 300, "b")],
        "cookies": [("cookie", "; ".join(f"name{number}={'v' * 40}" for number in range(500)))],
    }
    for name, lines in cases.items():
        answer = await visit(open_door.app, "/seen", headers=[*JSON.items(), *lines])
        assert (answer.status, json.loads(answer.body)["code"]) == (431, "headers_too_large"), name
    for path, query in (("/" + "a" * MIB, b""), ("/seen", b"a" * MIB)):
        answer = await visit(open_door.app, path, query=query, headers=JSON)
        assert (answer.status, json.loads(answer.body)["code"]) == (414, "uri_too_long")
    assert (await visit(open_door.app, "/seen", query=b"a" * 8 * KIB, headers=JSON)).status == 200


async def test_slow_bodies(open_door: FrontDoor) -> None:
    """SEC-158, REL-051: a body that drips is cut with 408 and its connection closed; others are served meanwhile."""
    head: dict[str, Any] = {}

    async def drip() -> Message:
        await asyncio.sleep(0.2)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Message) -> None:
        head.update({"status": message["status"], **dict(message["headers"])} if "status" in message else {})

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "POST",
        "path": "/json", "raw_path": b"/json", "query_string": b"", "root_path": "", "scheme": "https",
        "headers": [(b"host", HOST.encode()), (b"accept", b"application/json")], "client": ("192.0.2.1", 1),
        "server": ("192.0.2.2", 443),
    }  # fmt: skip
    started = time.monotonic()
    slow = asyncio.ensure_future(open_door.app(scope, drip, send))
    assert (await visit(open_door.app, "/seen")).status == 200
    async with asyncio.timeout(60):
        await slow
    assert time.monotonic() - started >= 0.9
    assert (head["status"], head[b"connection"]) == (408, b"close")


IDENTITY = [
    "X-User",
    "X-User-Id",
    "x_user_email",
    "X-Forwarded-User",
    "X_FORWARDED_USER",
    "x-forwarded-email",
    "Remote-User",
    "X-Forwarded-Groups",
    "X-MS-CLIENT-PRINCIPAL",
    "x-ms-client-principal-name",
    "X_MS_CLIENT_PRINCIPAL_ID",
    "X-MS-TOKEN-AAD-ACCESS-TOKEN",
    "X-Auth-Request-User",
    "X-Remote-User",
    "X-Goog-Authenticated-User-Email",
]


async def test_identity_headers_never_arrive(open_door: FrontDoor) -> None:
    """SEC-165: headers that say who somebody is are gone before the application looks, in every way to write them."""
    others = ["accept", "user-agent", "x-request-id", "x-users", "x-forwarded-host", "remote-users"]
    for _ in range(2):  # what was looked at once is remembered
        answer = await visit(open_door.app, "/seen", headers=[(name, "ada") for name in IDENTITY + others])
        assert json.loads(answer.body)["names"] == sorted(["host", *others])


async def test_many_names_do_not_blind_it(open_door: FrontDoor) -> None:
    """SEC-165: whoever fills what is remembered of names gets no identity past it."""
    for number in range(30):
        await visit(open_door.app, "/seen", headers=[(f"x-{number}-{each}", "") for each in range(60)])
    answer = await visit(open_door.app, "/seen", headers={"x-new": "a", "x-forwarded-user": "ada"})
    assert json.loads(answer.body)["names"] == ["host", "x-new"]


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "get", "X" * 100])
async def test_methods(open_door: FrontDoor, method: str) -> None:
    """SEC-166: TRACE and methods that nobody lists are 405 with Allow, whatever the path; nothing says a version."""
    for path in ("/seen", "/nowhere", "/api/auth/login", "/health"):
        answer = await visit(open_door.app, path, method=method, headers=JSON)
        assert answer.status == 405
        assert "allow" in answer.headers
        assert not {"server", "x-powered-by"} & set(answer.headers)


async def test_admin_networks(entra: Entra, tmp_path: Path) -> None:
    """SEC-153: /admin and all below is 403 from outside the networks named, whatever headers say."""
    values = {"admin_networks": "10.20.0.0/16 2001:db8::/32", "trusted_proxies": "10.0.0.1"}
    async with running(entra, tmp_path, build=taking, **values) as door:
        for address, status in (
            ("10.20.3.4", 200),
            ("2001:db8::1", 200),
            ("192.0.2.1", 403),
            ("10.0.0.1", 403),
            (None, 403),
        ):
            answer = await visit(door.app, "/admin/panel", address=address, headers=JSON)
            assert answer.status == status, address
        spoofed = JSON | {"x-forwarded-for": "10.20.3.4"}
        assert (await visit(door.app, "/admin/panel", headers=spoofed)).status == 403
        assert (await visit(door.app, "/admin/panel", address="10.0.0.1", headers=spoofed)).status == 200
        for path, root in (("/admin", ""), ("/api/admin/users", ""), ("/x/admin/panel", "/x"), ("/admin/panel", "/x")):
            assert (await visit(door.app, path, root_path=root, headers=JSON)).status == 403, path
        assert (await visit(door.app, "/administrators", headers=JSON)).status == 404
        assert (await visit(door.app, "/seen", headers=JSON)).status == 200
