"""What is sealed beside a session: its tokens, when a renewal that failed may be tried again, and requests on hold.

A format version that we do not know holds no tokens.
"""

import msgspec

from entrada.sessions.formats import Format

FORMAT = 1


class Step(msgspec.Struct, frozen=True, array_like=True):
    """What the person must do before tokens for these scopes can be had again."""

    scopes: tuple[str, ...]
    claims: str = ""
    """The claims challenge that the next sign-in names; empty where the authority gave none."""
    until: int = 0
    """The authority is not asked again before this second since 1970, UTC."""


class Interrupted(msgspec.Struct, frozen=True, array_like=True):
    """A request that waits until its person has proven more."""

    id: str
    until: int
    """It is forgotten from this second since 1970, UTC."""
    address: str
    """Path and query."""
    content_type: str
    body: bytes

    def __repr__(self) -> str:
        return f"Interrupted(address={self.address!r})"


class HeldTokens(msgspec.Struct, frozen=True, array_like=True):
    """The token client's bytes, and the memory of failures that all workers share."""

    tokens: bytes
    retry_at: int = 0
    """No renewal before this second since 1970, UTC."""
    failures: int = 0
    """How many renewals have failed one after the other."""
    step: Step | None = None
    """The step that is missing, once the authority has said so."""
    interrupted: tuple[Interrupted, ...] = ()
    """Requests that wait for the person's next step, the oldest first."""

    def __repr__(self) -> str:
        return f"HeldTokens(retry_at={self.retry_at}, failures={self.failures})"


_format = Format(FORMAT, HeldTokens)
encode, decode = _format.encode, _format.decode
