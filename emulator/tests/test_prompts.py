"""`prompt`, `max_age` and the hints: when a person is asked, and for whom."""

from datetime import timedelta

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import claims_of, redeem
from emulator.tests.sign_in import (
    ADA,
    BIRCH_AUTHORIZE,
    MIA,
    OLGA,
    arrival_of,
    asked,
    error_of,
    person_at,
    signed_in,
)


async def test_silence_without_a_session_is_login_required(entra: Entra) -> None:
    """`prompt=none` shows no page: nobody signed in answers login_required, 50058."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert error_of(person) == ("login_required", "AADSTS50058")
    assert arrival_of(person).fields["state"] == "af0ifjsldkj"


async def test_silence_with_a_session_gives_a_code(entra: Entra) -> None:
    """`prompt=none` with one account and consent answers a code at once."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert "code" in arrival_of(person).fields


async def test_silence_cannot_choose_between_accounts(entra: Entra) -> None:
    """Two accounts and no hint answer interaction_required, 16000; a hint or a sid chooses."""
    person = await signed_in(entra, MIA)
    await signed_in(entra, ADA, person=person)
    sid = entra.state.codes.read(arrival_of(person).fields["code"]).sid
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert error_of(person) == ("interaction_required", "AADSTS16000")
    for choice in ({"login_hint": ADA}, {"sid": sid}):
        await person.open(BIRCH_AUTHORIZE, asked(prompt="none", **choice))
        assert entra.state.codes.read(arrival_of(person).fields["code"]).user_id == entra.user(ADA).id


async def test_silence_for_somebody_else_is_login_required(entra: Entra) -> None:
    """A hint at a person who is not signed in never gives the code of the one who is."""
    person = await signed_in(entra, MIA)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none", login_hint=ADA))
    assert error_of(person) == ("login_required", "AADSTS50058")


async def test_silence_cannot_consent(entra: Entra) -> None:
    """A permission nobody agreed to answers consent_required, 65001; one for administrators 90094."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none", scope="openid Mail.Read"))
    assert error_of(person) == ("consent_required", "AADSTS65001")
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none", scope="openid Directory.Read.All"))
    assert error_of(person) == ("consent_required", "AADSTS90094")


async def test_silence_does_not_prove_again(entra: Entra) -> None:
    """A session older than `max_age` answers login_required where no page may be shown."""
    person = await signed_in(entra)
    entra.state.clock.move(timedelta(seconds=61))
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none", max_age="60"))
    assert error_of(person) == ("login_required", "AADSTS50058")


async def test_prompt_login_asks_for_the_password_again(entra: Entra) -> None:
    """`prompt=login` asks although somebody is signed in, and the new code tells the new time."""
    person = await signed_in(entra)
    before = entra.state.codes.read(arrival_of(person).fields["code"])
    entra.state.clock.move(timedelta(hours=1))
    await person.open(BIRCH_AUTHORIZE, asked(prompt="login", login_hint=MIA))
    assert person.page.title.startswith("Enter password")
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("No")
    after = entra.state.codes.read(arrival_of(person).fields["code"])
    assert after.auth_time - before.auth_time >= timedelta(hours=1)
    assert after.sid == before.sid


async def test_max_age_asks_again_when_the_sign_in_is_older(entra: Entra) -> None:
    """`max_age` lets a young session pass and asks the person of an old one for their password."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(max_age="3600"))
    assert entra.state.codes.read(arrival_of(person).fields["code"]).max_age == 3600
    entra.state.clock.move(timedelta(seconds=3601))
    await person.open(BIRCH_AUTHORIZE, asked(max_age="3600"))
    assert person.page.title.startswith("Enter password")
    assert person.sees("prove again")
    assert person.sees(MIA)


async def test_prompt_select_account_shows_the_accounts(entra: Entra) -> None:
    """`prompt=select_account` shows the picker although one account is signed in; picking it needs no password."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="select_account"))
    assert person.page.title.startswith("Pick an account")
    await person.press("Mia Member")
    assert "code" in arrival_of(person).fields


async def test_several_accounts_bring_the_picker(entra: Entra) -> None:
    """With two people signed in at one browser the person picks; another account may be added."""
    person = await signed_in(entra, MIA)
    await signed_in(entra, ADA, person=person)
    await person.open(BIRCH_AUTHORIZE, asked())
    assert person.page.title.startswith("Pick an account")
    assert person.sees(MIA)
    assert person.sees(ADA)
    await person.press("Use another account")
    assert person.page.title.startswith("Sign in")


async def test_prompt_consent_asks_again(entra: Entra) -> None:
    """`prompt=consent` lists everything once more although it was agreed to."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="consent"))
    assert person.page.title.startswith("Permissions requested")
    assert person.sees("Sign you in and read your profile")
    await person.press("Accept")
    assert "code" in arrival_of(person).fields


async def test_prompt_create_offers_the_directory(entra: Entra) -> None:
    """`prompt=create` makes no account here: the page says so and offers the people there are."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="create"))
    assert person.sees("creates no accounts")
    await person.press("Ada Admin")
    assert person.page.title.startswith("Stay signed in?")


@pytest.mark.parametrize("opaque", [False, True])
async def test_a_login_hint_leads_to_the_password(entra: Entra, http: TestClient, *, opaque: bool) -> None:
    """A user principal name or the ID token's opaque claim as `login_hint` leaves only the password to ask."""
    token = redeem(http, entra, entra.code(entra.user(OLGA))).json()["id_token"]
    claim = claims_of(token)["login_hint"]
    assert OLGA not in claim
    hint = claim if opaque else OLGA
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(login_hint=hint))
    assert person.page.title.startswith("Enter password")
    assert person.sees(OLGA)


async def test_an_unknown_login_hint_is_offered_for_correction(entra: Entra) -> None:
    """A hint that names nobody is put into the user name field, as text."""
    hint = '"><b>nobody</b>'
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(login_hint=hint))
    assert person.page.title.startswith("Sign in")
    assert "<b>nobody" not in person.page.html
    assert dict(person.page.forms[0].fields)["username"] == hint


async def test_a_domain_hint_chooses_among_sessions_and_people(entra: Entra) -> None:
    """With `domain_hint` only accounts of that domain count, and only its people are offered."""
    person = await signed_in(entra, MIA)
    await person.open(BIRCH_AUTHORIZE, asked(domain_hint="birch.example"))
    assert "code" in arrival_of(person).fields
    await person.open(BIRCH_AUTHORIZE, asked(domain_hint="cedar.example"))
    assert person.page.title.startswith("Sign in")
    assert person.sees("gil@cedar.example")
    assert not person.sees(ADA)
