"""What is sealed beside a session: its tokens, and when a renewal that failed may be tried again.

Bytes: one byte of format version, then msgpack. A version that we do not know holds no tokens.
"""

import msgspec

FORMAT = 1


class HeldTokens(msgspec.Struct, frozen=True, array_like=True):
    """The token client's bytes, and the memory of failures that all workers share."""

    tokens: bytes
    retry_at: int = 0
    """No renewal before this second since 1970, UTC."""
    failures: int = 0
    """How many renewals have failed one after the other."""

    def __repr__(self) -> str:
        return f"HeldTokens(retry_at={self.retry_at}, failures={self.failures})"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(HeldTokens)


def encode(held: HeldTokens) -> bytes:
    """Return the bytes to seal, in the present format."""
    return bytes((FORMAT,)) + _encoder.encode(held)


def decode(data: bytes) -> HeldTokens | None:
    """Return what was sealed, or None when the format is unknown."""
    if not data or data[0] != FORMAT:
        return None
    try:
        return _decoder.decode(memoryview(data)[1:])
    except msgspec.MsgspecError:
        return None
