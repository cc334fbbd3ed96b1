"""To an API over TLS: its certificate is checked, by its name, for requests and for WebSockets (SEC-024)."""

from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus

from entrada import proxy
from tests.chromium.certificates import certificate_for
from tests.proxied import SCOPE, fronted
from tests.proxy.test_sockets import echo, opened


@pytest.mark.parametrize("trusted", [True, False], ids=["ca_file", "strangers"])
async def test_whose_certificate(entra: Entra, tmp_path: Path, *, trusted: bool) -> None:
    """SEC-024: a private authority is trusted by `ca_file`; without it, or under another name, no token is sent."""

    def build(app: FastAPI, to: str) -> None:
        proxy(app, "/api/named", to=to, scopes=[SCOPE], websockets=True)
        proxy(app, "/api/other", to=to.replace("localhost", "127.0.0.1"), scopes=[SCOPE], websockets=True)

    ca_file, certificate = certificate_for("localhost", tmp_path)
    values = {"ca_file": ca_file} if trusted else {}
    async with fronted(entra, tmp_path, build, certificate=certificate, **values) as site:
        site.api.websocket = echo
        async with site.client() as browser:
            statuses = [(await browser.get(f"/api/{each}/7")).status_code for each in ("named", "other")]
        assert statuses == [200 if trusted else 502, 502]
        if trusted:
            async with opened(site, "/api/named") as socket:
                await socket.send("here")
                assert await socket.recv() == "here"
        for path in ("/api/other", *([] if trusted else ["/api/named"])):
            with pytest.raises(InvalidStatus) as refused:
                async with opened(site, path):
                    pass
            assert refused.value.response.status_code == 502
    assert len(site.api.seen) == (2 if trusted else 0)
