"""An administrator of another organisation brings it in, in a real browser between two sites."""

from collections.abc import Mapping

import pytest
from entrada_emulator.directory import seeds

from tests.chromium.emulated import Tenant
from tests.chromium.launch import Site
from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor
from tests.command import begin

ANOTHER = "0cce16f1-7f35-4f0e-8d1b-3d8f0b5c4a11"  # an organisation that the settings name
ONBOARDING = f"https://{HOST}/onboarding"


@pytest.fixture(scope="module")
def settings(tenant: Tenant) -> Mapping[str, str]:
    return {
        "AZURE_TENANT_ID": "organizations",
        "AZURE_CLIENT_ID": seeds.MULTI_TENANT_APP,
        "AZURE_CLIENT_SECRET": "emulator-secret-birch-everyone",
        "AZURE_AUTHORITY": f"https://localhost:{tenant.ports.clients}",
        "ENTRADA_ONBOARDING": "consent",
        "ENTRADA_TENANTS": f"{seeds.BIRCH.id} {ANOTHER}",
        "ENTRADA_ADMIN": "true",
        "ENTRADA_CONSOLE": "true",
        "ENTRADA_ADMIN_OPERATORS": seeds.BIRCH.id,
        "ENTRADA_ADMIN_MFA": "false",
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
    visitor.presses("Agree at Microsoft")
    signs_in(visitor, "cora@cedar.example")
    visitor.sees("Grant permissions for Cedar Labs?")
    with visitor.expecting("status of 403"):
        visitor.presses("Cancel")
        visitor.sees("Your organisation did not agree")
    visitor.presses("Try again")
    visitor.presses("Agree at Microsoft")
    visitor.sees("Grant permissions for Cedar Labs?")
    visitor.presses("Accept")
    visitor.sees("Your organisation is in")
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


def promote(site: Site, who: str) -> None:
    """Make somebody an administrator, as an operator does."""
    environment = {
        "AZURE_TENANT_ID": seeds.BIRCH.id,
        "AZURE_CLIENT_ID": seeds.MULTI_TENANT_APP,
        "ENTRADA_DATA_DIR": str(site.home / "data"),
    }
    done = begin("users", "promote", who, cwd=site.home, **environment).done()
    assert done.code == 0, done.said


def test_an_operator_decides_about_organisations(visitor: Visitor, site: Site) -> None:
    """BEY-2: the page of tenants, with some on it, in light, in dark and on a phone; suspended is shown as such."""
    visitor.goes_to("/login")
    signs_in(visitor, "ada@birch.example")
    visitor.sees("Hello, Ada Admin")
    promote(site, "ada@birch.example")
    visitor.goes_to("/admin/tenants")
    visitor.sees("Tenants")
    visitor.page.get_by_text("your own").wait_for()
    visitor.shows("console-tenants-several")
    with visitor.expecting("status of 401"):  # she proves once more that it is her, on the way
        visitor.page.get_by_role("button", name=f"Suspend {ANOTHER}").click()
        visitor.page.get_by_text("Suspended. Nobody of that organisation").wait_for()
    visitor.page.get_by_role("button", name=f"Approve {ANOTHER}").wait_for()
    visitor.shows("console-tenants-suspended")
