"""The browser's session at the emulator: its cookies, how long it lasts, and what ends it."""

from datetime import timedelta

from entrada_emulator.pytest_plugin import Entra, new_entra

from emulator.tests.person import Person
from emulator.tests.sign_in import ADA, BIRCH_AUTHORIZE, LOGIN, MIA, arrival_of, asked, person_at, signed_in

SSO = "__Host-emulator_sso"
BROWSER = "__Host-emulator_browser"


async def is_signed_in(person: Person) -> bool:
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    return "code" in arrival_of(person).fields


async def test_two_small_cookies_and_no_more(entra: Entra) -> None:
    """However many people and tabs, the browser keeps two short cookies."""
    person = await signed_in(entra, MIA)
    await signed_in(entra, ADA, person=person)
    assert set(person.cookies) == {SSO, BROWSER}
    assert all(len(value) < 64 for value in person.cookies.values())


async def test_cookies_are_closed_to_scripts_and_other_sites(entra: Entra) -> None:
    """HttpOnly, SameSite=Lax, and on https Secure with the __Host- prefix."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    cookie = person.page.headers["set-cookie"].lower()
    assert cookie.startswith(BROWSER.lower())
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" in cookie
    assert "path=/" in cookie


async def test_cookies_on_plain_http_have_other_names() -> None:
    """On http the cookies are neither Secure nor prefixed, and their names are not those of https."""
    entra = new_entra(public_origin="http://localhost:8500")
    person = Person({"http://localhost:8500": entra.app})
    await person.open(BIRCH_AUTHORIZE.replace(LOGIN, "http://localhost:8500"), asked())
    assert set(person.cookies) == {"emulator_browser"}
    assert "secure" not in person.page.headers["set-cookie"].lower()


async def test_without_kmsi_the_session_ends_with_the_browser(entra: Entra) -> None:
    """ "No" gives a cookie that closing the browser throws away."""
    person = await signed_in(entra)
    assert await is_signed_in(person)
    person.close_browser()
    assert not await is_signed_in(person)


async def test_with_kmsi_the_session_survives_the_browser_and_is_not_asked_again(entra: Entra) -> None:
    """ "Yes" keeps the person signed in for ninety days since the last visit."""
    person = await signed_in(entra, keep=True)
    person.close_browser()
    entra.state.clock.move(timedelta(days=89))
    assert await is_signed_in(person)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="login"))
    await person.press("Mia Member")
    assert "code" in arrival_of(person).fields
    entra.state.clock.move(timedelta(days=91))
    assert not await is_signed_in(person)


async def test_without_kmsi_an_idle_day_ends_the_session(entra: Entra) -> None:
    """Twenty-four idle hours sign out."""
    person = await signed_in(entra)
    entra.state.clock.move(timedelta(hours=25))
    assert not await is_signed_in(person)


async def test_a_planted_session_id_is_worth_nothing(entra: Entra) -> None:
    """Signing in gives the session a new id: whoever planted the old one stays outside."""
    attacker = await signed_in(entra, ADA)
    planted = attacker.cookies[SSO]
    victim = person_at(entra)
    victim.keep_cookie(SSO, planted, origin=LOGIN)
    await signed_in(entra, MIA, person=victim)
    assert victim.cookies[SSO] != planted
    assert not await is_signed_in(attacker)


async def test_a_made_up_session_id_opens_nothing(entra: Entra) -> None:
    """An id that the emulator did not give is nobody's session."""
    person = person_at(entra)
    person.keep_cookie(SSO, "made-up", origin=LOGIN)
    assert not await is_signed_in(person)


async def test_revoked_sessions_have_to_sign_in_again(entra: Entra) -> None:
    """After `revokeSignInSessions` the browser's session is over too, also in the middle of a conversation."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="consent"))
    entra.state.revoke_sessions(entra.user(MIA))
    await person.press("Accept")
    assert person.arrival is None
    assert person.page.title.startswith("Sign in")
    assert not await is_signed_in(person)
