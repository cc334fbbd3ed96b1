"""The record of a session, as bytes."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.principal import User
from entrada.sessions.record import FORMAT, RequestFacts, SessionRecord, decode, encode

ADA = User(
    issuer="https://login.microsoftonline.com/t/v2.0",
    subject="sub",
    tenant_id="11111111-1111-4111-8111-111111111111",
    object_id="22222222-2222-4222-8222-222222222222",
    name="Ada Lovelace ✓",
    username="ada@contoso.com",
    email="ada@contoso.com",
    roles=frozenset({"Admin", "Reader"}),
    auth_time=datetime(2026, 1, 5, 9, tzinfo=UTC),
    amr=("pwd", "mfa"),
    acrs=frozenset({"p1"}),
    sid="a-sid",
    login_hint="O.hint",
)
RECORD = SessionRecord(
    user=ADA,
    created_at=1,
    last_seen_at=2,
    idle_expires_at=3,
    expires_at=4,
    facts=RequestFacts(address="2001:db8::1", user_agent="Firefox"),
)


@pytest.mark.parametrize("user", [ADA, User(issuer="i", subject="s"), replace(ADA, name="\ud7ff" * 500)])
def test_a_record_comes_back_as_it_was(user: User) -> None:
    """Every member of the record and of its person survives."""
    record = msgspec.structs.replace(RECORD, user=user)
    assert decode(encode(record)) == record


def test_a_newer_format_is_no_record() -> None:
    """A format that we do not know yet is None, not an error (SEC-079)."""
    data = encode(RECORD)
    assert data[0] == FORMAT
    for version in set(range(256)) - {FORMAT}:
        assert decode(bytes((version,)) + data[1:]) is None


def test_members_added_by_a_later_release_of_the_same_format_are_passed_over() -> None:
    """A rolling update may add members: older workers read the rest (SEC-079)."""
    members = msgspec.msgpack.decode(encode(RECORD)[1:])
    members["added_later"] = {"deep": [1, 2]}
    assert decode(bytes((FORMAT,)) + msgspec.msgpack.encode(members)) == RECORD


@given(st.binary(max_size=200))
def test_rubbish_is_no_record(data: bytes) -> None:
    """Bytes of any kind are a record or None, never an exception."""
    decode(data)
    assert decode(bytes((FORMAT,)) + b"\xc1" + data) is None


def test_a_truncated_record_is_no_record() -> None:
    """No beginning of a record is one."""
    data = encode(RECORD)
    assert all(decode(data[:length]) is None for length in range(len(data)))
