"""What every route answers to every kind of caller, with which headers and cookies: changes are reviewed as diffs."""

import re
from collections.abc import Awaitable, Callable

import httpx2

from tests.browser import HTML, Browser
from tests.front_door import AUTH, BASE, SESSION, FrontDoor
from tests.golden.golden import check

ROUTES = [
    ("GET", "/api/auth/login"),
    ("GET", "/api/auth/callback"),
    ("POST", "/api/auth/callback"),
    ("GET", "/api/auth/failed"),
    ("GET", "/api/auth/step-up"),
    ("GET", "/api/auth/step-up?for=invented"),
    ("GET", "/api/auth/resume?of=invented"),
    ("GET", "/api/auth/logout"),
    ("POST", "/api/auth/logout"),
    ("GET", "/api/auth/frontchannel-logout"),
    ("GET", "/api/auth/frontchannel-logout?sid=nobodys"),
    ("POST", "/api/auth/frontchannel-logout"),
    ("POST", "/api/auth/backchannel-logout"),
    ("GET", "/api/auth/me"),
    ("GET", "/api/auth/sessions"),
    ("POST", "/api/auth/sessions/others"),
    ("DELETE", "/api/auth/sessions/others"),
    ("DELETE", "/api/auth/sessions/x"),
    ("GET", "/signed-out"),
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/entrada/static/nothing.css"),
    ("GET", "/"),
    ("GET", "/private"),
    ("POST", "/note"),
    ("POST", "/hook"),
    ("GET", "/nowhere"),
    ("TRACE", "/private"),
]
CHANGING = re.compile(r"(nonce-)[\w-]+|(max-age=)\d+|\b[0-9a-f]{32}\b", re.IGNORECASE)
WIDTH = 54
Caller = Callable[[FrontDoor], Awaitable[dict[str, str]]]


def cookie_of(session: str) -> dict[str, str]:
    return {"cookie": f"{SESSION}={session}"}


async def stranger(_door: FrontDoor) -> dict[str, str]:
    return {"accept": HTML, "sec-fetch-mode": "navigate"}


async def program(_door: FrontDoor) -> dict[str, str]:
    return {"accept": "application/json"}


async def user(door: FrontDoor) -> dict[str, str]:
    return cookie_of(await door.admitted()) | {"accept": HTML, "sec-fetch-mode": "navigate"}


async def user_of_our_page(door: FrontDoor) -> dict[str, str]:
    return cookie_of(await door.admitted()) | {"sec-fetch-site": "same-origin", "x-csrf": "1"}


async def user_of_another_site(door: FrontDoor) -> dict[str, str]:
    return cookie_of(await door.admitted()) | {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}


async def ended(door: FrontDoor) -> dict[str, str]:
    headers = cookie_of(await door.admitted()) | {"accept": "application/json"}
    own = {"sec-fetch-site": "same-origin", "x-csrf": "1"}
    signed_out = await door.raw("POST", f"{AUTH}/logout", headers=headers | own)
    assert signed_out.status_code == httpx2.codes.OK
    return headers


async def bearer(door: FrontDoor) -> dict[str, str]:
    return cookie_of(await door.admitted()) | {"authorization": "Bearer abc", "accept": "application/json"}


CALLERS: dict[str, Caller] = {
    "stranger": stranger,
    "program": program,
    "user": user,
    "user, our page": user_of_our_page,
    "user, other site": user_of_another_site,
    "ended session": ended,
    "session + bearer": bearer,
}


async def ask(door: FrontDoor, method: str, path: str, caller: Caller) -> httpx2.Response:
    """Send one request as this caller; each request has a caller of its own, so that no answer changes the next."""
    return await door.raw(method, BASE + path, headers=await caller(door))


async def test_access(door: FrontDoor) -> None:
    """Every route answers every kind of caller as the table says (SEC-088, SEC-089, SEC-095, SEC-166)."""
    lines = ["route".ljust(WIDTH) + "".join(name.ljust(18) for name in CALLERS)]
    for method, path in ROUTES:
        statuses = [str((await ask(door, method, path, caller)).status_code) for caller in CALLERS.values()]
        lines.append(f"{method} {path}".ljust(WIDTH) + "".join(status.ljust(18) for status in statuses))
    check("tests/golden/access.txt", "\n".join(line.rstrip() for line in lines))


def shown(answer: httpx2.Response) -> str:
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in {"content-length", "date"})
    text = "\n".join(f"    {name}: {value}" for name, value in headers if name != "set-cookie")
    text = re.sub(r"(allow: )(.*)", lambda found: found[1] + ", ".join(sorted(found[2].split(", "))), text)
    text = re.sub(r"(;r|;t)=\d+", r"\1=…", text)
    text = re.sub(r"(location: [^?\n]+)\?.*", r"\1?…", text)
    return CHANGING.sub(lambda match: (match[1] or match[2] or "") + "…", text)


async def test_headers(door: FrontDoor) -> None:
    """Every response carries the protective headers, errors and strangers' pages included (SEC-160 to SEC-166)."""
    blocks = []
    for method, path in ROUTES:
        for name in ("stranger", "user, our page"):
            answer = await ask(door, method, path, CALLERS[name])
            blocks.append(f"{method} {path} ({name}) → {answer.status_code}\n{shown(answer)}")
    check("tests/golden/headers.txt", "\n\n".join(blocks))


async def test_cookies(door: FrontDoor) -> None:
    """Every cookie that is set on the way in and out has the attributes of its purpose (SEC-081 to SEC-083)."""
    browser = door.browser()
    lines: list[str] = []

    def note(step: str) -> None:
        for answer in browser.answers:
            lines.extend(f"{step}: {attributes(cookie)}" for cookie in answer.headers.get_list("set-cookie"))

    await browser.open(f"{BASE}/private")
    note("protected page")
    await browser.press("mia@birch.example")
    await walk_on(browser, note)
    await browser.press("Sign out")
    note("sign-out")
    ours = [line for line in dict.fromkeys(lines) if "entrada" in line]
    check("tests/golden/cookies.txt", "\n".join(ours))


async def walk_on(browser: Browser, note: Callable[[str], None]) -> None:
    for button in ("No", "Accept"):
        await browser.press(button)
        note("callback")


def attributes(cookie: str) -> str:
    name, _, rest = cookie.partition(";")
    name, _, value = name.partition("=")
    name = re.sub(r"(signin-)[\w-]+", r"\1<handle>", name)
    shown_value = "<value>" if value.strip('"') else ""
    return f"{name}={shown_value};{re.sub('expires=[^;]+', 'expires=…', rest, flags=re.IGNORECASE)}"


async def test_the_session_is_the_only_lasting_cookie(door: FrontDoor) -> None:
    """After sign-in the browser holds the session's cookie and the count of visits, and no token (SEC-078)."""
    browser = await door.signed_in()
    answer = await browser.fetch(f"{AUTH}/me")
    assert answer.status_code == 200
    assert all("eyJ" not in value for value in browser.jar.of("portal.birch.example").values())
