"""An administrator of another organisation brings it in, in a real browser between two sites."""

from collections.abc import Mapping

import pytest
from entrada_emulator import seeds

from tests.chromium.emulated import Tenant
from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor

ONBOARDING = f"https://{HOST}/onboarding"


@pytest.fixture(scope="module")
def settings(tenant: Tenant) -> Mapping[str, str]:
    return {
        "AZURE_TENANT_ID": "organizations",
        "AZURE_CLIENT_ID": seeds.MULTI_TENANT_APP,
        "AZURE_CLIENT_SECRET": "emulator-secret-birch-everyone",
        "AZURE_AUTHORITY": f"https://localhost:{tenant.ports.clients}",
        "ENTRADA_ONBOARDING": "consent",
    }


def signs_in(visitor: Visitor, upn: str) -> None:
    """Type a name and a password at the authority."""
    visitor.names_themselves(upn)
    visitor.proves(seeds.PASSWORD)
    visitor.stays("No")


def test_an_administrator_agrees_at_the_second_try(visitor: Visitor) -> None:
    """LOG-12, BEY-2: declined first, then from the start page over the consent and back, signed in and welcome."""
    visitor.goes_to("/onboarding")
    visitor.sees("Bring your organisation in")
    visitor.shows("onboarding-start")
    visitor.presses("Agree at Microsoft")
    signs_in(visitor, "cora@cedar.example")
    visitor.sees("Grant permissions for Cedar Labs?")
    visitor.shows("authority-admin-consent")
    with visitor.expecting("status of 403"):
        visitor.presses("Cancel")
        visitor.sees("Your organisation did not agree")
    visitor.shows("onboarding-declined")
    visitor.presses("Try again")
    visitor.presses("Agree at Microsoft")
    visitor.sees("Grant permissions for Cedar Labs?")
    visitor.presses("Accept")
    visitor.sees("Your organisation is in")
    visitor.shows("onboarding-in")
    assert visitor.page.url.startswith(f"{ONBOARDING}/done?of=")
    visitor.presses("Go to the first page")
    visitor.sees("Hello, Cora Chief")
    assert visitor.page.url == f"https://{HOST}/"


def test_a_member_cannot_agree(visitor: Visitor) -> None:
    """LOG-12: whoever may not agree reads so, and nobody is signed in."""
    visitor.goes_to("/onboarding")
    visitor.presses("Agree at Microsoft")
    signs_in(visitor, "mallory@nettle.example")
    visitor.sees("Need admin approval")
    with visitor.expecting("status of 403"):
        visitor.presses("Return to the application")
        visitor.sees("An administrator has to agree")
    visitor.shows("onboarding-needs-administrator")
