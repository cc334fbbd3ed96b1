"""Somebody signs out at the authority in a real browser, which tells the application in a frame of another site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from entrada_emulator.directory.seeds import BIRCH, INTRANET

from tests.chromium import sites
from tests.chromium.certificates import certificate_for, trust
from tests.chromium.emulated import Tenant
from tests.chromium.launch import chromium_at
from tests.chromium.visitor import Visitor

HOST = "intranet.birch.example"
SETTINGS = {
    "AZURE_CLIENT_ID": INTRANET,
    "AZURE_CLIENT_SECRET": "emulator-secret-birch-intranet",
    "AZURE_REDIRECT_URI": f"https://{HOST}/api/auth/callback",
    "ENTRADA_PREFIX": "/api/auth",
}


@pytest.fixture
def guest(tenant: Tenant, tmp_path: Path) -> Iterator[Visitor]:
    """A person whose browser finds the example as the application that has a logout URL."""
    ca_file, certificate = certificate_for(HOST, tmp_path)
    trust(tmp_path, ca_file)
    with (
        sites.application(tmp_path, tenant, certificate=certificate, settings=SETTINGS, host=HOST) as port,
        chromium_at(tmp_path, f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{port}") as chromium,
        chromium.new_context(base_url=f"https://{HOST}") as context,
    ):
        visitor = Visitor(context.new_page())
        yield visitor
        assert not visitor.complaints, "\n".join(visitor.complaints)


def test_a_frame_of_the_authority_signs_the_person_out_here(guest: Visitor, tenant: Tenant) -> None:
    """OUT-3, SEC-100, SEC-101: Chromium loads the frame from another site, without cookies, and the session ends."""
    guest.goes_to("/api/auth/login")
    guest.one_click("Mia Member")
    guest.stays()
    guest.sees("Hello, Mia Member")
    with guest.page.expect_response(lambda answer: "/frontchannel-logout?sid=" in answer.url) as told:
        guest.goes_to(f"http://localhost:{tenant.ports.pages}/{BIRCH.id}/oauth2/v2.0/logout")
    assert told.value.status == 200
    assert "cookie" not in told.value.request.all_headers()
    guest.goes_to(f"https://{HOST}/")
    guest.sees("Who are you?")
