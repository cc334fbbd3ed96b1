"""Base64url as a JWS has it: one way only to write some bytes (RFC 7515 section 2)."""

from collections.abc import Callable

from pydantic import ConfigDict, TypeAdapter, ValidationError

FOREIGN = "+", "/", "="
"""What the decoder below takes beside the alphabet of RFC 4648 section 5: the other alphabet, and padding."""
LAST = ("", "", "AQgw", "AEIMQUYcgkosw048")
"""Last characters whose unused bits are zero, by length modulo 4; of one character too many there is none."""
_base64 = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64", hide_input_in_errors=True))
_decoded: Callable[[str], bytes] = _base64.validator.validate_strings  # type: ignore[assignment]  # in Rust: fastest


def decode(segment: str) -> bytes | None:
    """Return the bytes that a segment is; None unless it is canonical.

    One alphabet, no padding, no blanks, no bits without meaning, and at least one byte.
    """
    over = len(segment) % 4
    plus, slash, pad = FOREIGN
    if plus in segment or slash in segment or pad in segment or (over and segment[-1] not in LAST[over]):
        return None
    try:
        return _decoded(segment) or None
    except ValidationError:
        return None
