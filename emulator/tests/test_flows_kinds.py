"""EMU-13: every kind of flow is told as what it is: of devices, APIs, daemons, customers, administrators."""

import msal
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests import customers
from emulator.tests.asking import BIRCH, SECRETS, ask, redeem
from emulator.tests.flow_pages import flow, listed, newest
from emulator.tests.sign_in import LOGIN, REDIRECT_URI, person_at
from emulator.tests.test_on_behalf_of import exchange, received


async def test_a_device(entra: Entra, http: TestClient) -> None:
    """Polls are one step, what the person does on another device is between them, the tokens are the end."""
    app = msal.PublicClientApplication(
        seeds.PUBLIC_CLIENT, authority=f"{LOGIN}/{BIRCH}", http_client=http, instance_discovery=False
    )
    device_code = "urn:ietf:params:oauth:grant-type:device_code"
    device = app.initiate_device_flow(["User.Read"])
    poll = {"client_id": seeds.PUBLIC_CLIENT, "device_code": device["device_code"]}
    for _ in range(3):  # as MSAL does, which would wait between
        assert ask(http, grant_type=device_code, **poll).json()["error"] == "authorization_pending"
    assert listed(http)[0].ending == "… Waits for the person"
    person = await person_at(entra).open(f"{LOGIN}/devicelogin")
    await person.press("Next", code=device["user_code"])
    for button in ("Mia Member", "No", "Continue"):
        await person.press(button)
    assert listed(http)[0].ending == "… Waits for the device"
    assert "access_token" in app.acquire_token_by_device_flow(device)
    (line,) = listed(http)
    assert (line.kind, line.who, line.ending) == (
        "Device code",
        "Birch Command Line · mia@birch.example",
        "✓ Tokens issued",
    )
    titles = newest(http).titles
    assert titles[:4] == [
        "Asks for a device code",
        "A code to show and one to poll with",
        "Asks whether the person has signed in",
        "Not yet",
    ]
    assert titles[4] == "Types the device's code"
    assert titles[-4:] == ["Confirms the device", "Page: done", "Asks whether the person has signed in", "Tokens"]
    assert "× 3" in newest(http).text
    assert "<strong>refused</strong>" not in newest(http).html


def test_an_api_on_behalf_of_its_caller(entra: Entra, http: TestClient) -> None:
    """The token that the API was called with is taken apart, and leads back to where it was issued."""
    exchange(http, received(entra, http))
    drawn = newest(http, "On behalf of")
    assert drawn.titles == ["Asks on behalf of its caller", "Tokens"]
    assert "✓ Passed The assertion speaks of a person." in drawn.step("Asks on behalf of its caller").row("assertion")
    assert "The access token that the API was called with" in drawn.text
    assert "Follows from Code redeemed" in drawn.text
    exchange(http, "not.a.token")
    assert "✗ Failed The assertion is signed by a key" in newest(http, "On behalf of").text


def test_an_application_by_itself(http: TestClient) -> None:
    """No person; how the client proved itself is told."""
    daemon = {"client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON]}
    ask(http, grant_type="client_credentials", scope="https://graph.microsoft.com/.default", **daemon)
    (line,) = listed(http)
    assert (line.kind, line.who) == ("Application only", "Birch Night Job")
    assert "By a client secret" in newest(http).step("Asks for a token of its own").text


async def test_customers_and_administrators(entra: Entra, http: TestClient) -> None:
    """A B2C policy is named, refusals have B2C's codes; an administrator's consent has no code to redeem."""
    person = await customers.signed_in(entra)
    assert customers.redeemed(entra, person, code_verifier="x" * 43).status_code == 400
    assert newest(http).text.count("AADB2C90183") >= 1
    customers.redeemed(entra, person)
    assert (listed(http)[0].kind, listed(http)[0].ending) == ("Sign-in · code + PKCE · B2C_1_susi", "✓ Tokens issued")
    assert listed(http)[0].who == f"Birch Shop · {customers.CARLA}"
    asked = {"client_id": seeds.WEB_APP, "redirect_uri": REDIRECT_URI, "scope": "https://graph.microsoft.com/User.Read"}
    administrator = await person_at(entra).open(f"{LOGIN}/{BIRCH}/v2.0/adminconsent", asked)
    for button in ("Ada Admin", "No", "Accept"):
        await administrator.press(button)
    consent = listed(http)[0]
    assert (consent.kind, consent.ending) == ("Consent for an organisation", "✓ Consented")
    assert flow(http, consent.number).titles[-2:][0] == "Redirects back with the organisation's answer"


def test_a_single_page_application(entra: Entra, http: TestClient) -> None:
    """A script redeems the code itself: it is said that a script asked, and that it has no secret."""
    grant = {"client_id": seeds.SPA, "redirect_uri": "http://localhost:3000/redirect.html"}
    code = entra.code(**grant)
    redeem(http, entra, code, **grant, client_secret=None, headers={"Origin": "http://localhost:3000"})
    redeems = newest(http).step("Redeems the code")
    assert "A script in the browser asked" in redeems.text
    assert newest(http).text.count("AADSTS9002325") >= 1
