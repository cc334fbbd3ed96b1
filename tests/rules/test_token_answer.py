"""A token endpoint's answer is tokens, a refusal, or nothing: whatever the bytes (SEC-029, SEC-030)."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.errors import AuthorityUnavailable
from entrada.provider.clients.token_answer import LONGEST_LIFE, GrantRefused, TokensGranted, lifetime, read
from entrada.provider.egress import Answer

JSON = {"content-type": "application/json"}
GOOD = {"access_token": "at", "token_type": "Bearer", "expires_in": 3600}
TEXT = st.text('aZ09-._~ "\\\n\x00é😀', max_size=8)  # few characters: the whole of Unicode takes seconds to set up
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
NAMES = ("access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token", "client_info", "error",
         "error_description", "suberror")  # fmt: skip


@given(st.integers(100, 599), st.binary(max_size=200))
def test_bytes_are_never_believed_and_never_crash(status: int, body: bytes) -> None:
    with suppress(AuthorityUnavailable):
        read(Answer(status=status, headers=JSON, body=body))


@given(st.integers(200, 599), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6), st.booleans())
def test_what_is_granted_has_a_usable_token_and_a_bounded_life(status: int, body: dict[str, Any], good: bool) -> None:
    answer = Answer(status=status, headers=JSON, body=json.dumps(GOOD | body if good else body).encode())
    with suppress(AuthorityUnavailable):
        match read(answer):
            case TokensGranted() as granted:
                assert status == 200
                assert "error" not in body
                assert granted.access_token
                assert granted.access_token.isascii()
                assert not set(granted.access_token) & set(" \r\n\t")
                assert 0 <= granted.expires_in <= LONGEST_LIFE
            case GrantRefused() as refused:
                assert status == 200 or 400 <= status < 500
                assert refused.error == body["error"]


@given(VALUES)
def test_a_life_is_whole_seconds_between_none_and_a_week(expires_in: Any) -> None:
    seconds = lifetime(expires_in)
    assert type(seconds) is int
    assert 0 <= seconds <= LONGEST_LIFE


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_a_short_life(number: float) -> None:
    assert lifetime(number) == 300


@pytest.mark.parametrize("word", ["", "two words", 'quo"ted', "a" * 65, "line\nbreak", "é"])
def test_an_error_word_that_is_none_is_no_refusal(word: str) -> None:
    """RFC 6749 section 5.2: only its characters; nobody is signed out for anything else."""
    with pytest.raises(AuthorityUnavailable):
        read(Answer(status=400, headers=JSON, body=json.dumps({"error": word}).encode()))


def test_tokens_beside_an_error_are_not_taken() -> None:
    """An answer that grants and refuses at once is a refusal."""
    body = json.dumps(GOOD | {"error": "invalid_grant"}).encode()
    assert isinstance(read(Answer(status=200, headers=JSON, body=body)), GrantRefused)


def test_nothing_secret_is_in_a_repr() -> None:
    """Neither tokens nor the body of a refusal can be printed by accident."""
    body = json.dumps(GOOD | {"access_token": "s3cret", "refresh_token": "s3cret", "id_token": "s3cret"}).encode()
    assert "s3cret" not in repr(read(Answer(status=200, headers=JSON, body=body)))
    refused = read(Answer(status=400, headers=JSON, body=b'{"error":"invalid_grant","claims":"s3cret"}'))
    assert "s3cret" not in repr(refused)
