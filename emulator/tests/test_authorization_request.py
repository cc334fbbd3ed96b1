"""What the authorize endpoint refuses: on a page where nobody can be trusted with it, else to the redirect URI."""

from dataclasses import replace

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from emulator.tests.sign_in import (
    BIRCH_AUTHORIZE,
    LOGIN,
    REDIRECT_URI,
    arrival_of,
    asked,
    authorize,
    error_of,
    person_at,
    signed_in,
    with_application,
)

SPA = {"client_id": seeds.SPA, "redirect_uri": "http://localhost:4200/spa"}
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("tenant", "changes", "code"),
    [
        ("nowhere.example", {}, 90002),
        (seeds.BIRCH.id, {"client_id": ""}, 900144),
        (seeds.BIRCH.id, {"client_id": "00000000-0000-0000-0000-00000000beef"}, 700016),
        (seeds.CEDAR.id, {}, 700016),
        ("common", {}, 50194),
        (seeds.BIRCH.id, {"redirect_uri": "https://evil.example/callback"}, 50011),
        (seeds.BIRCH.id, {"redirect_uri": f"{REDIRECT_URI}/../other"}, 50011),
        (seeds.BIRCH.id, {"redirect_uri": "http://localhost.evil.example/callback"}, 50011),
        (seeds.BIRCH.id, {"redirect_uri": "http://LOCALHOST/Callback"}, 50011),
        (seeds.BIRCH.id, {"redirect_uri": "javascript:alert(1)"}, 50011),
        (seeds.BIRCH.id, {"redirect_uri": ""}, 900971),
    ],
)
async def test_a_stranger_is_never_redirected_to(entra: Entra, tenant: str, changes: dict[str, str], code: int) -> None:
    """Unknown tenant, application or redirect URI: an error page at the authority, HTTP 200, and nothing leaves."""
    person = await person_at(entra).open(authorize(tenant), asked(**changes))
    assert person.arrival is None
    assert person.page.status == 200
    assert person.sees(f"AADSTS{code}")
    assert person.page.html.startswith("<!doctype html>")


async def test_a_disabled_application_is_shown_as_such(entra: Entra) -> None:
    """A disabled application gets a page with 7000112."""
    entra = with_application(replace(entra.application(), enabled=False))
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    assert person.sees("AADSTS7000112")


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"response_type": ""}, "invalid_request", 900144),
        ({"response_type": "token"}, "unsupported_response_type", 700051),
        ({"response_type": "id_token"}, "unsupported_response_type", 700054),
        ({"response_type": "code id_token"}, "unsupported_response_type", 700054),
        ({"response_type": "magic"}, "unsupported_response_type", 70005),
        ({"response_mode": "cookie"}, "invalid_request", 90023),
        ({"scope": ""}, "invalid_request", 900144),
        ({"scope": "openid No.Such"}, "invalid_scope", 70011),
        ({"scope": "api://nothing/read"}, "invalid_resource", 500011),
        ({"prompt": "maybe"}, "invalid_request", 90023),
        ({"prompt": "none login"}, "invalid_request", 90023),
        ({"prompt": "select_account", "login_hint": "mia@birch.example"}, "invalid_request", 90005),
        ({"max_age": "-1"}, "invalid_request", 90023),
        ({"max_age": "soon"}, "invalid_request", 90023),
        ({"claims": "{"}, "invalid_request", 90023),
        ({"claims": "[]"}, "invalid_request", 90023),
        ({"resource": "https://graph.microsoft.com"}, "invalid_request", 901002),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request", 501491),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S512"}, "invalid_request", 90023),
        (SPA, "invalid_request", 9002325),
    ],
)
async def test_a_fault_goes_back_to_the_application(
    entra: Entra, changes: dict[str, str], error: str, code: int
) -> None:
    """Every other fault goes to the redirect URI with the OAuth word, the AADSTS code and the state."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(**changes))
    assert error_of(person) == (error, f"AADSTS{code}")
    assert arrival_of(person).fields["state"] == "af0ifjsldkj"


async def test_an_error_travels_as_entra_writes_it(entra: Entra) -> None:
    """The description ends with trace id, the caller's correlation id and the time; `error_uri` names the code."""
    correlation_id = "1b2f4cb2-8f0f-4e05-9f79-5d3f3e5fbc59"
    request = asked(prompt="none") | {"client-request-id": correlation_id}
    fields = arrival_of(await person_at(entra).open(BIRCH_AUTHORIZE, request)).fields
    text, trace_id, correlation, timestamp = fields["error_description"].split("\r\n")
    assert text == "AADSTS50058: A silent sign-in request was sent but no user is signed in."
    assert trace_id.startswith("Trace ID: ")
    assert correlation == f"Correlation ID: {correlation_id}"
    assert timestamp.startswith("Timestamp: ")
    assert timestamp.endswith("Z")
    assert fields["error_uri"] == "https://login.microsoftonline.com/error?code=50058"


async def test_a_repeated_parameter_is_refused(entra: Entra) -> None:
    """Two values of one parameter are one too many: a page with 9000411."""
    query = "&".join(f"{name}={value}" for name, value in asked(scope="openid").items())
    person = await person_at(entra).open(f"{BIRCH_AUTHORIZE}?{query}&redirect_uri=https://evil.example/")
    assert person.sees("AADSTS9000411")


async def test_unknown_parameters_are_ignored(entra: Entra) -> None:
    """What real clients send besides, telemetry and hints, changes nothing."""
    extras = {"x-client-SKU": "MSAL.Python", "clidata": "1", "instance_aware": "true", "foo": "bar"}
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked() | extras)
    assert person.page.title.startswith("Sign in")


async def test_an_answer_in_the_fragment(entra: Entra) -> None:
    """`response_mode=fragment` puts the answer behind the hash and leaves the query alone."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(response_mode="fragment", client_info="1"))
    url = arrival_of(person).url
    assert url.startswith(f"{REDIRECT_URI}#code=")
    assert "?" not in url
    assert {"code", "state", "session_state", "client_info"} == set(arrival_of(person).fields)


async def test_an_answer_by_form_post(entra: Entra) -> None:
    """`response_mode=form_post` answers a page whose one form posts the same fields, by a button without scripts."""
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(response_mode="form_post", state='"><script>'))
    assert person.page.path.endswith("/authorize")
    assert "submit.js" in person.page.html
    await person.press("Continue")
    arrival = arrival_of(person)
    assert (arrival.method, arrival.url) == ("POST", REDIRECT_URI)
    assert set(arrival.fields) == {"code", "state", "session_state"}
    assert arrival.fields["state"] == '"><script>'


async def test_an_error_by_form_post(entra: Entra) -> None:
    """Errors travel in the response mode too, and the page may be framed: a hidden frame asked for it."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(response_mode="form_post", prompt="none"))
    assert "frame-ancestors" not in person.page.headers["content-security-policy"]
    assert "x-frame-options" not in person.page.headers
    await person.press("Continue")
    assert error_of(person) == ("login_required", "AADSTS50058")


async def test_a_redirect_uri_without_a_path_gets_one(entra: Entra) -> None:
    """`http://localhost:5000` is answered at `http://localhost:5000/`, as Entra does."""
    request = asked(client_id=seeds.PUBLIC_CLIENT, redirect_uri="http://localhost:5000", prompt="none")
    person = await person_at(entra).open(BIRCH_AUTHORIZE, request)
    assert arrival_of(person).target == "http://localhost:5000/"


async def test_a_native_application_gets_its_own_scheme(entra: Entra) -> None:
    """A registered custom scheme is answered as it stands."""
    request = asked(client_id=seeds.PUBLIC_CLIENT, redirect_uri="birch-tool://auth", prompt="none")
    person = await person_at(entra).open(BIRCH_AUTHORIZE, request)
    assert arrival_of(person).target == "birch-tool://auth"


async def test_a_redirect_uri_keeps_its_query(entra: Entra) -> None:
    """The answer is appended to a registered query."""
    portal = entra.application()
    registered = replace(portal.redirect_uris[0], uri="http://localhost/callback?from=entra")
    entra = with_application(replace(portal, redirect_uris=(registered,)))
    uri = "http://localhost:8000/callback?from=entra"
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(redirect_uri=uri, prompt="none"))
    assert arrival_of(person).url.startswith(f"{uri}&error=")


async def test_no_iss_is_sent(entra: Entra) -> None:
    """Entra does not send the issuer of RFC 9207, so neither do we."""
    person = await signed_in(entra)
    assert "iss" not in arrival_of(person).fields


async def test_the_request_may_be_posted(entra: Entra) -> None:
    """An authorization request by POST goes on as a GET, which brings the cookies that a cross-site POST lacks."""
    person = await signed_in(entra)
    await person.post(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert "code" in arrival_of(person).fields


async def test_the_challenge_reaches_the_code(entra: Entra) -> None:
    """PKCE parameters are kept with the code; a missing method means plain."""
    person = await signed_in(entra)
    for method, kept in (("S256", "S256"), ("", "plain")):
        await person.open(BIRCH_AUTHORIZE, asked(code_challenge=CHALLENGE, code_challenge_method=method))
        grant = entra.state.codes.read(arrival_of(person).fields["code"])
        assert (grant.code_challenge, grant.code_challenge_method) == (CHALLENGE, kept)


async def test_the_code_is_redeemed_for_tokens(entra: Entra) -> None:
    """What the conversation ends with is good at the token endpoint."""
    person = await signed_in(entra)
    form = {
        "grant_type": "authorization_code",
        "client_id": seeds.WEB_APP,
        "client_secret": "emulator-secret-birch-portal",
        "code": arrival_of(person).fields["code"],
        "redirect_uri": REDIRECT_URI,
    }
    await person.post(f"{LOGIN}/{seeds.BIRCH.id}/oauth2/v2.0/token", form)
    assert person.page.status == 200
    assert '"id_token"' in person.page.html
