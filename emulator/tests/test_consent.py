"""Consent: what is listed, what is remembered, and what only an administrator may grant."""

from entrada_emulator.directory.consents import Permission
from entrada_emulator.directory.model import GRAPH_APP_ID
from entrada_emulator.pytest_plugin import Entra

from emulator.tests.person import Person
from emulator.tests.sign_in import ADA, BIRCH_AUTHORIZE, MIA, arrival_of, asked, error_of, person_at, signed_in

FOR_ADMINS = "openid User.Read Directory.Read.All"


async def at_consent(entra: Entra, name: str = MIA, *, scope: str = "openid User.Read") -> Person:
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(scope=scope))
    await person.press(entra.user(name).display_name)
    return await person.press("No")


async def test_permissions_are_listed_in_words(entra: Entra) -> None:
    """The page names the application and says each permission in words, the API's before the protocol's."""
    person = await at_consent(entra, scope="openid offline_access Mail.Read")
    assert person.page.title.startswith("Permissions requested")
    text = person.page.text
    assert "Birch Portal would like to" in text
    assert text.index("Read your mail") < text.index("Keep access to data") < text.index("Sign you in")


async def test_what_applications_commonly_ask_of_graph_is_known(entra: Entra) -> None:
    """Permissions of parts of Graph that are not here are asked about and granted; a misspelt one is refused."""
    person = await at_consent(entra, scope="openid Files.ReadWrite.All Mail.Send")
    assert person.sees("Send mail as you")
    assert person.sees("Read and change all files that you can open")
    await person.press("Accept")
    assert "code" in arrival_of(person).fields
    misspelt = await person_at(entra).open(BIRCH_AUTHORIZE, asked(scope="openid Files.ReadWrites"))
    assert error_of(misspelt) == ("invalid_scope", "AADSTS70011")
    admin = await at_consent(entra, scope="openid User.Invite.All")
    assert admin.page.title.startswith("Need admin approval")


async def test_default_without_a_registration_is_the_portals(entra: Entra) -> None:
    """`.default` asks for what is registered: where nothing was, for User.Read, which the portal registers unasked."""
    person = await at_consent(entra, scope="openid https://graph.microsoft.com/.default")
    assert person.sees("User.Read")
    assert not person.sees("Mail.Read")


async def test_consent_is_asked_once(entra: Entra) -> None:
    """What was agreed to is not asked again, not even in another browser; what is new is."""
    await signed_in(entra)
    other = await person_at(entra).open(BIRCH_AUTHORIZE, asked(scope="openid User.Read"))
    await other.press("Mia Member")
    await other.press("No")
    assert "code" in arrival_of(other).fields
    await other.open(BIRCH_AUTHORIZE, asked(scope="openid User.Read Mail.Read"))
    assert other.sees("Read your mail")
    assert not other.sees("Sign you in and read your profile")


async def test_declining_tells_the_application(entra: Entra) -> None:
    """Cancel on the consent page is access_denied, 65004; nothing is granted, and the person stays signed in."""
    person = await at_consent(entra)
    await person.press("Cancel")
    assert error_of(person) == ("access_denied", "AADSTS65004")
    await person.open(BIRCH_AUTHORIZE, asked(scope="openid User.Read"))
    assert person.page.title.startswith("Permissions requested")


async def test_a_member_cannot_grant_what_administrators_must(entra: Entra) -> None:
    """A permission for administrators shows who can grant it, 90094, and no way to accept."""
    person = await at_consent(entra, scope=FOR_ADMINS)
    assert person.page.title.startswith("Need admin approval")
    assert person.sees("Read directory data")
    assert person.sees("AADSTS90094")
    assert "Accept" not in [name for form in person.page.forms for name, _, _ in form.buttons]
    await person.press("Return to the application")
    assert error_of(person) == ("consent_required", "AADSTS90094")


async def test_a_forged_acceptance_grants_nothing(entra: Entra) -> None:
    """Posting the consent form from the page that has none leaves the conversation where it is."""
    person = await at_consent(entra, scope=FOR_ADMINS)
    attempt = dict(person.page.forms[0].fields)["attempt"]
    url = person.page.url.partition("?")[0]
    for step in ("consent", "need_admin"):
        forged = {"attempt": attempt, "step": step, "action": "accept", "everyone": "yes"}
        await person.post(url, forged)
        assert person.page.title.startswith("Need admin approval")


async def test_a_member_cannot_grant_for_everybody(entra: Entra) -> None:
    """A member who forges the box "on behalf of your organisation" agrees for themselves only."""
    person = await at_consent(entra)
    attempt = dict(person.page.forms[0].fields)["attempt"]
    forged = {"attempt": attempt, "step": "consent", "action": "accept", "everyone": "yes"}
    await person.post(person.page.url.partition("?")[0], forged)
    assert "code" in arrival_of(person).fields
    ada = await at_consent(entra, ADA)
    assert ada.page.title.startswith("Permissions requested")


async def test_an_administrator_grants_for_themselves_or_for_everybody(entra: Entra) -> None:
    """An administrator sees the box; ticked, nobody else in the organisation is asked."""
    ada = await at_consent(entra, ADA, scope=FOR_ADMINS)
    assert ada.page.title.startswith("Permissions requested")
    await ada.press("Accept", everyone="yes")
    assert "code" in arrival_of(ada).fields
    mia = await at_consent(entra, MIA, scope=FOR_ADMINS)
    assert "code" in arrival_of(mia).fields


async def test_an_administrators_own_consent_binds_nobody_else(entra: Entra) -> None:
    """Without the tick the administrator agrees for themselves alone."""
    await (await at_consent(entra, ADA, scope=FOR_ADMINS)).press("Accept")
    granted = entra.state.consents.granted
    client_id = entra.application().client_id
    assert Permission(GRAPH_APP_ID, "Directory.Read.All") in granted(client_id, user=entra.user(ADA))
    assert not granted(client_id, user=entra.user(MIA))


async def test_an_administrator_may_take_over(entra: Entra) -> None:
    """From "need admin approval" an administrator can sign in instead, as somebody else from the start."""
    person = await at_consent(entra, scope=FOR_ADMINS)
    await person.press("Sign in as an administrator")
    await person.press("Ada Admin")
    await person.press("No")
    await person.press("Accept", everyone="yes")
    assert entra.state.codes.read(arrival_of(person).fields["code"]).user_id == entra.user(ADA).id
