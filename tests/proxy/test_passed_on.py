"""What the browser asks below a proxied path goes to the API behind it, with a token for that API (BEY-11)."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import new_entra
from fastapi import APIRouter, FastAPI

from entrada import proxy
from tests.front_door import SESSION
from tests.journeys.test_downstream import claims_of
from tests.proxied import HOST, SCOPE, Site, fronted, respond, whole


async def test_with_the_callers_token(site: Site) -> None:
    """TOK-6: method, path below the prefix, query and body go on; the token is the person's, for this API."""
    async with site.client() as browser:
        answer = await browser.post("/api/orders/7/lines?a=1&b=%2F%20x&a=2", content=b"two desks")
        assert answer.json() == {"method": "POST", "target": "/v1/7/lines?a=1&b=%2F%20x&a=2", "length": 9}
        assert (await browser.get("/api/orders")).json()["target"] == "/v1"
        assert (await browser.get("/api/orders/")).json()["target"] == "/v1/"
        assert (await browser.get("/api/orders-of-others")).status_code == 404
    (authorization,) = site.api.seen[0].values("authorization")
    claims = claims_of(authorization.removeprefix("Bearer "))
    assert (claims["aud"], claims["scp"]) == (seeds.API, "Orders.Read")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_each_method(site: Site, method: str) -> None:
    """Each method goes on as it is, and a body only if there is one."""
    async with site.client() as browser:
        answer = await browser.request(method, "/api/orders/7")
    assert answer.status_code == 200
    (seen,) = site.api.seen
    assert (seen.method, seen.body) == (method, b"")
    assert seen.values("content-length") in ([], ["0"])
    assert not seen.values("transfer-encoding")
    assert bool(answer.content) == (method != "HEAD")


async def test_what_goes_up(site: Site) -> None:
    """SEC-165, SEC-153: no cookie, no proof of ours, nothing that names somebody or somewhere; we say who asks."""
    given = {
        "X-Csrf": "1", "Origin": f"https://{HOST}", "Referer": f"https://{HOST}/orders?page=2",
        "X-User-Email": "ada@birch.example", "X_Forwarded_User": "ada", "X-Original-URL": "/admin",
        "X-Rewrite-Url": "/admin", "X-HTTP-Method-Override": "DELETE", "X-Real-IP": "10.0.0.1",
        "Forwarded": "for=10.0.0.1", "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": "evil.example",
        "X_Forwarded_Proto": "http", "TE": "trailers", "Keep-Alive": "timeout=5", "X-Of-One-Hop": "1",
        "Proxy-Authorization": "Basic eDp5", "Baggage": "who=ada", "X-Correlation-ID": "theirs",
        "Accept-Language": "de", "If-Match": '"7"', "X-Tenant-Of-Theirs": "kept", "Accept-Encoding": "br",
        "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }  # fmt: skip
    lines = [f"{name}: {value}" for name, value in given.items()]
    status, headers, _ = await site.raw(
        "GET /api/orders/7 HTTP/1.1", *lines, "Connection: X-Of-One-Hop", "Cookie: lang=de; __Host-entrada-device=x"
    )
    assert status == "HTTP/1.1 200 OK"
    (seen,) = site.api.seen
    names = {name for name, _ in seen.headers}
    assert names == {
        "host", "authorization", "accept-language", "if-match", "x-tenant-of-theirs", "accept-encoding", "traceparent",
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix", "x-correlation-id",
    }  # fmt: skip
    told = {name: seen.values(name) for name in names}
    assert told["host"] == [f"127.0.0.1:{site.api_port}"]
    assert told["x-forwarded-for"] == ["127.0.0.1"]
    assert (told["x-forwarded-proto"], told["x-forwarded-host"]) == (["https"], [HOST])
    assert told["x-forwarded-prefix"] == ["/api/orders"]
    assert told["x-correlation-id"] == [headers["x-correlation-id"]] != ["theirs"]
    assert site.session not in str(seen.headers)


async def test_what_comes_back(site: Site) -> None:
    """SEC-160: the answer's own headers stay; what would speak for the whole site is left out, ours is there."""
    dropped = {
        "set-cookie": f"{SESSION}=of-the-api; Path=/", "clear-site-data": '"cookies"', "www-authenticate": "Basic",
        "access-control-allow-origin": "*", "service-worker-allowed": "/", "server": "Kestrel", "x-powered-by": "PHP",
        "content-security-policy": "script-src *", "x-frame-options": "ALLOWALL", "x-accel-redirect": "/etc/passwd",
        "strict-transport-security": "max-age=0", "keep-alive": "timeout=9", "x-of-one-hop": "1", "refresh": "0;url=/",
        "connection": "x-of-one-hop", "expires": "Thu, 01 Jan 2032 00:00:00 GMT", "cdn-cache-control": "max-age=9",
    }  # fmt: skip
    kept = {"etag": '"7"', "x-total": "9", "vary": "accept-language", "retry-after": "3", "content-type": "text/plain"}

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        lines = [*dropped.items(), *kept.items(), ("cache-control", "public, max-age=60")]
        await respond(send, b"busy", *lines, status=429)

    with site.api.answering(answer):
        async with site.client() as browser:
            got = await browser.get("/api/orders/7")
    assert (got.status_code, got.text) == (429, "busy")
    assert kept.items() <= dict(got.headers).items()
    assert not {name for name, value in dropped.items() if value in got.headers.get_list(name)}
    assert got.headers.get_list("cache-control") == ["no-store"]
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in got.headers
    assert len(got.headers.get_list("x-correlation-id")) == 1


async def test_private_caches(site: Site) -> None:
    """SEC-H: what the API lets a private cache keep stays so; anything else is no-store, for a cookie made it."""
    said = iter(["private, max-age=60", "max-age=60", "no-store", "public, s-maxage=9, private-ish"])

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await respond(send, b"body {}", ("content-type", "text/css"), ("cache-control", next(said)))

    with site.api.answering(answer):
        async with site.client() as browser:
            got = [await browser.get("/api/orders/7") for _ in range(4)]
    assert [each.headers["cache-control"] for each in got] == [
        "private, max-age=60",
        "no-store",
        "no-store",
        "no-store",
    ]


SHOWN = [
    "text/html; charset=utf-8",
    "image/svg+xml",
    "application/atom+xml",
    "multipart/x-mixed-replace; boundary=x",
    "",
]


async def test_a_document_is_inert(site: Site) -> None:
    """SEC-161: a page that the API sends is shown, but no script of it runs beside the session; data are no page."""

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        kind = [*SHOWN, "application/json"][int(scope["query_string"])]
        await respond(send, b"<script>steal()</script>", *([("content-type", kind)] if kind else []))

    with site.api.answering(answer):
        async with site.client() as browser:
            *shown, data = [await browser.get(f"/api/orders/note?{number}") for number in range(len(SHOWN) + 1)]
    for got in shown:
        (policy,) = got.headers.get_list("content-security-policy")
        assert {"default-src 'none'", "sandbox", "frame-ancestors 'none'"} == set(policy.split("; "))
    assert "sandbox" not in data.headers["content-security-policy"]
    assert data.headers["x-content-type-options"] == "nosniff"


async def test_compressed_as_it_is(site: Site) -> None:
    """A compressed answer is neither unpacked nor packed here: the same bytes, and the same length."""
    packed = gzip.compress(b"desk " * 1000)

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await respond(send, packed, ("content-encoding", "gzip"), ("content-length", str(len(packed))))

    with site.api.answering(answer):
        status, headers, body = await site.raw("GET /api/orders/7 HTTP/1.1", "Accept-Encoding: gzip")
    assert (status, headers["content-encoding"], body) == ("HTTP/1.1 200 OK", "gzip", packed)


@pytest.mark.parametrize("status", [200, 204, 206, 304, 404, 412])
async def test_the_status_and_its_body(site: Site, status: int) -> None:
    """Answers with no body have none, parts and refusals of the API come as they are."""
    body = b"" if status in {204, 304} else b"part"
    lines = [("content-range", "bytes 0-3/9")] * (status == 206) + [("etag", '"7"')]

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await respond(send, body, *lines, status=status)

    with site.api.answering(answer):
        async with site.client(range="bytes=0-3", if_none_match='"7"') as browser:
            got = await browser.get("/api/orders/7")
    assert (got.status_code, got.content, got.headers["etag"]) == (status, body, '"7"')
    assert got.headers.get("content-range") == ("bytes 0-3/9" if status == 206 else None)
    assert ("cache-control" in got.headers) == (status != 304)
    (seen,) = site.api.seen
    assert (seen.values("range"), seen.values("if-none-match")) == (["bytes=0-3"], ['"7"'])


async def test_where_answers_point(site: Site) -> None:
    """An address of the API is said by our path, another site's stays, and what has no address here is left out."""
    base = f"http://127.0.0.1:{site.api_port}"
    points = {
        f"{base}/v1/8?x=1#y": "/api/orders/8?x=1#y", "8": "/api/orders/8", "/v1": "/api/orders",
        f"{base}/admin": None, "/admin": None, "../admin": None, f"{base}/v1/%2e%2e/admin": None,
        "https://files.birch.example/7": "https://files.birch.example/7", "http://10.0.0.8/x": None,
        "javascript:alert(1)": None, "\\\\evil.example": None,
    }  # fmt: skip

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        given = list(points)[int(scope["query_string"])]
        link = f'<{given}>; rel="next"'
        await respond(send, b"", ("location", given), ("link", link), ("content-type", "text/plain"), status=302)

    with site.api.answering(answer):
        async with site.client() as browser:
            got = [await browser.get(f"/api/orders/7?{number}") for number in range(len(points))]
    assert [each.headers.get("location") for each in got] == list(points.values())
    links = [f'<{said}>; rel="next"' if said else None for said in points.values()]
    assert [each.headers.get("link") for each in got] == links
    assert len(site.api.seen) == len(points)


@pytest.fixture
async def chosen(entra_keys: tuple[SigningKey, ...], tmp_path: Any) -> AsyncIterator[Site]:
    def build(app: FastAPI, to: str) -> None:
        proxy(app, "/api/read", to=to, scopes=[SCOPE], methods=["GET"], cookies={"lang"})
        proxy(app, "/api/read", to=f"{to}/writes", scopes=[SCOPE], methods=["POST"])
        router, inner = APIRouter(prefix="/routed"), FastAPI()
        proxy(router, "/orders", to=f"{to}/v1", scopes=[SCOPE])
        proxy(inner, "/orders", to=f"{to}/v1", scopes=[SCOPE])
        app.include_router(router, prefix="/api")
        app.mount("/mounted", inner)

    async with fronted(new_entra(keys=entra_keys), tmp_path, build) as running:
        yield running


async def test_chosen_cookies_and_methods(chosen: Site) -> None:
    """Named cookies go up and no others; each method has its own upstream, and a method that has none is 405."""
    cookie = f"{SESSION}={chosen.session}; lang=de; theme=dark; {SESSION}-device=x"
    async with chosen.client(cookie=cookie) as browser:
        assert (await browser.get("/api/read/a")).json()["target"] == "/a"
        assert (await browser.post("/api/read/a")).json()["target"] == "/writes/a"
        refused = await browser.delete("/api/read/a")
    assert refused.status_code == 405
    assert [each.values("cookie") for each in chosen.api.seen] == [["lang=de"], []]


@pytest.mark.parametrize("prefix", ["/api/routed/orders", "/mounted/orders"])
async def test_wherever_it_is_put(chosen: Site, prefix: str) -> None:
    """In a router or a mounted application the prefix is the whole of it, for the API and for its addresses."""

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await respond(send, b"", ("location", "/v1/8"), ("content-type", "text/plain"), status=201)

    with chosen.api.answering(answer):
        async with chosen.client() as browser:
            made = await browser.post(f"{prefix}/7?x=1")
    stepped, _, _ = await chosen.raw(f"POST {prefix}/%2e%2e/7 HTTP/1.1", "Content-Length: 0")
    assert (made.status_code, made.headers["location"]) == (201, f"{prefix}/8")
    assert stepped == "HTTP/1.1 400 Bad Request"
    (seen,) = chosen.api.seen
    assert (seen.target, seen.values("x-forwarded-prefix")) == ("/v1/7?x=1", [prefix])


async def test_a_long_body_streams_with_its_length(site: Site) -> None:
    """A body over what is kept goes up with the length it came with, a chunked one chunked, neither with both."""
    content = b"x" * 300_000

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, str(len(await whole(receive))).encode(), ("content-type", "text/plain"))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 50_000):
            yield content[start : start + 50_000]

    with site.api.answering(answer):
        async with site.client() as browser:
            for body in (content, pieces()):
                assert (await browser.post("/api/orders", content=body)).text == "300000"
    lengths = [(each.values("content-length"), each.values("transfer-encoding")) for each in site.api.seen]
    assert lengths == [(["300000"], []), ([], ["chunked"])]
