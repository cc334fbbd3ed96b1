"""EMU-13, the flow inspector: real clients sign in, and the pages tell what happened, in order and truly."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args

import msal
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.inspector.catalogue.checks import CHECKS
from entrada_emulator.inspector.flows import grouped
from entrada_emulator.inspector.notes import CheckName
from entrada_emulator.inspector.summary import summary_of
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, CHALLENGE, SECRETS, VERIFIER, redeem, renew
from emulator.tests.flow_pages import FLOWS, FlowPage, flow, listed, newest
from emulator.tests.person import Person
from emulator.tests.sign_in import ADA, BIRCH_AUTHORIZE, LOGIN, MIA, REDIRECT_URI, arrival_of, asked, person_at

SIGN_IN = [
    "Sends the browser to Entra",
    "Authorization request",
    "Page: who are you?",
    "Picks a person of the directory",
    "Page: stay signed in?",
    "Does not stay signed in",
    "Page: permissions requested",
    "Agrees to the permissions",
    "Redirects back with a code",
    "The browser carries it to the application",
]
ME = "https://graph.microsoft.com/v1.0/me"
TOKENS = ["Redeems the code", "Tokens"]


@dataclass(slots=True)
class Signing:
    """MSAL, unmodified, and a person at the pages."""

    entra: Entra
    http: TestClient
    client: Any
    person: Person
    begun: dict[str, Any] = field(default_factory=dict)

    async def to_the_code(self, name: str = MIA) -> dict[str, str]:
        """Walks to the redirect back; what the application gets there."""
        self.begun = self.client.initiate_auth_code_flow(
            ["User.Read"], redirect_uri=REDIRECT_URI, response_mode="form_post"
        )
        await self.person.open(self.begun["auth_uri"])
        await self.person.press(self.entra.user(name).display_name)
        for button in ("No", "Accept", "Continue"):
            await self.person.press(button)
        return arrival_of(self.person).fields

    def redeem(self, fields: dict[str, str]) -> dict[str, Any]:
        return self.client.acquire_token_by_auth_code_flow(self.begun, fields)


@pytest.fixture
def signing(entra: Entra, http: TestClient) -> Signing:
    client = msal.ConfidentialClientApplication(
        seeds.WEB_APP,
        client_credential=SECRETS[seeds.WEB_APP],
        authority=f"{LOGIN}/{BIRCH}",
        http_client=http,
        instance_discovery=False,
    )
    return Signing(entra, http, client, person_at(entra))


async def test_going_back_changes_no_ending(signing: Signing) -> None:
    """Whoever presses Back after a sign-in finds a page that says it is over; its tokens were issued all the same."""
    fields = await signing.to_the_code()
    consent = signing.person.page.url
    signing.redeem(fields)
    await signing.person.open(consent)
    assert signing.person.sees("This sign-in is over")
    assert [line.ending for line in listed(signing.http)] == ["✓ Tokens issued"]


async def test_a_sign_in_is_drawn_in_order(signing: Signing) -> None:
    """Each request and answer is an arrow between the right two; what Entra cannot see is drawn as such."""
    fields = await signing.to_the_code()
    assert listed(signing.http)[0].ending == "… Code not redeemed yet"
    granted = signing.redeem(fields)
    signing.http.get(
        "https://graph.microsoft.com/v1.0/me", headers={"authorization": f"Bearer {granted['access_token']}"}
    )
    (line,) = listed(signing.http)
    assert (line.kind, line.who, line.ending) == (
        "Sign-in · code + PKCE",
        "Birch Portal · mia@birch.example",
        "✓ Tokens issued",
    )
    drawn = newest(signing.http)
    assert drawn.titles == [*SIGN_IN, *TOKENS, "Calls Microsoft Graph", "Graph answers"]
    assert "posts by itself" in drawn.step("Redirects back with a code").text
    assert drawn.step("Authorization request").ends == ("Browser", "Entra")
    assert drawn.step("Redeems the code").ends == ("Birch Portal", "Entra")
    assert drawn.step("Calls Microsoft Graph").ends == ("Birch Portal", "Graph")
    assert [step.title for step in drawn.steps if step.is_implied] == [SIGN_IN[0], SIGN_IN[-1]]


async def test_each_value_is_explained_with_its_check(signing: Signing) -> None:
    """Parameters, cookies and claims say what they are for, whether they were needed, and what was checked."""
    granted = signing.redeem(await signing.to_the_code())
    drawn = newest(signing.http)
    request, redeems, tokens = drawn.step("Authorization request"), drawn.step("Redeems the code"), drawn.step("Tokens")
    assert "login CSRF" in request.row("state")
    assert signing.begun["state"] in request.row("state")
    assert "✓ Passed The redirect URI is registered for the application." in request.row("redirect_uri")
    assert "✓ Passed The code was not redeemed before." in redeems.row("code")
    assert "✓ Passed The client proved that it is the application. By a client secret" in redeems.row("client_secret")
    assert "Its SHA-256 has the mark " + request.mark("code_challenge") in redeems.row("code_verifier")
    assert redeems.mark("code") == drawn.step("Redirects back with a code").mark("code")
    assert "✓ Passed The nonce was copied into the ID token." in tokens.text
    assert granted["id_token_claims"]["nonce"] in tokens.row("nonce")
    assert "Check: It is you: your client id" in tokens.row("aud")
    assert "HttpOnly (no script can read it)" in drawn.step("Does not stay signed in").row("__Host-emulator_sso")


async def test_what_comes_later_goes_back_to_the_sign_in(signing: Signing) -> None:
    """A renewal, a sign-in by the same session and the sign-out are flows of their own, tied to the first."""
    signing.redeem(await signing.to_the_code())
    account = signing.client.get_accounts()[0]
    assert "access_token" in signing.client.acquire_token_silent(["User.Read"], account, force_refresh=True)
    await signing.person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    await signing.person.open(f"{LOGIN}/{BIRCH}/oauth2/v2.0/logout", {"post_logout_redirect_uri": REDIRECT_URI})
    kinds = [line.kind for line in listed(signing.http)]
    assert kinds == ["Sign-out", "Silent sign-in · code", "Renewal", "Sign-in · code + PKCE"]
    assert newest(signing.http, "Renewal").titles == ["Uses the refresh token", "Tokens"]
    assert "Follows from Sign-in · code + PKCE" in newest(signing.http, "Renewal").text
    assert "✓ Passed Somebody is signed in at this browser." in newest(signing.http, "Silent").text
    assert "Without PKCE whoever catches the code" in newest(signing.http, "Silent").step("Authorization request").text
    out = newest(signing.http, "Sign-out")
    assert out.titles[1:3] == ["Sign-out request", "Leads back to the application"]
    assert "✓ Passed The address after sign-out is registered." in out.text
    assert newest(signing.http, "Sign-in").text.count("Followed by") == 3


async def test_people_at_the_same_time_are_kept_apart(entra: Entra, http: TestClient) -> None:
    """Two sign-ins, step by step in turns, are two flows; each code is redeemed in its own."""
    mia, ada = person_at(entra), person_at(entra)
    for person in (mia, ada):
        await person.open(BIRCH_AUTHORIZE, asked(state=f"state-of-{person is mia}"))
    for press in ("", "No", "Accept"):
        for person, name in ((mia, MIA), (ada, ADA)):
            await person.press(press or entra.user(name).display_name)
    codes = [arrival_of(person).fields["code"] for person in (ada, mia)]
    for code in codes:
        redeem(http, entra, code, redirect_uri=REDIRECT_URI)
    assert sorted(line.who for line in listed(http)) == [f"Birch Portal · {ADA}", f"Birch Portal · {MIA}"]
    assert [flow(http, line.number).titles for line in listed(http)] == [[*SIGN_IN, *TOKENS]] * 2


WRONG = {
    "the verifier": ({"code_verifier": VERIFIER + "x"}, 501481, "The verifier is the secret behind the challenge"),
    "the secret": ({"client_secret": "guessed"}, 7000215, "The client proved that it is the application"),
    "no secret": ({"client_secret": None}, 7000218, "The client proved that it is the application"),
    "the redirect URI": ({"redirect_uri": REDIRECT_URI + "/"}, 500112, "The redirect URI is that of the authorization"),
    "an origin": (
        {"headers": {"Origin": "http://localhost:3000"}},
        9002326,
        "The request came from where this kind of",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_refusal_says_where_it_broke(entra: Entra, http: TestClient, wrong: str) -> None:
    """The failed check is named, with code and mend; the checks before it are told to have passed."""
    changes, code, title = WRONG[wrong]
    person = person_at(entra)
    await person.open(BIRCH_AUTHORIZE, asked(code_challenge=CHALLENGE, code_challenge_method="S256"))
    for press in ("Mia", "No", "Accept"):
        await person.press(press)
    sent = {"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER} | changes
    redeem(http, entra, arrival_of(person).fields["code"], **sent)
    (line,) = listed(http)
    assert line.ending == f"✗ AADSTS{code}"
    drawn = flow(http, line.number)
    assert drawn.titles == [*SIGN_IN, "Redeems the code", "Refused"]
    assert f"Where it broke: {title}" in drawn.text
    assert f"✗ Failed {title}" in drawn.step("Redeems the code").text
    assert "How to mend it:" in drawn.text
    assert "✓ Passed The path names a tenant of the directory." in drawn.step("Redeems the code").text


async def test_a_refusal_before_anybody_signs_in(entra: Entra, http: TestClient) -> None:
    """An address that nobody registered, and a silent request without a session: where each broke, and how to go on."""
    person = person_at(entra)
    await person.open(BIRCH_AUTHORIZE, asked(redirect_uri="https://evil.example/steal"))
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    silent, stolen = listed(http)
    assert (silent.ending, stolen.ending) == ("✗ AADSTS50058", "✗ AADSTS50011")
    assert flow(http, stolen.number).titles == ["Sends the browser to Entra", "Authorization request", "Error page"]
    assert "✗ Failed The redirect URI is registered" in flow(http, stolen.number).step("Authorization request").text
    assert "Redirects back with an error" in flow(http, silent.number).titles
    assert "sign in without prompt=none" in flow(http, silent.number).text


async def test_a_wrong_password_and_a_second_try(entra: Entra, http: TestClient) -> None:
    """What the person got wrong is told, without what they typed; the flow goes on."""
    person = person_at(entra)
    await person.open(BIRCH_AUTHORIZE, asked(login_hint=MIA))
    await person.press("Sign in", password="wrong-horse-battery")
    assert listed(http)[0].ending == "… Waits for the person"
    drawn = newest(http)
    assert "✗ Failed The password is right and the account usable." in drawn.step("Types a password").text
    assert "not shown" in drawn.step("Types a password").row("password")
    assert "wrong-horse-battery" not in drawn.html


def test_codes_and_tokens_of_no_sign_in_on_record(entra: Entra, http: TestClient) -> None:
    """A code that came by no recorded page, and one that nobody issued: it is said that nobody knows where from."""
    redeem(http, entra, entra.code())
    redeem(http, entra, "made-up-by-somebody")
    renew(http, "made-up-too")
    http.get(ME, headers={"authorization": "Bearer made.up.token"})
    assert [line.ending for line in listed(http)] == ["✗ AADSTS70000", "✗ AADSTS70000", "✓ Tokens issued"]
    assert "was handed out by no request on record" in newest(http, "Code redeemed").text
    assert "✗ Failed The code was issued here." in newest(http, "Code redeemed").text
    assert "1 × Microsoft Graph, with a token of no flow on record" in flow_list_text(http)


def test_faults_that_were_asked_for_are_told(entra: Entra, http: TestClient) -> None:
    """A spoilt ID token and a broken answer are no riddle: the page says that the control API asked for them."""
    entra.fail("token", "wrong_nonce")
    redeem(http, entra, entra.code(nonce="n-1"))
    assert "an ID token that is wrong; the application must refuse it: wrong_nonce." in newest(http).text
    assert "✗ Failed The nonce was copied into the ID token." in newest(http).text
    entra.fail("token", "status")
    redeem(http, entra, entra.code())
    assert newest(http).titles[-1] == "Broken on request"


def test_moved_clocks_and_a_fresh_start(entra: Entra, http: TestClient) -> None:
    """Steps are told apart by a clock that nobody moves; what is forgotten is gone, and the list says how to begin."""
    code = entra.code()
    redeem(http, entra, code, code_verifier="x" * 43)
    number = listed(http)[0].number
    entra.move_clock(timedelta(days=-400))
    redeem(http, entra, code)
    drawn = flow(http, number)
    assert drawn.titles == [*TOKENS[:1], "Refused", *TOKENS]
    assert re.search(r"UTC by the emulated clock · \d{1,2}\.\d\d s", drawn.text)
    entra.state.recorder.clear()
    assert http.get(f"{FLOWS}/{number}").status_code == 404
    assert listed(http) == []
    assert "begin a sign-in here" in flow_list_text(http)


async def test_what_came_meanwhile_is_not_drawn_in(entra: Entra, http: TestClient) -> None:
    """Keys fetched during a sign-in are nobody's: they are counted beside it, and on the list."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    http.get(f"/{BIRCH}/discovery/v2.0/keys")
    await person.press("Cancel")
    assert "Meanwhile" in newest(http).text
    assert "1 × keys (to verify signatures with)" in newest(http).text
    assert "1 × keys (to verify signatures with)" in flow_list_text(http)
    assert (listed(http)[0].ending, newest(http).titles[-2]) == ("✗ AADSTS65004", "Redirects back with an error")
    http.get(f"/{BIRCH}/discovery/v2.0/keys")
    assert "1 × keys" in newest(http).text


def test_a_flow_that_nobody_ends_is_left(entra: Entra, http: TestClient) -> None:
    """After ten minutes without a request it is not said to be under way any more."""
    http.get(BIRCH_AUTHORIZE, params=asked())
    (begun,) = grouped(entra.state.recorder.requests()).flows
    waits, left = (summary_of(begun, seconds=begun.last.answered.seconds + idle) for idle in (599, 601))
    assert (waits.ending, left.ending, left.told) == ("under_way", "left", "Left by the person")


def test_every_check_is_explained() -> None:
    """Whatever a check of the emulator may be called, the pages have a sentence and a mend for it."""
    assert set(get_args(CheckName)) == set(CHECKS)


def flow_list_text(http: TestClient) -> str:
    return FlowPage(http.get(FLOWS).text, ()).text
