"""What the authority sent back through the browser, and the proof that it answers an attempt of this browser."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from entrada.errors import AuthorityRefused, TransactionRefused
from entrada.flows.signing_in.transaction import Transaction

ONCE = frozenset({"state", "code", "error", "error_description", "error_uri", "error_subcode", "iss", "session_state"})
LONGEST_STATE = 128
LONGEST_CODE = 16 * 1024  # Entra's codes have about 1.5 kB


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """The parameters of one answer (RFC 6749 4.1.2, RFC 9207), none of them believed yet."""

    state: str = field(repr=False)
    code: str | None = field(repr=False, default=None)
    error: str | None = None
    error_description: str | None = field(repr=False, default=None)
    error_subcode: str | None = None
    """Entra's word for why: `cancel` when the person did."""
    iss: str | None = None

    @classmethod
    def parse(cls, parameters: Iterable[tuple[str, str]]) -> "AuthorizationResponse":
        """Read the answer; TransactionRefused without state, with a repeated parameter, or with both code and error."""
        found: dict[str, str] = {}
        for name, value in parameters:
            if name in found and name in ONCE:
                raise TransactionRefused(f"the answer repeats {name}")  # SEC-016
            found[name] = value
        state = found.get("state", "")
        if not state or len(state) > LONGEST_STATE:
            raise TransactionRefused("the answer has no usable state")
        if ("code" in found) == ("error" in found) or len(found.get("code", "")) > LONGEST_CODE:
            raise TransactionRefused("the answer must have either a code or an error")
        return cls(
            state=state,
            code=found.get("code"),
            error=found.get("error"),
            error_description=found.get("error_description"),
            error_subcode=found.get("error_subcode"),
            iss=found.get("iss"),
        )


class Cancelled(AuthorityRefused):
    """The person pressed Cancel at the authority."""

    public = "You cancelled the sign-in."


@dataclass(frozen=True, slots=True)
class MatchedCallback:
    """An answer whose attempt was found in this browser and spent. Only `SignIn.match` makes one."""

    transaction: Transaction
    code: str = field(repr=False)
    issuer: str | None
    """Who the answer says that it is from, if it does (RFC 9207): one that the transaction's issuer covers."""
