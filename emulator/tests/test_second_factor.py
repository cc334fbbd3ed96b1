"""The second factor: authenticator codes, setting one up, and the approval on a phone."""

from dataclasses import replace
from datetime import timedelta

from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra, new_entra

from emulator.tests.person import Person
from emulator.tests.sign_in import (
    BIRCH_AUTHORIZE,
    LOGIN,
    NORA,
    OLGA,
    PIA,
    arrival_of,
    asked,
    code_of,
    error_of,
    person_at,
    signed_in,
    with_person,
)

PHONE = f"{LOGIN}/emulator/phone"


async def after_password(entra: Entra, name: str) -> Person:
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    return await person.press(entra.user(name).display_name)


async def finish(person: Person) -> Person:
    await person.press("No")
    return await person.press("Accept")


def amr_of(entra: Entra, person: Person) -> tuple[str, ...]:
    return entra.state.codes.read(arrival_of(person).fields["code"]).amr


async def test_a_code_from_the_authenticator_is_asked_and_noted(entra: Entra) -> None:
    """A person who must give a second factor does, and the code's `amr` says so."""
    person = await after_password(entra, OLGA)
    assert person.page.title.startswith("Enter code")
    await person.press("Verify", code=code_of(entra, seeds.TOTP_SECRET))
    await finish(person)
    assert amr_of(entra, person) == ("pwd", "otp", "mfa")


async def test_a_wrong_code_is_refused(entra: Entra) -> None:
    """A code of another time or of none is refused on the page."""
    person = await after_password(entra, OLGA)
    for code in (code_of(entra, seeds.TOTP_SECRET, later=timedelta(minutes=5)), "12345x", "", "١٢٣٤٥٦"):
        await person.press("Verify", code=code)
        assert person.sees("That code is not right")


async def test_a_code_counts_at_the_emulators_clock(entra: Entra) -> None:
    """After the clock was moved by an hour, the code of that hour counts and the old one does not."""
    person = await after_password(entra, OLGA)
    old = code_of(entra, seeds.TOTP_SECRET)
    entra.state.clock.move(timedelta(minutes=20))
    await person.press("Verify", code=old)
    assert person.sees("That code is not right")
    await person.press("Verify", code=code_of(entra, seeds.TOTP_SECRET))
    assert person.page.title.startswith("Stay signed in?")


async def test_a_code_counts_once(entra: Entra) -> None:
    """Who overheard a code cannot use it, not even in the same half minute."""
    code = code_of(entra, seeds.TOTP_SECRET)
    await (await after_password(entra, OLGA)).press("Verify", code=code)
    thief = await (await after_password(entra, OLGA)).press("Verify", code=code)
    assert thief.sees("That code was used already")


async def test_wrong_codes_lock_the_account_too(entra: Entra) -> None:
    """Codes cannot be guessed: ten wrong ones lock the account, and a new password does not reset the count."""
    person = await after_password(entra, OLGA)
    for _ in range(10):
        await person.press("Verify", code="000000")
    await person.press("Verify", code=code_of(entra, seeds.TOTP_SECRET))
    assert person.sees("Too many wrong codes")
    again = await after_password(entra, OLGA)
    assert not again.page.title.startswith("Enter code")


async def test_an_authenticator_is_set_up_once(entra: Entra) -> None:
    """Picture and secret are shown, a first code proves them, and the next sign-in asks for a code only."""
    person = await after_password(entra, NORA)
    assert person.page.title.startswith("Set up your authenticator")
    assert "<svg" in person.page.html
    secret = entra_secret(person)
    await person.press("Finish set-up", code=code_of(entra, secret))
    await finish(person)
    assert amr_of(entra, person) == ("pwd", "otp", "mfa")
    entra.state.clock.move(timedelta(minutes=1))
    again = await after_password(entra, NORA)
    assert again.page.title.startswith("Enter code")
    await again.press("Verify", code=code_of(entra, secret))
    assert again.page.title.startswith("Stay signed in?")


def entra_secret(person: Person) -> str:
    return person.page.html.partition('<code class="secret">')[2].partition("</code>")[0].replace(" ", "")


async def test_a_secret_counts_only_once_a_code_proved_it(entra: Entra) -> None:
    """A wrong first code enrols nothing; the secret on the page stays the same, so that the person can try again."""
    person = await after_password(entra, NORA)
    secret = entra_secret(person)
    await person.press("Finish set-up", code="000000")
    assert entra_secret(person) == secret
    assert entra.state.totp.secret_of(entra.user(NORA)) is None


async def test_the_emulated_phone_shows_codes(entra: Entra) -> None:
    """Who has no authenticator finds the current code on the emulated phone, also for a secret just shown."""
    person = await after_password(entra, NORA)
    secret = entra_secret(person)
    phone = await person_at(entra).open(PHONE)
    assert phone.sees(_spaced(code_of(entra, seeds.TOTP_SECRET)))
    await phone.press("Show code", key=secret)
    assert phone.sees(_spaced(code_of(entra, secret)))
    await phone.press("Show code", key="not base32!")
    assert phone.sees("That is no set-up key")


def _spaced(code: str) -> str:
    return f"{code[:3]} {code[3:]}"


def shown_number(person: Person) -> str:
    return person.page.text.partition("Number to enter on the phone: ")[2][:2]


async def test_an_approval_on_the_phone_lets_in(entra: Entra) -> None:
    """The number on the page, typed on the phone, approves; the page then goes on."""
    person = await after_password(entra, PIA)
    phone = await person_at(entra).open(PHONE)
    assert phone.sees(PIA)
    assert phone.sees("Birch Portal")
    await phone.press("Approve", number=shown_number(person))
    assert phone.sees("No sign-in waits")
    await person.press("I have approved it")
    await finish(person)
    assert amr_of(entra, person) == ("pwd", "mfa")


async def test_the_newest_approval_stands_first(entra: Entra) -> None:
    """Whoever began anew finds the sign-in before them on top of the phone, not the one that they left."""
    await after_password(entra, PIA)
    person = await after_password(entra, PIA)
    phone = await (await person_at(entra).open(PHONE)).press("Approve", number=shown_number(person))
    assert not phone.sees("That is not the number")
    await person.press("I have approved it")
    assert person.page.title.startswith("Stay signed in?")


async def test_the_waiting_page_goes_on_by_itself(entra: Entra) -> None:
    """Loading the waiting page anew after the approval shows the next one: no button is needed."""
    person = await after_password(entra, PIA)
    waiting = person.page.url
    await (await person_at(entra).open(PHONE)).press("Approve", number=shown_number(person))
    await person.open(waiting)
    assert person.page.title.startswith("Stay signed in?")


async def test_the_page_says_nothing_was_approved_yet(entra: Entra) -> None:
    """Claiming an approval does not make one; the number stays."""
    person = await after_password(entra, PIA)
    number = shown_number(person)
    await person.press("I have approved it")
    assert person.sees("The phone has not answered yet")
    assert shown_number(person) == number


async def test_a_wrong_number_approves_nothing(entra: Entra) -> None:
    """Approving without the number on the page, as a tired person would, is refused."""
    person = await after_password(entra, PIA)
    wrong = "10" if shown_number(person) != "10" else "11"
    phone = await (await person_at(entra).open(PHONE)).press("Approve", number=wrong)
    assert phone.sees("That is not the number")
    await person.press("I have approved it")
    assert person.page.title.startswith("Error: Approve sign-in")


async def test_a_denial_is_shown_and_can_be_asked_again(entra: Entra) -> None:
    """A denial lets nobody in; another request with another approval may be sent."""
    person = await after_password(entra, PIA)
    await (await person_at(entra).open(PHONE)).press("Deny")
    await person.press("I have approved it")
    assert person.sees("The request was denied on the phone")
    await person.press("Send another request")
    await (await person_at(entra).open(PHONE)).press("Approve", number=shown_number(person))
    await person.press("I have approved it")
    assert person.page.title.startswith("Stay signed in?")


async def test_an_approval_is_good_for_two_minutes(entra: Entra) -> None:
    """A late approval counts for nothing; a new request with a new number takes its place."""
    person = await after_password(entra, PIA)
    phone = await person_at(entra).open(PHONE)
    number = shown_number(person)
    entra.state.clock.move(timedelta(minutes=3))
    await phone.press("Approve", number=number)
    assert phone.sees("This request is over")
    await person.press("I have approved it")
    assert person.sees("Nobody answered in two minutes")


async def test_the_script_learns_whether_the_phone_answered(entra: Entra) -> None:
    """The page that waits can ask; a stranger's browser learns nothing but that nothing waits."""
    person = await after_password(entra, PIA)
    url = person.page.html.partition('data-wait="')[2].partition('"')[0].replace("&amp;", "&")
    await person.open(LOGIN + url)
    assert person.page.html == '{"answered":false}'
    stranger = await person_at(entra).open(LOGIN + url)
    assert stranger.page.html == '{"answered":true}'


async def test_the_other_method_may_be_chosen() -> None:
    """Who has both methods may take either."""
    pia = new_entra().user(PIA)
    entra = with_person(replace(pia, mfa_methods=("push", "totp"), totp_secret=seeds.TOTP_SECRET))
    person = await after_password(entra, PIA)
    await person.press("Use a code instead")
    await person.press("Approve on my phone instead")
    await person.press("Use a code instead")
    await person.press("Verify", code=code_of(entra, seeds.TOTP_SECRET))
    assert person.page.title.startswith("Stay signed in?")


async def test_silence_cannot_give_a_second_factor() -> None:
    """`prompt=none` where a second factor is missing answers interaction_required, 50076."""
    mia = new_entra().user()
    entra = with_person(replace(mia, mfa_required=True, mfa_methods=("totp",), totp_secret=seeds.TOTP_SECRET))
    person = person_at(entra)
    session = entra.state.sessions.open()
    session.sign_in(entra.user(), auth_time=entra.state.clock.now(), amr=("pwd",))
    person.keep_cookie("__Host-emulator_sso", session.id, origin=LOGIN)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert error_of(person) == ("interaction_required", "AADSTS50076")


async def test_an_authentication_context_asks_for_a_second_factor(entra: Entra) -> None:
    """An essential `acrs` claim steps up somebody who came with a password only; the code then carries the context."""
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none", claims=claims))
    assert error_of(person) == ("interaction_required", "AADSTS50079")
    await person.open(BIRCH_AUTHORIZE, asked(claims=claims))
    await person.press("Finish set-up", code=code_of(entra, entra_secret(person)))
    assert entra.state.codes.read(arrival_of(person).fields["code"]).acrs == ("c1",)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none", claims=claims))
    assert entra.state.codes.read(arrival_of(person).fields["code"]).acrs == ("c1",)
