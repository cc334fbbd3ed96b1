"""No path that anybody writes leads elsewhere than below the address of the upstream (SEC-116, BEY-11)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.web.proxy.paths import below
from tests.proxied import Site

HOSTILE = [
    "/..", "/../", "/../admin", "/7/../../admin", "/./7", "/%2e%2e/admin", "/%2E%2e/admin", "/.%2e/admin",
    "/..%2fadmin", "/..%2Fadmin", "/%2e%2e%2fadmin", "/7%2f..%2f..%2fadmin", "/%252e%252e/admin",
    "/%252e%252e%252fadmin",
    "/%25252e%25252e/admin", "//evil.example/7", "/%2f%2fevil.example", "/7//8", "/\\..\\admin", "/..\\admin",
    "/%5c..%5cadmin", "/..%5cadmin", "/..;/admin", "/..;x=1/admin", "/;/admin", "/7;/..;/..;/admin", "/%2e%2e;/admin",
    "/...", "/..%20/admin", "/%20", "/7%00", "/7%00/../admin", "/%0d%0aHost:%20evil", "/7%09", "/%c0%ae%c0%ae/admin",
    "/%c0%af", "/%e0%80%ae/", "/%ff", "/%", "/%2", "/%zz", "/%2x", "/a{b}", "/a`b", '/a"b', "/<x>",
]  # fmt: skip
PLAIN = [
    "/",
    "/7",
    "/7/",
    "/a.b",
    "/..a",
    "/.well-known",
    "/a..b",
    "/a;v=1",
    "/a%20b",
    "/%C3%A9",
    "/a%2Fb",
    "/@x:y",
    "/a|b[0]",
]


SAME_PREFIX = [
    "/api/%6frders/7", "/api%2Forders/7", "/api/orders%2f7", "/api/orders%2F..%2Fadmin", "/api//orders/7",
    "/x/../api/orders/7", "*", "api/orders/7", "/api/orders%3f", "/api/orders;x/7",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_are_none(path: str) -> None:
    """SEC-116: a step up, an empty segment, a control character or a doubtful encoding is refused, however written."""
    assert below(path.encode()) is None


@pytest.mark.parametrize("path", PLAIN)
def test_plain_paths_go_on_as_they_are(path: str) -> None:
    """What has one reading only is not touched, an encoded slash in an id included."""
    assert below(path.encode()) == path


@given(
    st.lists(st.sampled_from(["..", ".", "%2e", "%2E", "%252e", "/", "%2f", "%5c", "\\", ";", "a", "%20"]), max_size=9)
)
def test_no_reader_sees_a_step(parts: list[str]) -> None:
    """SEC-116: whatever passes has no step in it for a reader who decodes twice and drops parameters and blanks."""
    path = below(("/" + "".join(parts)).encode())
    if path is None:
        return
    seen = path
    for _ in range(3):
        seen = re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), seen)
        segments = [each.partition(";")[0].strip() for each in re.split(r"[/\\]", seen)]
        assert not {".", ".."} & set(segments)
        assert "//" not in seen


async def test_they_reach_nobody(site: Site) -> None:
    """SEC-116: over the wire each is refused in our words, and the API hears nothing of it."""
    told = []
    for path in HOSTILE:
        status, _, _ = await site.raw(f"GET /api/orders{path} HTTP/1.1", "Accept: application/json")
        told.append(status.split()[1])
    assert set(told) <= {"400", "404"}
    assert site.api.seen == []


async def test_other_ways_to_write_the_prefix(site: Site) -> None:
    """SEC-116: a prefix that is encoded, an absolute target of another host, a bare path: none goes anywhere."""
    for target in SAME_PREFIX:
        status, _, _ = await site.raw(f"GET {target} HTTP/1.1", "Accept: application/json")
        assert status.split()[1] in {"400", "404"}, (target, status)
    assert site.api.seen == []
    await site.raw("GET http://evil.example/api/orders/7 HTTP/1.1")
    assert {each.target for each in site.api.seen} <= {"/v1/7"}  # to the upstream of the settings, or to nobody


async def test_smuggling(site: Site) -> None:
    """SEC-158, REL-054: a body that is measured twice, or wrongly, becomes no second request at the API."""
    hidden = b"GET /v1/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    bodies = [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n" + hidden),
        (["Content-Length: 5", "Content-Length: 9"], b"12345" + hidden),
        (["Transfer-Encoding: chunked, identity"], b"0\r\n\r\n" + hidden),
        (["Transfer-Encoding: xchunked"], hidden),
        (["Transfer-Encoding : chunked"], b"0\r\n\r\n" + hidden),
        (["Content-Length: +5"], b"12345" + hidden),
        (["Content-Length: 0"], hidden),
        (["X-A: 1\n\nGET /v1/hidden HTTP/1.1"], b""),
    ]
    for lines, body in bodies:
        await site.raw("POST /api/orders/7 HTTP/1.1", *lines, body=body)
    assert not [each.target for each in site.api.seen if "hidden" in each.target]
