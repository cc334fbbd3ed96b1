"""Signing out: whom, where to, and whom to tell."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from entrada_emulator.signing_in.login_hint import login_hint_of

from emulator.tests.person import Person
from emulator.tests.sign_in import (
    ADA,
    BIRCH_AUTHORIZE,
    LOGIN,
    MIA,
    arrival_of,
    asked,
    person_at,
    signed_in,
    with_application,
)

LOGOUT = f"{LOGIN}/{seeds.BIRCH.id}/oauth2/v2.0/logout"
AFTER = "http://localhost:8000/signed-out"


def with_logout_url() -> Entra:
    portal = seeds.default_world().application(seeds.WEB_APP)
    assert portal is not None
    return with_application(replace(portal, logout_url="https://portal.birch.example/front-channel?x=1"))


async def who_is_signed_in(entra: Entra, person: Person) -> set[str]:
    await person.open(BIRCH_AUTHORIZE, asked(prompt="select_account"))
    return {name for name in (MIA, ADA) if person.page.title.startswith("Pick") and person.sees(name)}


async def test_the_only_account_is_signed_out_without_a_question(entra: Entra) -> None:
    """One account needs no picker; the page says it is signed out, and the next visit asks for a name."""
    person = await signed_in(entra)
    await person.open(LOGOUT)
    assert person.page.title.startswith("You signed out of your account")
    assert "__Host-emulator_sso" not in person.cookies
    assert not await who_is_signed_in(entra, person)


async def test_a_registered_redirect_uri_is_gone_to_with_the_state(entra: Entra) -> None:
    """A registered `post_logout_redirect_uri` gets the person back, with the state."""
    person = await signed_in(entra)
    await person.open(LOGOUT, {"post_logout_redirect_uri": AFTER, "state": "a b&c"})
    assert arrival_of(person).target == AFTER
    assert arrival_of(person).fields == {"state": "a b&c"}


@pytest.mark.parametrize(
    "changes",
    [
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": "//evil.example/"},
        {"post_logout_redirect_uri": f"{AFTER}.evil.example"},
        {"post_logout_redirect_uri": "javascript:alert(1)"},
        {"post_logout_redirect_uri": AFTER, "client_id": seeds.SPA},
        {},
    ],
)
async def test_an_unregistered_redirect_uri_is_not_gone_to(entra: Entra, changes: dict[str, str]) -> None:
    """A stranger's URI, or one of another application than the named, ends at the signed-out page."""
    person = await signed_in(entra)
    await person.open(LOGOUT, changes)
    assert person.arrival is None
    assert person.page.title.startswith("You signed out of your account")
    assert "evil" not in person.page.html


async def test_nobody_signed_in_is_signed_out_already(entra: Entra) -> None:
    """Signing out twice is no error: the redirect is followed, or the page says so."""
    person = await person_at(entra).open(LOGOUT)
    assert person.sees("You are signed out")
    await person.open(LOGOUT, {"post_logout_redirect_uri": AFTER})
    assert arrival_of(person).url == AFTER


async def test_several_accounts_bring_a_picker(entra: Entra) -> None:
    """With two accounts and no hint the person says which; the other stays, and the way back is kept."""
    person = await signed_in(entra, MIA)
    await signed_in(entra, ADA, person=person)
    await person.open(LOGOUT, {"post_logout_redirect_uri": AFTER, "state": "s"})
    assert person.page.title.startswith("Pick an account to sign out")
    await person.press("Ada Admin")
    assert arrival_of(person).fields == {"state": "s"}
    assert await who_is_signed_in(entra, person) == {MIA}


@pytest.mark.parametrize("opaque", [True, False])
async def test_a_logout_hint_chooses(entra: Entra, *, opaque: bool) -> None:
    """`logout_hint`, the opaque claim or the name, signs that account out without a question."""
    person = await signed_in(entra, MIA)
    await signed_in(entra, ADA, person=person)
    await person.open(LOGOUT, {"logout_hint": login_hint_of(entra.user(ADA)) if opaque else ADA})
    assert person.page.title.startswith("You signed out")
    assert await who_is_signed_in(entra, person) == {MIA}


async def test_a_posted_logout_works_too(entra: Entra) -> None:
    """A POST from the application's page goes on as a GET, which brings the browser's cookies."""
    person = await signed_in(entra)
    await person.post(LOGOUT, {"post_logout_redirect_uri": AFTER, "state": "s"})
    assert arrival_of(person).fields == {"state": "s"}
    assert not await who_is_signed_in(entra, person)


async def test_applications_are_told_in_hidden_frames() -> None:
    """Each application with a logout URL gets a frame with `sid` and `iss`; only those may be framed."""
    entra = with_logout_url()
    person = await signed_in(entra)
    sid = entra.state.codes.read(arrival_of(person).fields["code"]).sid
    await person.open(LOGOUT, {"post_logout_redirect_uri": AFTER})
    assert person.arrival is None
    frame = urlsplit(person.page.frames[0])
    assert parse_qs(frame.query) == {"x": ["1"], "sid": [sid], "iss": [f"{LOGIN}/{seeds.BIRCH.id}/v2.0"]}
    assert "frame-src https://portal.birch.example;" in person.page.headers["content-security-policy"]
    await person.follow("Continue to the application")
    assert arrival_of(person).url == AFTER


async def test_the_issuer_in_the_frame_can_be_switched_off() -> None:
    """Field reports say that Entra sends only `sid`: both kinds can be had."""
    entra = with_logout_url()
    entra.state.logout_sends_iss = False
    person = await signed_in(entra)
    await person.open(LOGOUT)
    assert "iss" not in parse_qs(urlsplit(person.page.frames[0]).query)


async def test_without_scripts_the_page_goes_on_by_itself() -> None:
    """Where scripts are off a refresh leads on after the frames had their time."""
    person = await signed_in(with_logout_url())
    await person.open(LOGOUT, {"post_logout_redirect_uri": AFTER})
    assert f'<noscript><meta http-equiv="refresh" content="2; url={AFTER}"></noscript>' in person.page.html


async def test_an_unknown_tenant_is_said_on_a_page(entra: Entra) -> None:
    """Signing out of nowhere is 90002."""
    person = await person_at(entra).open(LOGOUT.replace(seeds.BIRCH.id, "nowhere.example"))
    assert person.sees("AADSTS90002")
