"""Our own files: long-lived by content, and no way out of their folder."""

import httpx2
import pytest
from starlette.applications import Starlette

from entrada.web.pages.assets import STATIC, assets
from entrada.web.pages.pages import Pages
from entrada.web.routes.static import static_routes


async def get(path: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(Starlette(routes=static_routes()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://app.test") as client:
        return await client.get(path)


async def test_a_file_is_kept_for_a_year_under_the_address_of_its_content() -> None:
    answer = await get(assets()["entrada.css"].url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.content == (STATIC / "entrada.css").read_bytes()


async def test_an_address_of_another_version_is_answered_but_not_kept() -> None:
    answer = await get("/entrada/static/0000000000000000/entrada.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/entrada/static/x/../../pages.py",
        "/entrada/static/x/..%2f..%2fpages.py",
        "/entrada/static/x/%2e%2e%5cpages.py",
        "/entrada/static/x/%00entrada.css",
        "/entrada/static/x//etc/passwd",
        "/entrada/static/x/entrada.css%00.svg",
        "/entrada/static/",
    ],
)
async def test_nothing_else_can_be_read(path: str) -> None:
    assert (await get(path)).status_code == 404


def test_no_page_and_no_style_asks_another_host() -> None:
    """SEC-167: every asset comes from this origin."""
    html = bytes(Pages().sign_in(sign_in="/login").body).decode()
    assert "http" not in html
    assert all(b"url(" not in asset.body and b"@import" not in asset.body for asset in assets().values())
