"""The sign-in conversation from authorize to the code."""

from entrada_emulator import seeds

from emulator.tests.sign_in import BIRCH_AUTHORIZE, REDIRECT_URI, asked, person_at


async def test_a_password_leads_to_a_code_on_the_redirect_uri() -> None:
    """User name, password, stay signed in, consent: then the redirect URI gets the code and the state."""
    person = person_at()
    await person.open(BIRCH_AUTHORIZE, asked(state="xyz"))
    await person.press("Next", username="mia@birch.example")
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("No")
    await person.press("Accept")
    assert person.arrival is not None
    assert person.arrival.target == REDIRECT_URI
    assert person.arrival.fields["state"] == "xyz"
    assert person.arrival.fields["code"]


async def test_one_click_signs_a_seeded_person_in() -> None:
    """One click stands for user name and password."""
    person = person_at()
    await person.open(BIRCH_AUTHORIZE, asked())
    await person.press("Sign in as Mia Member")
    await person.press("Yes")
    await person.press("Accept")
    assert person.arrival is not None
    assert "code" in person.arrival.fields
