"""The sign-in conversation from authorize to the code: who it is, and the password."""

from datetime import timedelta

from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from emulator.tests.person import Person
from emulator.tests.sign_in import (
    ADA,
    BIRCH_AUTHORIZE,
    MIA,
    REDIRECT_URI,
    arrival_of,
    asked,
    error_of,
    person_at,
    signed_in,
)


async def at_password(entra: Entra, name: str = MIA) -> Person:
    return await (await person_at(entra).open(BIRCH_AUTHORIZE, asked())).press("Next", username=name)


async def test_a_password_leads_to_a_code_on_the_redirect_uri(entra: Entra) -> None:
    """User name, password, stay signed in, consent: then the redirect URI gets the code and the state."""
    person = await at_password(entra)
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("No")
    await person.press("Accept")
    arrival = arrival_of(person)
    assert (arrival.method, arrival.target) == ("GET", REDIRECT_URI)
    assert set(arrival.fields) == {"code", "state", "session_state"}
    assert arrival.fields["state"] == "af0ifjsldkj"


async def test_the_code_stands_for_what_was_asked_and_proved(entra: Entra) -> None:
    """The code carries the person, the nonce, the scopes, the session and the time of the password."""
    person = await signed_in(entra)
    grant = entra.state.codes.read(arrival_of(person).fields["code"])
    assert grant.user_id == entra.user(MIA).id
    assert grant.tenant_id == grant.path_tenant == seeds.BIRCH.id
    assert grant.redirect_uri == REDIRECT_URI
    assert grant.nonce == "n-0S6_WzA2Mj"
    assert grant.scopes == ("openid", "profile", "offline_access", "User.Read")
    assert grant.amr == ("pwd",)
    assert timedelta() <= entra.state.clock.now() - grant.auth_time < timedelta(minutes=1)


async def test_one_click_signs_a_seeded_person_in(entra: Entra) -> None:
    """One click stands for user name and password."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    await person.press("Sign in as Mia Member")
    assert person.page.title.startswith("Stay signed in?")


async def test_the_first_page_offers_people_of_the_tenant_and_its_guests_only(entra: Entra) -> None:
    """A tenant's own page offers its members and those who are guests there, with their notes."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    assert person.sees("Greta Groups")
    assert person.sees("in 205 groups")
    assert person.sees("gil@cedar.example")
    assert not person.sees("cleo@cedar.example")
    assert not person.sees("mallory@nettle.example")


async def test_an_unknown_name_is_said_on_the_page(entra: Entra) -> None:
    """A user name that nobody has is refused where it was typed, with 50034 and the name still there."""
    person = await at_password(entra, "nobody@birch.example")
    assert person.page.title.startswith("Error: Sign in")
    assert person.sees("AADSTS50034")
    assert 'value="nobody@birch.example"' in person.page.html


async def test_an_unverified_mail_address_is_no_user_name(entra: Entra) -> None:
    """The hostile tenant's claim to Mia's address signs nobody in: her name leads to her alone."""
    person = await at_password(entra, MIA)
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("No")
    await person.press("Accept")
    assert entra.state.codes.read(arrival_of(person).fields["code"]).tenant_id == seeds.BIRCH.id


async def test_a_wrong_password_is_refused_and_forgiven(entra: Entra) -> None:
    """50126 is shown on the page; the right password still works afterwards."""
    person = await at_password(entra)
    await person.press("Sign in", password="wrong")
    assert person.sees("Your account or password is incorrect")
    assert person.sees("AADSTS50126")
    await person.press("Sign in", password=seeds.PASSWORD)
    assert person.page.title.startswith("Stay signed in?")


async def test_ten_wrong_passwords_lock_the_account_for_a_minute(entra: Entra) -> None:
    """After ten wrong ones not even the right one counts (50053), until a minute has passed."""
    person = await at_password(entra)
    for _ in range(10):
        await person.press("Sign in", password="wrong")
    await person.press("Sign in", password=seeds.PASSWORD)
    assert person.sees("AADSTS50053")
    entra.state.clock.move(timedelta(minutes=1))
    await person.press("Sign in", password=seeds.PASSWORD)
    assert person.page.title.startswith("Stay signed in?")


async def test_a_sign_in_forgets_the_wrong_passwords_before_it(entra: Entra) -> None:
    """Nine wrong ones, the right one, and nine more lock nobody out."""
    for _ in range(2):
        person = await at_password(entra)
        for _ in range(9):
            await person.press("Sign in", password="wrong")
        await person.press("Sign in", password=seeds.PASSWORD)
        assert person.page.title.startswith("Stay signed in?")
        await person.press("No")


async def test_a_disabled_person_is_told_so_only_after_the_right_password(entra: Entra) -> None:
    """50057 comes after the password was right; before, nothing tells that the account is disabled."""
    person = await at_password(entra, "dan@birch.example")
    await person.press("Sign in", password="wrong")
    assert person.sees("AADSTS50126")
    await person.press("Sign in", password=seeds.PASSWORD)
    assert person.sees("AADSTS50057")


async def test_cancel_tells_the_application(entra: Entra) -> None:
    """Cancel on any page goes back as access_denied, 65004, with the subcode of a cancelled sign-in."""
    person = await at_password(entra)
    await person.press("Cancel")
    assert error_of(person) == ("access_denied", "AADSTS65004")
    assert arrival_of(person).fields["error_subcode"] == "cancel"


async def test_use_another_account_forgets_what_was_proved(entra: Entra) -> None:
    """What one person proved counts for nobody else: after the switch a password is asked again."""
    person = await at_password(entra)
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("Use another account")
    await person.press("Next", username=ADA)
    assert person.page.title.startswith("Enter password")
    assert person.page.forms[0].buttons[0][0] == "Use another account"
    assert person.sees(ADA)


async def test_a_page_of_an_earlier_step_changes_nothing(entra: Entra) -> None:
    """An answer to a page that the conversation has left behind is not taken: it shows where things stand."""
    person = await at_password(entra)
    old = person.page
    await person.press("Sign in", password=seeds.PASSWORD)
    attempt = dict(old.forms[0].fields)["attempt"]
    fields = {"attempt": attempt, "step": "password", "action": "password", "password": "wrong"}
    await person.post(old.url.partition("?")[0], fields)
    assert person.page.title.startswith("Stay signed in?")


async def test_another_browser_cannot_go_on_with_an_attempt(entra: Entra) -> None:
    """The attempt's id alone is worth nothing: it is bound to the browser that began it."""
    person = await at_password(entra)
    stranger = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    await stranger.open(person.page.url)
    assert stranger.sees("it began in another browser")
    without_cookies = await person_at(entra).open(person.page.url)
    assert without_cookies.sees("Your browser sent no cookie")


async def test_an_attempt_is_answered_once(entra: Entra) -> None:
    """Sending the last form again gives no second code."""
    person = await at_password(entra)
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("No")
    await person.press("Accept")
    await person.press("Accept")
    assert person.arrival is None
    assert person.sees("This sign-in is over")


async def test_an_attempt_is_forgotten_after_half_an_hour(entra: Entra) -> None:
    """A page left open over lunch does not sign anybody in."""
    person = await at_password(entra)
    entra.state.clock.move(timedelta(minutes=31))
    await person.press("Sign in", password=seeds.PASSWORD)
    assert person.sees("This sign-in is over")


async def test_many_tabs_sign_in_side_by_side(entra: Entra) -> None:
    """Twenty attempts of one browser live at once; the oldest makes room for one more."""
    person = person_at(entra)
    pages = [(await person.open(BIRCH_AUTHORIZE, asked(state=str(n)))).page for n in range(21)]
    attempts = [dict(page.forms[0].fields)["attempt"] for page in pages]
    login = f"{BIRCH_AUTHORIZE.removesuffix('/oauth2/v2.0/authorize')}/login?attempt="
    assert (await person.open(login + attempts[0])).sees("This sign-in is over")
    assert (await person.open(login + attempts[1])).page.title.startswith("Sign in")


async def test_who_is_signed_in_is_not_asked_again(entra: Entra) -> None:
    """The second authorization request of a browser is answered at once, with the same session."""
    person = await signed_in(entra)
    first = entra.state.codes.read(arrival_of(person).fields["code"])
    await person.open(BIRCH_AUTHORIZE, asked())
    second = entra.state.codes.read(arrival_of(person).fields["code"])
    assert second.sid == first.sid
    assert second.auth_time == first.auth_time


async def test_a_double_click_does_not_lose_the_page(entra: Entra) -> None:
    """A page may be loaded anew; it shows the same question."""
    person = await at_password(entra)
    await person.open(person.page.url)
    assert person.page.title.startswith("Enter password")
