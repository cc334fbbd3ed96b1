"""A Cookie header that no honest browser sends costs bounded work, and adopts nothing."""

import pytest

from tests.front_door import AUTH, BASE, SESSION, FrontDoor

HOST = "portal.birch.example"
TRANSACTION = "__Host-entrada-signin-"


async def ask(door: FrontDoor, path: str, cookie: bytes) -> tuple[int, list[bytes]]:
    """Return the status and each Set-Cookie of the answer to this Cookie header."""
    headers = [(b"host", HOST.encode()), (b"cookie", cookie), (b"accept", b"application/json")]
    answer = await door.raw("GET", f"{BASE}{path}", headers=headers)
    return answer.status_code, [value for name, value in answer.headers.raw if name == b"set-cookie"]


@pytest.mark.parametrize("blank", [b"\xa0", b"\x85", b"\x1c", b"\x1f", b"\x0b", b"\x0c"])
async def test_prefix_hidden_behind_a_blank(door: FrontDoor, blank: bytes) -> None:
    """SEC-087, SEC-072: a sibling domain may not set `__Host-…`, but a name with an odd blank before it."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION].encode()
    assert await ask(door, "/api/auth/me", SESSION.encode() + b"=" + session) == (200, [])
    for cookie in (blank + SESSION.encode() + b"=" + session, SESSION.encode() + blank + b"=" + session):
        status, _ = await ask(door, "/api/auth/me", cookie)
        assert status == 401


async def test_endless_name_of_an_attempt(door: FrontDoor) -> None:
    """SEC-086: the name of an attempt that is longer than any of ours is no reason to fail."""
    status, _ = await ask(door, "/api/auth/login", f"{TRANSACTION}{'a' * 5000}=x".encode())
    assert status == 302


@pytest.mark.parametrize("handle", ["é" * 16, "a;b=c\r\nx: y", "a" * 15 + "\xb2", "a b", ""])
async def test_name_that_is_not_echoed(door: FrontDoor, handle: str) -> None:
    """SEC-119: what is not the name of an attempt of ours never comes back in a header."""
    status, cookies = await ask(door, "/api/auth/login", (f"{TRANSACTION}{handle}=x").encode("latin-1"))
    assert status == 302
    assert len(cookies) == 1
    assert b"Max-Age=0" not in cookies[0]


async def test_hundreds_of_attempts(door: FrontDoor) -> None:
    """SEC-086, SEC-022: hundreds of attempts that are not ours are not answered by hundreds of headers."""
    cookie = "; ".join(f"{TRANSACTION}{n:016d}=x" for n in range(390))
    status, cookies = await ask(door, "/api/auth/login", cookie.encode())
    assert status == 302
    assert sum(map(len, cookies)) < 8 * 1024
    assert sum(b"Max-Age=0" in each for each in cookies) >= 10


async def test_hundreds_of_attempts_at_the_callback(door: FrontDoor) -> None:
    """SEC-086: nor do they hide the one that is answered, or cost the callback its answer."""
    cookie = "; ".join(f"{TRANSACTION}{n:016d}=x" for n in range(390))
    answer = await door.raw("GET", f"{AUTH}/callback?state=abc&code=d", headers={"cookie": cookie})
    assert answer.status_code == 400
