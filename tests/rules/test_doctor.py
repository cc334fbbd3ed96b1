"""The doctor's rules by themselves: where each verdict begins (BEY-6)."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from entrada.cli.doctor.authority import clocks_agree, registered, scopes_taken
from entrada.cli.doctor.credential import judged
from entrada.cli.doctor.here import MIB, days_left, free_space, unregistrable
from entrada.cli.doctor.kept import migrations
from entrada.cli.doctor.probe import Probed
from entrada.cli.doctor.reach import answered
from entrada.cli.doctor.report import document, sentence, show
from entrada.cli.findings import Finding
from entrada.provider.egress import Answer
from entrada.users.upgrade import Schema, Step, schema_at

URI = "https://app.contoso.com/api/auth/callback"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("days", "result"),
    [(-1, "fails"), (0, "fails"), (2, "fails"), (3, "warns"), (13, "warns"), (29, "warns"), (30, "passes")],
)
def test_a_credential_is_told_of_before_its_end(days: int, result: str) -> None:
    """SEC-174: from 30 days before its end there is a warning, within three days a failure; each says the mend."""
    found = days_left("client_secret 1", days)
    assert found.result == result
    assert bool(found.mend) == (result != "passes")


def test_an_end_that_nobody_has_told_is_unknown() -> None:
    """The authority does not say when a secret ends, so an unknown end is not a good one."""
    assert days_left("client_secret 1", None).result == "unknown"


@pytest.mark.parametrize(
    ("seconds", "result"),
    [(0, "passes"), (1, "passes"), (-11, "passes"), (12, "warns"), (-61, "warns"), (62, "fails"), (-3600, "fails")],
)
def test_clocks(seconds: int, result: str) -> None:
    """Ten seconds are a warning and more than the leeway a failure, either way; a header has whole seconds."""
    assert clocks_agree(timedelta(seconds=seconds), leeway=60).result == result


@pytest.mark.parametrize(("free", "result"), [(99, "fails"), (100, "warns"), (1023, "warns"), (1024, "passes")])
def test_free_space(free: int, result: str) -> None:
    """Below 100 MiB SQLite is about to stop, below 1 GiB somebody should look."""
    assert free_space(Path("/srv"), free=free * MIB).result == result


@pytest.mark.parametrize(
    ("probed", "uri", "scopes"),
    [
        (Probed("came back", error="login_required", status=302), "passes", "passes"),
        (Probed("came back", error="interaction_required", status=302), "passes", "passes"),
        (Probed("came back", error="invalid_scope", number="AADSTS70011", status=302), "passes", "fails"),
        (Probed("came back", status=302), "passes", "unknown"),
        (Probed("page", number="AADSTS50011", status=200), "fails", "unknown"),
        (Probed("page", number="AADB2C90006", status=200), "fails", "unknown"),
        (Probed("page", status=400), "fails", "unknown"),
        (Probed("page", status=200), "unknown", "unknown"),
        (Probed("elsewhere", status=302), "unknown", "unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.outcome}-{value.error or value.number}",
)
def test_what_a_request_without_a_person_tells(probed: Probed, uri: str, scopes: str) -> None:
    """Only what came back to it proves a redirect URI; what does not tell is unknown, neither right nor wrong."""
    assert (registered("redirect_uri", URI, probed).result, scopes_taken(probed, "openid").result) == (uri, scopes)


@pytest.mark.parametrize(
    ("error", "number", "result"),
    [
        ("invalid_client", "AADSTS7000215", "fails"),
        ("invalid_client", None, "fails"),
        ("unauthorized_client", "AADSTS700016", "fails"),
        ("unauthorized_client", None, "passes"),
        ("invalid_scope", None, "passes"),
        ("unsupported_grant_type", None, "unknown"),
        ("invalid_request", "AADSTS90002", "fails"),
    ],
)
def test_what_a_refused_token_tells_of_the_credential(error: str, number: str | None, result: str) -> None:
    """A client that may not have a token was authenticated; a request that is refused as such tells nothing."""
    assert judged("accepted", error=error, number=number).result == result


@pytest.mark.parametrize(
    ("status", "headers", "body", "result"),
    [
        (200, JSON, b'{"status":"ok"}', "passes"),
        (200, JSON, b'{"status":"fine"}', "fails"),
        (200, {"content-type": "text/html"}, b"<html>", "fails"),
        (400, JSON, b"{}", "fails"),
        (502, {}, b"", "fails"),
    ],
)
def test_who_answers_under_the_base_url(status: int, headers: dict[str, str], body: bytes, result: str) -> None:
    """Only our own answer counts; a refused host and another program are told apart from it."""
    assert answered(URI, Answer(status, headers, body)).result == result


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        (URI, None),
        ("http://localhost:8000/callback", None),
        ("https://a.example/" + "x" * 256, "longer than 256"),
        ("https://a.example/it's", "a character"),
        ("http://[::1]:8000/callback", "an IPv6 address"),
    ],
)
def test_what_cannot_be_registered(uri: str, fault: str | None) -> None:
    """Entra's own limits on redirect URIs are told before anybody tries in the portal."""
    found = unregistrable(uri)
    assert (found is None) if fault is None else (fault in (found or ""))


def test_schemas() -> None:
    """Pending steps and a newer release's tables fail; this release's pass."""
    everything = schema_at(None).pending
    assert migrations(schema_at(everything[-1].revision)).result == "passes"
    assert migrations(schema_at(everything[0].revision)).result == "fails"
    assert migrations(Schema(None, (Step("0001", "The users."),))).result == "fails"
    assert migrations(schema_at("9999")).result == "fails"


def test_a_warning_is_no_failure() -> None:
    """The verdict, and with it the exit status, follows failures alone; the sentence names both."""
    passing, warning = Finding("keys", "passes"), Finding("cookies", "warns", "r", "m")
    failing = Finding("store", "fails", "r", "m")
    assert document([passing, warning])["verdict"] == "fine"
    assert document([passing, failing])["verdict"] == "fails"
    assert sentence([warning]) == "Nothing fails; look at: cookies."
    assert sentence([warning, failing]) == "To be mended: store."
    assert sentence([passing]) == "Nothing is wrong that can be told from here."


@pytest.mark.parametrize("width", [20, 40, 80])
def test_what_is_found_is_read_in_a_narrow_window_too(width: int) -> None:
    """Where three columns have no room, what is said stands below what was looked at."""
    console = Console(file=StringIO(), width=width)
    show([Finding("expiry of client_secret 1", "fails", "ended 3 days ago", "make a new one")], console)
    printed = " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]  # it is the StringIO above
    assert "FAILS expiry of client_secret 1 ended 3 days ago mend: make a new one" in printed
