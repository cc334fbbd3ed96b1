"""B2C user flows: sign-in and sign-up, password reset, profile, cancel, as a customer and an application meet them."""

from datetime import timedelta

import pytest
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.directory.seeds import PASSWORD
from entrada_emulator.pytest_plugin import Entra

from emulator.tests.asking import claims_of
from emulator.tests.customers import CARLA, at, customer, opened, redeemed, refused, signed_in, verified
from emulator.tests.sign_in import arrival_of


async def test_a_customer_signs_in(entra: Entra) -> None:
    """Address and password lead to a code, and the code to B2C's claims."""
    person = await opened(entra)
    assert person.page.title.startswith("Sign in")
    await person.press("Sign in", email="CARLA@customer.example", password=PASSWORD)
    arrival = arrival_of(person)
    assert arrival.fields["state"] == "s-1"
    claims = claims_of(redeemed(entra, person).json()["id_token"])
    assert (claims["emails"], claims["tfp"], claims["extension_LoyaltyId"]) == ([CARLA], "B2C_1_susi", "B-1001")
    assert (claims["sub"], claims["nonce"], claims["ver"]) == (claims["oid"], "n-1", "1.0")
    assert not {"tid", "preferred_username", "upn", "roles", "groups", "newUser"} & set(claims)


async def test_a_wrong_password_and_a_stranger_read_the_same(entra: Entra) -> None:
    """The page does not say which of the two was wrong."""
    person = await opened(entra)
    await person.press("Sign in", email=CARLA, password="wrong")
    first = person.page.text
    await person.press("Sign in", email="nobody@customer.example", password="wrong")
    assert "Invalid username or password." in first
    assert "Invalid username or password." in person.page.text
    await person.press("Sign in", email="luis@customer.example", password=PASSWORD)
    assert person.sees("Your account has been locked.")


async def test_ten_wrong_passwords_lock_the_account(entra: Entra) -> None:
    """After ten not even the right one is taken."""
    person = await opened(entra)
    for _ in range(10):
        await person.press("Sign in", email=CARLA, password="wrong")
    await person.press("Sign in", email=CARLA, password=PASSWORD)
    assert person.sees("temporarily locked")


@pytest.mark.parametrize("policy", ["B2C_1_susi", "B2C_1_signup"])
async def test_a_customer_signs_up(entra: Entra, policy: str) -> None:
    """Address proved by a mailed code, password twice, name; `newUser` once, and the account is there to stay."""
    person = await opened(entra, policy)
    if policy == "B2C_1_susi":
        await person.press("Sign up now")
    await verified(person, "nina@customer.example")
    await person.press(
        "Create", password="long-enough", repeated="long-enough", display_name="Nina New", given_name="Nina"
    )
    claims = claims_of(redeemed(entra, person, policy).json()["id_token"])
    assert (claims["newUser"], claims["name"], claims["given_name"]) == (True, "Nina New", "Nina")
    assert claims["emails"] == ["nina@customer.example"]
    again = await opened(entra)
    await again.press("Sign in", email="nina@customer.example", password="long-enough")
    later = claims_of(redeemed(entra, again).json()["id_token"])
    assert later["sub"] == claims["sub"]
    assert "newUser" not in later


async def test_signing_up_needs_a_free_address_and_a_good_password(entra: Entra) -> None:
    """A taken address, a short password, two different ones and an empty name are told on the page."""
    person = await opened(entra, "B2C_1_signup")
    await person.press("Send verification code", email="not-an-address")
    assert person.sees("Please enter a valid email address.")
    await verified(person, CARLA)
    assert person.sees("A user with the specified ID already exists.")
    await verified(person, "nina@customer.example")
    for password, repeated, name, told in (
        ("short", "short", "Nina", "at least 8 characters"),
        ("long-enough", "otherwise", "Nina", "do not match"),
        ("long-enough", "long-enough", " ", "Please enter a display name."),
    ):
        await person.press("Create", password=password, repeated=repeated, display_name=name, surname="New")
        assert person.sees(told)
        assert 'value="New"' in person.page.html
        assert password not in person.page.html


async def test_a_mailed_code_can_be_guessed_five_times(entra: Entra) -> None:
    """Then it is worth nothing, not even the right one; a new code replaces the old one."""
    person = await opened(entra, "B2C_1_signup")
    await person.press("Send verification code", email="nina@customer.example")
    wrong = "000000" if "Code: 000000" not in person.page.text else "111111"
    for _ in range(4):
        await person.press("Verify code", code=wrong)
        assert person.sees("That code is incorrect.")
    await person.press("Verify code", code=wrong)
    assert person.sees("too many incorrect attempts")
    assert person.page.title.startswith("Error: Sign up")


async def test_a_forgotten_password_is_told_to_the_application(entra: Entra) -> None:
    """AADB2C90118 with its three lines and trailing CRLF; the application then starts the reset policy."""
    person = await opened(entra)
    await person.press("Forgot your password?")
    assert refused(person) == ("access_denied", "AADB2C90118")
    fields = arrival_of(person).fields
    text, correlation, at_time, end = fields["error_description"].split("\r\n")
    assert text == "AADB2C90118: The user has forgotten their password."
    assert correlation.startswith("Correlation ID: ")
    assert at_time.startswith("Timestamp: ")
    assert end == ""
    assert set(fields) == {"error", "error_description", "state"}


@pytest.mark.parametrize("policy", ["B2C_1_reset", "B2C_1_susi_reset"])
async def test_a_password_is_reset(entra: Entra, policy: str) -> None:
    """By the policy made for it, and within the flow that embeds it; then the new password counts and the old not."""
    person = await opened(entra, policy)
    if policy == "B2C_1_susi_reset":
        await person.press("Forgot your password?")
    await verified(person, CARLA)
    await person.press("Continue", password="a-new-password", repeated="a-new-password")
    assert claims_of(redeemed(entra, person, policy).json()["id_token"])["emails"] == [CARLA]
    again = await opened(entra)
    await again.press("Sign in", email=CARLA, password=PASSWORD)
    assert again.sees("Invalid username or password.")
    await again.press("Sign in", email=CARLA, password="a-new-password")
    assert "code" in arrival_of(again).fields


async def test_a_reset_needs_an_account(entra: Entra) -> None:
    """Only after the address was proved does the page say that it belongs to nobody."""
    person = await opened(entra, "B2C_1_reset")
    await verified(person, "nobody@customer.example")
    assert person.sees("An account could not be found")


async def test_a_profile_is_edited(entra: Entra) -> None:
    """Who is signed in comes to the form at once, and the new name is in the next token."""
    person = await signed_in(entra)
    await opened(entra, "B2C_1_edit", person)
    assert person.page.title.startswith("Edit your profile")
    await person.press("Continue", display_name="Carla C.", surname="C.")
    claims = claims_of(redeemed(entra, person, "B2C_1_edit").json()["id_token"])
    assert (claims["name"], claims["family_name"], claims["tfp"]) == ("Carla C.", "C.", "B2C_1_edit")


@pytest.mark.parametrize("policy", ["B2C_1_susi", "B2C_1_signup", "B2C_1_reset", "B2C_1_edit"])
async def test_every_flow_can_be_cancelled(entra: Entra, policy: str) -> None:
    """AADB2C90091 as access_denied, and the page is over."""
    person = await opened(entra, policy)
    page = person.page.url
    await person.press("Cancel")
    assert refused(person) == ("access_denied", "AADB2C90091")
    await person.open(page)
    assert not person.sees("Code: ")


async def test_single_sign_on_spans_the_policies_of_a_tenant(entra: Entra) -> None:
    """Signed in once, the next policy answers silently; `prompt=login` asks again; employees' pages see nothing."""
    person = await signed_in(entra)
    await opened(entra, "B2C_1_signin", person, prompt="none")
    assert "code" in arrival_of(person).fields
    await opened(entra, "B2C_1_susi", person, prompt="login")
    assert person.page.title.startswith("Sign in")
    stranger = await opened(entra, prompt="none")
    assert refused(stranger) == ("interaction_required", "AADB2C90077")


async def test_max_age_asks_again(entra: Entra) -> None:
    """A session that is older is no answer: the customer is asked, or with `prompt=none` the application told 90121."""
    person = await signed_in(entra)
    first = claims_of(redeemed(entra, person).json()["id_token"])["auth_time"]
    entra.state.clock.move(timedelta(minutes=10))
    await opened(entra, "B2C_1_susi", person, max_age="900", prompt="none")
    assert "code" in arrival_of(person).fields
    await opened(entra, "B2C_1_susi", person, max_age="300", prompt="none")
    assert refused(person) == ("interaction_required", "AADB2C90121")
    await opened(entra, "B2C_1_susi", person, max_age="300")
    again = redeemed(entra, await person.press("Carla Customer")).json()["id_token"]
    assert claims_of(again)["auth_time"] - first in range(600, 660)


async def test_signing_out_ends_the_session(entra: Entra) -> None:
    """The customer is led back to a registered address with the state, and is unknown afterwards."""
    person = await signed_in(entra)
    leave = {"post_logout_redirect_uri": "http://localhost:8000/signed-out", "state": "bye"}
    await person.open(at("B2C_1_susi", "/oauth2/v2.0/logout"), leave)
    assert arrival_of(person).url == "http://localhost:8000/signed-out?state=bye"
    await opened(entra, "B2C_1_susi", person, prompt="none")
    assert refused(person) == ("interaction_required", "AADB2C90077")
    await person.open(
        at("B2C_1_susi", "/oauth2/v2.0/logout"), {"post_logout_redirect_uri": "https://stranger.example/"}
    )
    assert person.sees("You are signed out")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"response_type": "token"}, "AADB2C90013"),
        ({"response_mode": "pigeon"}, "AADB2C90014"),
        ({"scope": ""}, "AADB2C90010"),
        ({"scope": "openid https://elsewhere.example/read"}, "AADB2C90012"),
        ({"scope": f"openid {shop.SHOP_API_URI}/basket.burn"}, "AADB2C90012"),
        ({"prompt": "loudly"}, "AADB2C90043"),
        ({"max_age": "soon"}, "AADB2C90120"),
        ({"max_age": "99999999999"}, "AADB2C90120"),
        ({"code_challenge_method": "S512"}, "AADB2C90184"),
    ],
    ids=str,
)
async def test_wrong_requests_go_back_with_their_code(entra: Entra, change: dict[str, str], code: str) -> None:
    """Each fault of a known client's request has its code."""
    assert refused(await opened(entra, **change))[1] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_id": ""}, "AADB2C90008"),
        ({"client_id": "a0000000-0000-4000-8000-000000000001"}, "AADB2C90018"),
        ({"redirect_uri": "https://stranger.example/"}, "AADB2C90006"),
    ],
    ids=str,
)
async def test_an_unknown_client_is_told_on_the_page(entra: Entra, change: dict[str, str], code: str) -> None:
    """Nothing is redirected until application and address belong together."""
    assert (await opened(entra, **change)).sees(code)


async def test_a_single_page_application_must_use_pkce(entra: Entra) -> None:
    """Without a challenge it is AADB2C99059."""
    spa = {"client_id": shop.SHOP_SPA, "redirect_uri": "http://localhost:3000/redirect.html", "scope": "openid"}
    person = await opened(entra, **spa, code_challenge="", code_challenge_method="")
    assert refused(person)[1] == "AADB2C99059"


async def test_a_journey_belongs_to_its_browser_and_its_policy(entra: Entra) -> None:
    """Another browser cannot go on with it, nor another policy."""
    person = await opened(entra)
    await person.press("Sign up now")
    stranger = await customer(entra).open(person.page.url)
    assert stranger.sees("This sign-in is over")
    await person.open(person.page.url.replace("b2c_1_susi", "b2c_1_edit"))
    assert person.sees("This sign-in is over")


async def test_a_button_of_another_page_changes_nothing(entra: Entra) -> None:
    """A form of an earlier page, or one that skips the code, leaves the journey where it stands."""
    person = await opened(entra, "B2C_1_signup")
    await person.press("Send verification code", email="nina@customer.example")
    journey = person.page.url.partition("journey=")[2]
    skipping = {"journey": journey, "step": "details", "action": "create", "password": "long-enough"}
    await person.post(at("b2c_1_signup", "/page"), skipping | {"repeated": "long-enough", "display_name": "X"})
    assert person.page.title.startswith("Verify your address")
