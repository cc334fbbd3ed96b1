"""Device code: a device shows a code, the person signs in with it elsewhere and confirms, the device polls."""

from datetime import timedelta
from typing import Any

import msal
import pytest
from azure.identity import DeviceCodeCredential
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra, ServedEntra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, ask, claims_of, codes_of
from emulator.tests.person import Person
from emulator.tests.sign_in import LOGIN, person_at
from emulator.tests.test_peers import trusting

PAGE = f"{LOGIN}/devicelogin"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid profile offline_access User.Read"


def begin(http: TestClient, client_id: str = seeds.PUBLIC_CLIENT, scope: str = SCOPE) -> dict[str, Any]:
    form = {"client_id": client_id, "scope": scope}
    body: dict[str, Any] = http.post(f"/{BIRCH}/oauth2/v2.0/devicecode", data=form).json()
    return body


def poll(http: TestClient, device_code: str, **change: Any) -> Any:
    form = {"grant_type": GRANT, "client_id": seeds.PUBLIC_CLIENT, "device_code": device_code}
    return ask(http, **(form | change))


async def typed(entra: Entra, user_code: str) -> Person:
    person = await person_at(entra).open(PAGE)
    return await person.press("Next", code=user_code)


async def approve(person: Person, name: str = "Mia Member") -> None:
    await person.press(f"Sign in as {name}")
    await person.press("No")
    await person.press("Continue")
    assert person.page.title.startswith("You are signed in on your device")


def test_the_answer_says_what_to_show_and_how_to_wait(http: TestClient) -> None:
    """Nine characters to type, the page, fifteen minutes, five seconds; no address with the code in it."""
    body = begin(http)
    assert (len(body["user_code"]), body["expires_in"], body["interval"]) == (9, 900, 5)
    assert body["verification_uri"] == PAGE
    assert body["user_code"] in body["message"]
    assert "verification_uri_complete" not in body


def test_version_1_says_url_and_writes_numbers_as_text(http: TestClient) -> None:
    """`verification_url`, and `expires_in` and `interval` as strings."""
    form = {"client_id": seeds.PUBLIC_CLIENT, "resource": "https://graph.microsoft.com"}
    body = http.post(f"/{BIRCH}/oauth2/devicecode", data=form).json()
    assert (body["verification_url"], body["expires_in"], body["interval"]) == (PAGE, "900", "5")


async def test_the_device_waits_until_the_person_confirmed(entra: Entra, http: TestClient) -> None:
    """Pending until the end of the conversation, then tokens, once."""
    body = begin(http)
    assert (poll(http, body["device_code"]).json()["error"], codes_of(poll(http, body["device_code"]))) == (
        "authorization_pending",
        [70016],
    )
    person = await typed(entra, body["user_code"].lower())
    await person.press("Sign in as Mia Member")
    await person.press("No")
    assert person.sees(body["user_code"])
    assert person.sees("Birch Command Line")
    assert codes_of(poll(http, body["device_code"])) == [70016]
    await person.press("Continue")
    answer = poll(http, body["device_code"]).json()
    assert claims_of(answer["access_token"])["oid"] == entra.user().id
    assert answer["refresh_token"]
    assert codes_of(poll(http, body["device_code"])) == [54005]


async def test_the_short_name_of_the_grant_is_taken(entra: Entra, http: TestClient) -> None:
    """msal-node says `device_code` where the standard has a URN."""
    body = begin(http)
    await approve(await typed(entra, body["user_code"]))
    assert poll(http, body["device_code"], grant_type="device_code").status_code == 200


async def test_the_person_may_refuse(entra: Entra, http: TestClient) -> None:
    """Cancel is told to the device as `authorization_declined`, and the code is worth nothing any more."""
    body = begin(http)
    person = await typed(entra, body["user_code"])
    await person.press("Sign in as Mia Member")
    await person.press("No")
    await person.press("Cancel")
    assert person.sees("The device was not signed in")
    assert poll(http, body["device_code"]).json()["error"] == "authorization_declined"
    again = await typed(entra, body["user_code"])
    assert again.sees("AADSTS70018")


async def test_a_session_is_no_consent_to_a_device(entra: Entra, http: TestClient) -> None:
    """Somebody signed in at this browser is still asked whether the device is theirs."""
    first = begin(http)
    person = await typed(entra, first["user_code"])
    await approve(person)
    second = begin(http)
    await person.open(PAGE)
    await person.press("Next", code=second["user_code"])
    assert person.page.title.startswith("Sign in on another device")
    assert codes_of(poll(http, second["device_code"])) == [70016]


async def test_a_wrong_or_old_code_leads_nowhere(entra: Entra, http: TestClient) -> None:
    """On the page it is a problem with the code; the device hears `expired_token` and `bad_verification_code`."""
    body = begin(http)
    assert (await typed(entra, "WRONGCODE")).sees("That code is not right")
    entra.state.clock.move(timedelta(minutes=15))
    assert (await typed(entra, body["user_code"])).sees("AADSTS70018")
    old = poll(http, body["device_code"])
    assert (old.json()["error"], codes_of(old)) == ("expired_token", [70019])
    assert poll(http, "made-up").json()["error"] == "bad_verification_code"


async def test_a_device_code_belongs_to_its_client(entra: Entra, http: TestClient) -> None:
    """Another application cannot redeem it, and one that is not public needs its secret."""
    body = begin(http)
    await approve(await typed(entra, body["user_code"]))
    other = poll(http, body["device_code"], client_id=seeds.WEB_APP, client_secret=SECRETS[seeds.WEB_APP])
    assert codes_of(other) == [70018]
    web = begin(http, seeds.WEB_APP)
    assert codes_of(poll(http, web["device_code"], client_id=seeds.WEB_APP)) == [7000218]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"scope": SCOPE}, 900144),
        ({"client_id": seeds.PUBLIC_CLIENT}, 900144),
        ({"client_id": seeds.PUBLIC_CLIENT, "scope": "api://nobody/x"}, 500011),
        ({"client_id": "00000000-0000-4000-8000-00000000dead", "scope": SCOPE}, 700038),
    ],
    ids=str,
)
def test_what_a_device_must_ask(http: TestClient, form: dict[str, str], code: int) -> None:
    """Client and scope must be there and known."""
    assert codes_of(http.post(f"/{BIRCH}/oauth2/v2.0/devicecode", data=form)) == [code]


@pytest.mark.peer
async def test_msal_signs_a_device_in(entra: Entra, http: TestClient) -> None:
    """MSAL begins the flow, the person approves, MSAL gets an account and renews silently."""
    app = msal.PublicClientApplication(
        seeds.PUBLIC_CLIENT,
        authority=f"{LOGIN}/{BIRCH}",
        http_client=http,
        instance_discovery=False,
    )
    flow = app.initiate_device_flow(["User.Read"])
    await approve(await typed(entra, flow["user_code"]))
    result = app.acquire_token_by_device_flow(flow)
    assert "error" not in result, result
    (account,) = app.get_accounts()
    assert account["username"] == "mia@birch.example"
    assert app.acquire_token_silent(["User.Read"], account, force_refresh=True)["token_source"] == "identity_provider"


@pytest.mark.peer
def test_azure_identity_signs_a_device_in(served_entra: ServedEntra) -> None:
    """azure-identity's device code credential over TLS: the callback is the person."""
    entra = served_entra.entra

    def person(address: str, user_code: str, _: Any) -> None:
        import anyio

        async def walk() -> None:
            browser = Person({served_entra.service.pages_origin: served_entra.service.app})
            await browser.open(address)
            await browser.press("Next", code=user_code)
            await approve(browser)

        anyio.run(walk)

    credential = DeviceCodeCredential(
        seeds.PUBLIC_CLIENT, tenant_id=BIRCH, prompt_callback=person, **trusting(served_entra)
    )
    with credential:
        assert claims_of(credential.get_token("User.Read").token)["oid"] == entra.user().id
