"""Sealing and signing: what opens, and what never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.keyring import KeyRing, Purpose, generate
from entrada.sessions.sealing import Sealer

FIRST, SECOND = generate(), generate()
SEALER = Sealer(KeyRing.parse(FIRST))
PURPOSES: tuple[Purpose, ...] = ("session-id", "session-record", "session-tokens", "transaction-cookie", "csrf-token")
BOUND = (b"row", b"owner")


def sealed(plain: bytes = b"a secret") -> bytes:
    return SEALER.seal(plain, purpose="session-tokens", bound_to=BOUND)


def opened(value: bytes, *, purpose: Purpose = "session-tokens", bound_to: tuple[bytes, ...] = BOUND) -> bytes | None:
    return SEALER.open(value, purpose=purpose, bound_to=bound_to)


@given(st.binary(max_size=6000), st.lists(st.binary(max_size=40), max_size=4))
def test_what_was_sealed_opens_again(plain: bytes, parts: list[bytes]) -> None:
    """Any bytes come back under the purpose and the binding they were sealed with, as bytes and as text."""
    bound_to = tuple(parts)
    assert opened(SEALER.seal(plain, purpose="session-tokens", bound_to=bound_to), bound_to=bound_to) == plain
    text = SEALER.seal_text(plain, purpose="transaction-cookie", bound_to=bound_to)
    assert SEALER.open_text(text, purpose="transaction-cookie", bound_to=bound_to) == plain


def test_a_sealed_value_shows_nothing_and_is_never_the_same() -> None:
    """The plain bytes are not in it, and sealing twice gives two values: the nonce is random (SEC-168)."""
    values = {sealed(b"a secret of some length") for _ in range(100)}
    assert len(values) == 100
    assert not any(b"secret" in value for value in values)


def test_sealed_text_fits_a_cookie() -> None:
    """Text is of characters that a cookie takes as they are, and little longer than what was sealed (SEC-084)."""
    text = SEALER.seal_text(bytes(2800), purpose="transaction-cookie", bound_to=())
    assert all(character.isalnum() or character in "-_" for character in text)
    assert len(text) < 3800


@pytest.mark.parametrize("purpose", [purpose for purpose in PURPOSES if purpose != "session-tokens"])
def test_no_other_purpose_opens_it(purpose: Purpose) -> None:
    """A value sealed for one purpose is nothing for another (SEC-085, SEC-171)."""
    assert opened(sealed(), purpose=purpose) is None


@pytest.mark.parametrize(
    "bound_to",
    [(), (b"row",), (b"other", b"owner"), (b"row", b"owne"), (b"owner", b"row"), (b"rowowner",), (b"ro", b"wowner")],
)
def test_no_other_binding_opens_it(bound_to: tuple[bytes, ...]) -> None:
    """A value moved to another row or owner is nothing, also where the parts joined read the same (SEC-168)."""
    assert opened(sealed(), bound_to=bound_to) is None


def test_every_flipped_bit_is_noticed() -> None:
    """Changing any one bit of key id, nonce, ciphertext or tag leaves nothing to open (SEC-169)."""
    value, signed = sealed(), SEALER.sign(b"a record", purpose="session-record", bound_to=b"row")
    for number in range(len(value) * 8):
        assert opened(flipped(value, number)) is None, number
    for number in range(len(signed) * 8):
        assert SEALER.verify(flipped(signed, number), purpose="session-record", bound_to=b"row") is None, number


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_every_truncation_and_extension_is_noticed() -> None:
    """Neither a beginning of a value nor one with something after it opens (SEC-169)."""
    value, signed = sealed(), SEALER.sign(b"a record", purpose="session-record", bound_to=b"row")
    for length in range(len(value)):
        assert opened(value[:length]) is None
    for length in range(len(signed)):
        assert SEALER.verify(signed[:length], purpose="session-record", bound_to=b"row") is None
    assert opened(value + b"\0") is None
    assert SEALER.verify(signed + b"\0", purpose="session-record", bound_to=b"row") is None


@given(st.binary(max_size=300))
def test_rubbish_is_nothing(value: bytes) -> None:
    """Bytes that we did not make are None, never an exception."""
    assert opened(value) is None
    assert SEALER.verify(value, purpose="session-record", bound_to=b"row") is None


@given(st.text(max_size=300))
def test_rubbish_text_is_nothing(text: str) -> None:
    """Text that we did not make is None, whatever characters a stranger sends."""
    assert SEALER.open_text(text, purpose="transaction-cookie", bound_to=()) is None


def test_a_rotated_ring_opens_the_old_and_seals_with_the_new() -> None:
    """Old values open as long as their key is in the ring; new ones are made with the first (SEC-170)."""
    rotated, retired = Sealer(KeyRing.parse(f"{SECOND},{FIRST}")), Sealer(KeyRing.parse(SECOND))
    old, old_record = sealed(), SEALER.sign(b"a record", purpose="session-record", bound_to=b"row")
    assert rotated.open(old, purpose="session-tokens", bound_to=BOUND) == b"a secret"
    assert rotated.verify(old_record, purpose="session-record", bound_to=b"row") == b"a record"
    assert retired.open(old, purpose="session-tokens", bound_to=BOUND) is None
    assert retired.verify(old_record, purpose="session-record", bound_to=b"row") is None
    new = rotated.seal(b"new", purpose="session-tokens", bound_to=BOUND)
    assert retired.open(new, purpose="session-tokens", bound_to=BOUND) == b"new"
    assert opened(new) is None


def test_a_key_of_the_same_id_but_another_secret_opens_nothing() -> None:
    """The id only finds the key; the secret opens (SEC-169)."""
    namesake = Sealer(KeyRing.parse(FIRST.split(":")[0] + ":" + SECOND.split(":")[1]))
    assert namesake.open(sealed(), purpose="session-tokens", bound_to=BOUND) is None
    signed = SEALER.sign(b"a record", purpose="session-record", bound_to=b"row")
    assert namesake.verify(signed, purpose="session-record", bound_to=b"row") is None


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_sealed_text_has_one_spelling(length: int) -> None:
    """SEC-085: no other last character, padding or alphabet stands for the same bytes."""
    text = SEALER.seal_text(b"x" * length, purpose="transaction-cookie", bound_to=())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [text[:-1] + last for last in alphabet if last != text[-1]] + [f"{text}=", f"{text}==", f"{text}\n"]
    others += [text.replace("-", "+").replace("_", "/")] if set(text) & {"-", "_"} else []
    opened = {SEALER.open_text(other, purpose="transaction-cookie", bound_to=()) for other in others}
    assert opened == {None}
