"""Redaction: what is secret by name or form does not survive it, what people need to read does."""

import base64
import json
import secrets
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.redaction import SECRET_NAMES, clean, clean_fields, clean_lines, printable

CANARY = "kE7-Q_canary-9fZ"
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"RS256"}', b'{"sub":"x"}', b"s" * 9)
)


@pytest.mark.parametrize("name", sorted(SECRET_NAMES))
@pytest.mark.parametrize(
    "form",
    [
        "{name}={value}",
        "GET /x?a=1&{name}={value}&b=2 HTTP/1.1",
        "{name}: {value}",
        '{{"{name}": "{value}"}}',
        "{{'{name}': '{value}', 'a': 1}}",
        "[(b'{name}', b'{value}')]",
        '("{name}","{value}")',
        "{NAME}={value}",
    ],
)
def test_a_value_with_a_secrets_name_is_hidden_in_every_spelling(name: str, form: str) -> None:
    """SEC-146."""
    line = form.format(name=name, NAME=name.upper(), value=CANARY)
    assert CANARY not in clean(line), line


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {CANARY}",
        f"Authorization: Basic {CANARY}==",
        f"authorization: Signature a {CANARY}",
        f"Cookie: a=b; __Host-entrada={CANARY}; c=d",
        f"set-cookie: x={CANARY}; Path=/",
        f"headers=[(b'cookie', b'a=1; b={CANARY}'), (b'x', b'y')]",
        f"using bearer {CANARY}",
        f"redis://:{CANARY}@host/0 and postgresql://user:{CANARY}@host/db",
    ],
)
def test_headers_and_connection_strings_lose_their_credentials(line: str) -> None:
    assert CANARY not in clean(line)


def test_a_token_is_known_by_its_form_wherever_it_stands() -> None:
    for line in (JWT, f"failed on <{JWT}>", f"a/{JWT}?", f"{JWT[: JWT.rindex('.')]}", f"tok{chr(10)}{JWT}"):
        assert JWT[:12] not in clean(line), line
        assert JWT.split(".")[1] not in clean(line), line


def test_long_random_text_is_hidden_without_a_name() -> None:
    """A session id, state, verifier or key of ours has 256 bits."""
    for _ in range(200):
        value = secrets.token_urlsafe(32)
        assert value not in clean(f"looked up {value} in the store")


@pytest.mark.parametrize(
    "line",
    [
        "sign_in_refused error=invalid_grant status=400",
        "correlation_id=3f0b6f0e-53a6-4f4c-9a52-0c6f3a1f5f10",
        "correlation_id=9f86d081884c7d659a2feaa0c55ad015",
        "AADSTS50011: the redirect URI does not match",
        "status_code=200 exit_code=3 estate=large",
        "fetched https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration in 12 ms",
        "Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
        "a" * 64,
        "-" * 80,
        "façade: Zoë Müller 北京",
    ],
)
def test_what_people_need_to_read_stays(line: str) -> None:
    assert clean(line) == line


@pytest.mark.parametrize(
    "hostile", ["\r\n", "\n", "\x1b[2J", "\x00", "\x85", "\u2028", "\u202e", "\x7f", "\x9b31m", "\u2066"]
)
def test_no_text_begins_hides_or_colours_a_line(hostile: str) -> None:
    """SEC-147."""
    cleaned = clean(f"a{hostile}b")
    assert hostile not in cleaned
    assert cleaned.isprintable()


@given(st.text())
def test_whatever_comes_leaves_as_one_printable_encodable_line(text: str) -> None:
    """SEC-147: also half of a surrogate pair."""
    cleaned = clean(text)
    cleaned.encode()
    assert len(cleaned.splitlines()) <= 1
    assert printable(cleaned) == cleaned


@given(st.text())
def test_the_lines_of_a_traceback_cannot_pose_as_entries(text: str) -> None:
    assert all(line.startswith("    ") for line in clean_lines(text).splitlines()[1:])


def test_named_values_are_hidden_by_name_and_cleaned_by_form_at_any_depth() -> None:
    deep: dict[str, object] = {"code": CANARY}
    for _ in range(50):
        deep = {"inner": [deep]}
    fields = {
        "state": CANARY,
        "sid": 12345,
        "url": f"https://x.test/?code={CANARY}",
        "headers": {"Cookie": CANARY, "Accept": "text/html"},
        "error": ValueError(f"password={CANARY}"),
        "raw": f"token={CANARY}".encode(),
        "many": [JWT, {"nonce": CANARY}],
        "deep": deep,
        "status": 200,
        "ok": True,
        "nothing": None,
    }
    cleaned = clean_fields(fields)
    written = json.dumps(cleaned)
    assert CANARY not in written
    assert JWT not in written
    assert "12345" not in written
    assert cleaned["headers"]["Accept"] == "text/html"
    assert (cleaned["status"], cleaned["ok"], cleaned["nothing"]) == (200, True, None)


@pytest.mark.parametrize(
    "unit",
    ["code", "code=", "a=b;", " ", "eyJ", "eyJaaaaaaaaa.", "'", "cookie: ", "bearer ", "://", "://a:", "-", "aB"],
)
def test_hostile_text_costs_linear_time(unit: str) -> None:
    """SEC-159: 100 KiB of anything is cleaned in a moment."""
    text = unit * (100 * 1024 // len(unit))
    started = time.process_time()
    clean(text)
    assert time.process_time() - started < 1
