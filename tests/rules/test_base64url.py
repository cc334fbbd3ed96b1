"""There is one way only to write some bytes in base64url."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.provider.tokens.base64url import decode

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@given(st.binary(min_size=1, max_size=200))
def test_what_was_encoded_comes_back(data):
    """SEC-043: canonical base64url is read."""
    assert decode(encoded(data)) == data


@given(st.text(st.sampled_from(ALPHABET + "+/= \n.\\\"'\x00é😀"), max_size=12) | st.text(max_size=12))
def test_whatever_is_read_is_canonical(segment):
    """SEC-043: what is read would be written in the same way, to the character."""
    read = decode(segment)
    assert read is None or (read and encoded(read) == segment)


FOREIGN = ["", "Q", "QQQQQ", "QR", "QQB", "QQ==", "QQ=", "=QQ", "+_-A", "/___", "+/+/", "-_+/", "QQ QQ", " QQ", "QQ\n"]
FOREIGN += ["Q.QQ", "QQ\x00A", "QQé", "\\u0051Q", '"QQ"', "QQ\ud800"]


@pytest.mark.parametrize("segment", FOREIGN, ids=ascii)
def test_sec_043_other_ways_to_write(segment):
    """SEC-043: the other alphabet, padding, blanks, escapes and bits without meaning are refused."""
    assert decode(segment) is None


def test_every_last_character():
    """SEC-043: of all last characters those are taken whose unused bits are zero, and no others."""
    for beginning in ("", "A", "AA", "AAA"):
        taken = {last for last in ALPHABET if decode(beginning + last) is not None}
        assert len(taken) == {1: 0, 2: 4, 3: 16, 0: 64}[len(beginning + "x") % 4]
