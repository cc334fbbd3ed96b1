"""The key ring: what is taken, what is refused, and that nothing shows a secret."""

import base64
import subprocess
import sys
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from entrada.errors import SettingsRefused
from entrada.keyring import KeyRing, generate
from tests.processes import SOURCES


def encoded(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


RANDOM = bytes.fromhex("9f1c03b47ae5d26688fb10422e7dc95b36a0ed8153f7c41bde08726a95bb3fe4")


def test_a_generated_key_is_taken_and_no_two_are_the_same() -> None:
    """What `generate` makes is a ring of one key of 256 bits, different each time."""
    rings = [KeyRing.parse(generate()) for _ in range(20)]
    assert {len(ring.active.secret) for ring in rings} == {32}
    assert len({ring.active.secret for ring in rings}) == 20


def test_the_first_key_is_the_active_one() -> None:
    """Newest first, separated by commas or line ends: the first seals, the others only open (SEC-170)."""
    first, second, third = generate(), generate(), generate()
    ring = KeyRing.parse(f" {first} ,{second}\r\n{third}\n")
    assert ring.active.id == first.split(":")[0]
    assert [key.id for key in ring.keys] == [pair.split(":")[0] for pair in (first, second, third)]


def test_padding_makes_no_difference() -> None:
    """A secret may be written with or without its padding."""
    assert KeyRing.parse(f"a:{encoded(RANDOM)}=") == KeyRing.parse(f"a:{encoded(RANDOM)}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "keys: empty; make one with `python -m entrada.keyring`"),
        (" , ", "keys: empty"),
        (encoded(RANDOM), "number 1: the id before the colon"),
        (f":{encoded(RANDOM)}", "number 1: the id before the colon"),
        (f"{'i' * 33}:{encoded(RANDOM)}", "number 1: the id before the colon"),
        (f"a b:{encoded(RANDOM)}", "number 1: the id before the colon"),
        ("a:", "number 1: the secret must be 32 bytes"),
        (f"a:{encoded(RANDOM[:31])}", "number 1: the secret must be 32 bytes (256 bits)"),
        (f"a:{encoded(RANDOM + b'x')}", "number 1: the secret must be 32 bytes"),
        (f"a:{encoded(RANDOM)}!", "number 1: the secret is not base64url"),
        (f"a:{RANDOM.hex()}é", "number 1: the secret is not base64url"),
        (f"a:{encoded(bytes(32))}", "number 1: the secret is not random"),
        (f"a:{encoded(b'0123456789abcdef' * 2)}", "number 1: the secret is not random"),
        (f"a:{encoded(b'correct-horse-battery-staple-key')}", "number 1: the secret is not random"),
        (f"a:{encoded(bytes(range(32)))}", "number 1: the secret is not random"),
        (f"a:{encoded(bytes(range(255, 0, -7))[:32])}", "number 1: the secret is not random"),
        (f"a:{encoded(RANDOM[:16] * 2)}", "number 1: the secret is not random"),
        (f"a:{encoded(RANDOM)},b:{encoded(RANDOM)}", "an id or a secret is repeated"),
        (f"a:{encoded(RANDOM)},a:{encoded(RANDOM[::-1])}", "an id or a secret is repeated"),
        (f"a:{encoded(RANDOM)},b:short", "number 2: the secret"),
    ],
)
def test_weak_or_malformed_keys_are_refused_by_position(text: str, fault: str) -> None:
    """Each fault is named by the key's position, with the mend, and never with the key (SEC-172, SEC-173)."""
    with pytest.raises(SettingsRefused) as refused:
        KeyRing.parse(text)
    assert fault in str(refused.value)
    assert encoded(RANDOM)[:12] not in str(refused.value)


@given(st.text(max_size=200))
def test_any_text_is_a_ring_or_refused(text: str) -> None:
    """No text makes the parser fail in any other way."""
    try:
        KeyRing.parse(text)
    except SettingsRefused:
        return


@given(st.randoms(use_true_random=False))
def test_random_secrets_are_taken_as_they_are(random: Random) -> None:
    """Any 32 bytes that look random come back byte for byte."""
    secret = random.randbytes(32)
    assume(len(set(secret)) > 20 and not secret.isascii())
    assert KeyRing.parse(f"a:{encoded(secret)}").active.secret == secret


def test_random_keys_are_not_refused_by_chance() -> None:
    """The check for randomness lets every one of ten thousand random keys through."""
    for _ in range(10_000):
        KeyRing.parse(generate())


def test_each_purpose_has_a_secret_of_its_own() -> None:
    """Derived secrets differ by purpose and by key, are 256 bits, and are the same each time (SEC-171)."""
    ring = KeyRing.parse(f"{generate()},{generate()}")
    purposes = ("session-id", "session-record", "session-tokens", "transaction-cookie", "csrf-token")
    derived = [key.derive(purpose) for key in ring.keys for purpose in purposes]
    assert len({*derived, *(key.secret for key in ring.keys)}) == 12
    assert {len(secret) for secret in derived} == {32}
    assert derived == [key.derive(purpose) for key in ring.keys for purpose in purposes]


def test_a_derived_secret_is_what_it_always_was() -> None:
    """HKDF-SHA256 of the secret under "entrada/" and the purpose: stored sessions depend on it."""
    key = KeyRing.parse(f"a:{encoded(RANDOM)}").active
    assert key.derive("session-id").hex() == "58a2406fc3bb7a8cadca2e5f4772273a5fc7cb9f3508270536fc8220b6bd621b"


def test_nothing_prints_a_secret() -> None:
    """The ring and its keys show their ids only (SEC-173)."""
    ring = KeyRing.parse(f"my-key:{encoded(RANDOM)}")
    shown = f"{ring!r} {ring} {ring.active!r} {ring.active}"
    assert "my-key" in shown
    assert "secret" not in shown
    assert repr(RANDOM)[2:12] not in shown


def test_the_command_prints_a_key_that_is_taken() -> None:
    """`python -m entrada.keyring` prints one line, which is a ring."""
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "entrada.keyring"],
        env={"PYTHONPATH": SOURCES},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(printed.stdout.splitlines()) == 1
    assert len(KeyRing.parse(printed.stdout).keys) == 1


def test_a_waiting_key_opens_and_does_not_seal() -> None:
    """A key marked `+` comes last whatever its place; the first of the others is the active one (REL-072)."""
    new, old = generate(), generate()
    ring = KeyRing.parse(f"+{new}\n{old}")
    assert (ring.active.id, ring.waiting and ring.waiting.id) == (old.split(":")[0], new.split(":")[0])
    assert KeyRing.parse(ring.text()) == ring


def test_a_ring_of_waiting_keys_only_is_refused() -> None:
    """Something must seal."""
    with pytest.raises(SettingsRefused, match="keys: one must be active"):
        KeyRing.parse(f"+{generate()}")


def test_a_rotation_keeps_every_key() -> None:
    """Waiting, then active: at each step the ring opens all that it opened before."""
    first = KeyRing.parse(generate())
    waiting = first.with_waiting(KeyRing.parse(generate()).active)
    rotated = waiting.promoted()
    assert waiting.active == first.active
    assert rotated.active.secret == waiting.keys[1].secret
    assert {key.secret for key in rotated.keys} == {key.secret for key in waiting.keys} > {first.active.secret}
    assert rotated.waiting is None
    with pytest.raises(ValueError, match="no key is waiting"):
        rotated.promoted()
    assert rotated.without(first.active.id).keys == (rotated.active,)
    with pytest.raises(ValueError, match="the active key stays"):
        rotated.without(rotated.active.id)
    with pytest.raises(KeyError):
        rotated.without("another")
