"""A return address never leads off this origin (SEC-115, SEC-116, SEC-119)."""

import itertools
import random
import string

import ada_url
import pytest

from entrada.web import return_to

ORIGIN = "https://app.example"
EVIL = ("evil.example", "evil.example:443", "user@evil.example", "0x7f.1", "evil。example", "[::1]", "")
SLASHES = (
    "/",
    "//",
    "///",
    "\\",
    "\\\\",
    "/\\",
    "\\/",
    "/\t/",
    "/\n/",
    "/\r/",
    "\t//",
    "\n//",
    " //",
    "/%09/",
    "/%5c",
    "/%2f",
    "/%2F%2f",
    "%2f%2f",
    "/.",
    "/./",
    "/..",
    "/../",
    "/%2e/",
    "/%2e%2e/",
    "/..;/",
    "/;/",
    "/\x00/",
    "/\u2028/",
    "／／",
    "/／",
    "//\u3002",
    "/@",
    "/:",
    "/?//",
    "/#//",
)
SCHEMES = (
    "",
    "http:",
    "https:",
    "HTTPS:",
    "javascript:",
    "data:",
    "vbscript:",
    "file:",
    "blob:",
    "ht\ntps:",
    "java\tscript:",
    " https:",
    "\x01https:",
    "view-source:",
    "ws:",
    "//",
    "/https:",
    "/javascript:",
)
TAILS = (
    "",
    "/",
    "/path",
    "?q=1",
    "#f",
    "\r\nSet-Cookie: a=b",
    "%0d%0aLocation: https://evil.example",
    "/..//",
    "\u0000",
    "é",
    "/%",
)


def hostile() -> list[str]:
    """Return a few thousand inputs: every combination of the parts, and random mixtures of the same characters."""
    combined = ["".join(parts) for parts in itertools.product(SCHEMES, SLASHES, EVIL, TAILS)]
    dice = random.Random(20)
    alphabet = "/\\.%:@?#;&= \t\r\n\x00\x0b\x7f\xa0é／。'\"<>`{}|^" + string.ascii_letters[:6] + "259fFeEcC"
    mixed = ["/" + "".join(dice.choices(alphabet, k=dice.randint(1, 12))) for _ in range(6000)]
    return combined + mixed


def test_no_hostile_address_that_is_accepted_leaves_the_origin() -> None:
    """SEC-115: of thousands of hostile inputs, what is accepted stays here for a WHATWG parser, and reads as it was."""
    inputs = hostile()
    accepted = [text for text in inputs if return_to.accepted(text)]
    assert len(inputs) > 10_000
    assert accepted, "the corpus must also have some that are harmless"
    for text in accepted:
        url = ada_url.URL(text, base=ORIGIN)
        assert url.origin == ORIGIN, text
        assert url.href == ORIGIN + text, text  # nothing was rewritten: what was checked is what is followed


def test_what_is_accepted_cannot_split_a_header() -> None:
    """SEC-119: what is accepted is visible ASCII without blanks."""
    for text in filter(return_to.accepted, hostile()):
        assert text.isascii(), text
        assert all("!" <= character <= "~" for character in text), text


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a//b",
        "/a/../b",
        "/a/%2e%2e/b",
        "/%2F/evil.example",
        "/a\r\nb",
        "/a b",
        "/é",
        "",
        "a",
        "javascript:alert(1)",
        "/a/./b",
        "/a%5cb",
        "/%00",
        "/a#b",
        "/" + "a" * 1024,
        "/%zz",
    ],
)
def test_refused(text: str) -> None:
    """SEC-116: each of these forms is refused."""
    assert return_to.accepted(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/a",
        "/a/",
        "/a/b.html",
        "/a?b=c&d=%2F",
        "/?next=//x",
        "/%C3%A9",
        "/a;v=1",
        "/~me",
        "/.well-known/x",
        "/..a",
    ],
)
def test_accepted(text: str) -> None:
    """LOG-3: paths and queries of ordinary pages come back as they were."""
    assert return_to.accepted(text) == text


@pytest.mark.parametrize(
    ("path", "query", "address"),
    [
        ("/a b/é", b"", "/a%20b/%C3%A9"),
        ("/a", b"q=1", "/a?q=1"),
        ("//evil.example", b"", None),
        ("/a\\b", b"", None),
        ("/a", b"q=\xff", None),
        ("/a\nb", b"", None),
    ],
)
def test_address_of_a_request(path: str, query: bytes, address: str | None) -> None:
    """SEC-116: the address of a request is made from its path and query only, and checked like any other."""
    assert return_to.of_request(path, query) == address
