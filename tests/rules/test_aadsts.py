"""The authority's refusals become our errors, in our words, by `error` and `suberror` alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.errors import AuthorityRefused, AuthorityUnavailable, EntradaError, InteractionRequired, RenewalRefused
from entrada.provider.aadsts import ScopesRefused, number_in, operator_hint, refusal, renewal_refusal
from entrada.provider.meanings import MEANINGS, meaning_of
from entrada.settings import Settings

TRACE = "11111111-2222-4333-8444-555555555555"
DESCRIPTION = (
    "AADSTS7000215: Invalid client secret provided for app 'x' of bob@contoso.com.\r\n"
    f"Trace ID: {TRACE}\r\nCorrelation ID: {TRACE}\r\nTimestamp: 2026-08-13 10:00:00Z"
)


def test_a_wrong_secret_tells_the_person_and_the_operator_different_things():
    """The person reads what to do, the log what to mend, with the ids that the authority's support asks for."""
    refused = refusal("invalid_client", DESCRIPTION)
    assert (refused.code, refused.aadsts) == ("invalid_client", "AADSTS7000215")
    assert refused.public == "This application is not set up correctly at the sign-in service. " + (
        "Please tell the people who run this application."
    )
    assert "client_secret is wrong" in str(refused)
    assert f"Trace ID: {TRACE}; Correlation ID: {TRACE}" in str(refused)


def test_sec_015_nothing_of_the_authoritys_own_text_is_repeated():
    """SEC-015: the description, which may come from a stranger's link and names people, appears nowhere."""
    refused = refusal("invalid_client", DESCRIPTION + " <script>alert(1)</script>")
    for text in (str(refused), refused.public, repr(refused), refused.code):
        assert not any(word in text for word in ("bob", "script", "Invalid client secret", "Timestamp"))


@pytest.mark.parametrize("error", ["<script>", "", "a" * 65, "Access Denied", "x\ny", "é", "1st"])
def test_sec_015_an_error_word_that_is_none(error):
    """SEC-015: an error that is no word of OAuth's kind is not repeated."""
    refused = refusal(error)
    assert refused.code == "server_error"
    assert error == "" or error not in str(refused) + refused.public


@pytest.mark.parametrize(
    ("error", "description", "words"),
    [
        ("access_denied", "AADSTS65004: User declined", "did not grant"),
        ("access_denied", "", "cancelled"),
        ("invalid_grant", "AADSTS70008: expired", "took too long"),
        ("interaction_required", "AADSTS50105: not assigned", "not been given access"),
        ("access_denied", "AADSTS53003: blocked", "rules do not allow"),
        ("temporarily_unavailable", "", "busy"),
        ("login_required", "AADSTS50058: silent", "not signed in"),
        ("consent_required", "AADSTS65001: x", "permission"),
        ("invalid_grant", "AADSTS1: too short a number", "took too long or was already used"),
        ("something_new", "AADSTS99999999: never seen", "did not accept"),
    ],
)
def test_what_people_read(error, description, words):
    """Each refusal says in plain words what happened."""
    assert words in refusal(error, description).public


def test_every_meaning_is_whole():
    """Each entry says what happened, what to do and what to mend, in sentences for people."""
    for code, meaning in MEANINGS.items():
        assert meaning.cause.endswith("."), code
        assert meaning.mend.endswith("."), code
        assert meaning.operator, code
        assert not meaning.operator.endswith("."), code
        assert meaning.page, f"{code}: where an operator looks first"
        assert not meaning.setting or meaning.setting in Settings.model_fields, code
        assert meaning_of("x", aadsts=code) is meaning


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": "invalid_grant"}, RenewalRefused),
        ({"error": "invalid_grant", "suberror": "bad_token"}, RenewalRefused),
        ({"error": "invalid_grant", "suberror": "token_expired"}, RenewalRefused),
        ({"error": "invalid_grant", "suberror": "basic_action"}, InteractionRequired),
        ({"error": "invalid_grant", "suberror": "consent_required"}, InteractionRequired),
        ({"error": "invalid_grant", "suberror": "device_authentication_failed"}, InteractionRequired),
        ({"error": "invalid_grant", "suberror": "message_only"}, InteractionRequired),
        ({"error": "invalid_grant", "claims": "{}"}, InteractionRequired),
        ({"error": "invalid_grant", "error_description": "AADSTS50196: a client request loop"}, AuthorityUnavailable),
        ({"error": "interaction_required"}, InteractionRequired),
        ({"error": "login_required"}, InteractionRequired),
        ({"error": "consent_required"}, InteractionRequired),
        ({"error": "invalid_client"}, AuthorityUnavailable),
        ({"error": "unauthorized_client"}, AuthorityUnavailable),
        ({"error": "invalid_scope"}, ScopesRefused),
        ({"error": "invalid_resource"}, ScopesRefused),
        ({"error": "invalid_target"}, ScopesRefused),
        ({"error": "temporarily_unavailable"}, AuthorityUnavailable),
        ({"error": "server_error"}, AuthorityUnavailable),
        ({"error": ["invalid_grant"]}, AuthorityUnavailable),
        ({"error": "Invalid_Grant"}, AuthorityUnavailable),
        ({}, AuthorityUnavailable),
    ],
)
def test_renewals_by_error_and_suberror(body, kind):
    """A session ends for invalid_grant only: a wrong secret or a fault there signs nobody out (REL-001)."""
    assert type(renewal_refusal(body)) is kind


def test_the_number_never_decides():
    """The same error with any number is decided the same way."""
    for number in ("AADSTS50076", "AADSTS700082", "AADSTS50173", ""):
        refused = renewal_refusal({"error": "invalid_grant", "error_description": f"{number}: text"})
        assert type(refused) is RenewalRefused
        assert (getattr(refused, "aadsts", None) or "") == number


def test_the_claims_of_a_challenge_are_kept_and_bounded():
    """The claims that say which step is missing are handed on, when of a sane length."""
    challenge = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    kept = renewal_refusal({"error": "interaction_required", "claims": challenge})
    assert isinstance(kept, InteractionRequired)
    assert kept.claims == challenge
    long = renewal_refusal({"error": "interaction_required", "claims": "x" * 10_000})
    assert isinstance(long, InteractionRequired)
    assert long.claims is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": 5}', b'{"error": "<script>"}', b"\xff"])
def test_a_body_that_says_nothing(body):
    """A body that is no error body gives the operator no hint."""
    assert operator_hint(body) == ""


@given(st.text(), st.text())
def test_whatever_the_texts_there_is_a_refusal(error, description):
    """Whatever a stranger puts into an error answer, it is one of our errors, printable and short."""
    refused = refusal(error, description)
    assert isinstance(refused, AuthorityRefused)
    assert str(refused).isprintable()
    assert len(str(refused)) < 1000


VALUE = st.none() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())


@given(st.dictionaries(st.sampled_from(["error", "suberror", "error_description", "claims", "error_codes"]), VALUE))
def test_whatever_the_body_there_is_a_refusal(body):
    """Whatever a body's members, it is one of our errors."""
    assert isinstance(renewal_refusal(body), EntradaError)


def test_the_first_number_is_found():
    """B2C's numbers are found as well as Entra's."""
    assert number_in("AADB2C90091: The user has cancelled") == "AADB2C90091"
    assert number_in("x" * 5000 + "AADSTS50011") is None


def test_the_codes_that_matter_are_known():
    """BEY-6: what an operator meets has words of its own, for Entra and for B2C."""
    entra = (
        "50011 50020 50034 50053 50055 50057 50058 50076 50079 50105 50126 50140 50158 50173 50194 50196 53000 53001 "
        "53002 53003 53004 54005 65001 65004 65005 70000 70001 70002 70003 70004 70005 70007 70008 70011 70016 70043 "
        "700016 700027 700082 7000112 7000215 7000222 700024 9002313 9002325 9002326 90002 90014 90072 90094 900144 "
        "500011 500113 500133 530032"
    )
    b2c = (
        "90006 90018 90037 90047 90057 90058 90068 90075 90077 90080 90083 90085 90086 90088 90117 90118 90091 90120 "
        "90122 90128 90151 90154 90157 90205 90225 90273 90289"
    )
    wanted = {f"AADSTS{number}" for number in entra.split()} | {f"AADB2C{number}" for number in b2c.split()}
    assert wanted - MEANINGS.keys() == set()


def test_the_log_says_where_to_mend_it():
    """The operator's words name the page of the portal and the setting; the person's do not."""
    refused = refusal("invalid_request", "AADSTS50011: x")
    assert "Authentication" in str(refused)
    assert "ENTRADA_REDIRECT_URI" in str(refused)
    assert "ENTRADA" not in refused.public
