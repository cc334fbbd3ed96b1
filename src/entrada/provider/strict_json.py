"""One JSON object out of bytes that a stranger may have written, read strictly.

Refused, beside what is not JSON: anything but one object, encodings other than UTF-8, a byte order mark, duplicate
members (RFC 8725 section 2.8 has what happens otherwise), NaN and Infinity, numbers that would become infinite, lone
surrogates, and nesting too deep.
"""

import json
from math import isfinite
from typing import Any, NoReturn

import msgspec

BLANKS = " \t\r\n"  # RFC 8259 section 2; str.strip() alone takes many more


class NotStrict(ValueError):
    """The bytes are not one strict JSON object; the text says why and quotes nothing."""


def json_object(data: bytes) -> dict[str, Any]:
    """Return the one object that `data` is; NotStrict otherwise, whatever the bytes."""
    value = _compact(data)
    return _careful(data) if value is None else value


def _compact(data: bytes) -> dict[str, Any] | None:
    """Return the object when encoding it again gives the same bytes, which proves it strict; None when that fails.

    Faster than the careful way, for what the great providers send: no blanks, no needless escapes. A member that is
    there twice, NaN, a lone surrogate or a byte order mark would not come back.
    """
    try:
        value = _decode(data)
        return value if isinstance(value, dict) and _encode(value) == data else None
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError):
        return None


def _careful(data: bytes) -> dict[str, Any]:
    """Return the object however it is written, or say why it is none."""
    try:
        text = data.decode("utf-8").strip(BLANKS)
        value, end = _decoder.raw_decode(text)
    except NotStrict:
        raise
    except UnicodeDecodeError:
        raise NotStrict("not UTF-8") from None
    except RecursionError:
        raise NotStrict("nested too deep") from None
    except ValueError:
        raise NotStrict("not JSON") from None
    if end != len(text):
        raise NotStrict("bytes after the object")
    if not isinstance(value, dict):
        raise NotStrict("not an object")
    if "\\u" in text:
        _refuse_lone_surrogates(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise NotStrict("a member is there twice")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise NotStrict("NaN and Infinity are not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise NotStrict("a number that is too large")
    return number


def _refuse_lone_surrogates(value: dict[str, Any]) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise NotStrict("a lone surrogate") from None


_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
_decoder = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_refuse_constant, parse_float=_finite)
