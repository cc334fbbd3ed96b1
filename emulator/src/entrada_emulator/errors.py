"""What Entra says when it refuses, and the two forms in which an error travels: JSON body and redirect."""

from dataclasses import dataclass
from datetime import datetime

from entrada_emulator.aadsts import CODES

ERROR_PAGE = "https://login.microsoftonline.com/error?code="
"""Where `error_uri` points; MSAL.js reads the number after `code=`."""


UNAUTHORIZED = 401
UNNAMED = "your organisation"
"""The tenant, in a sentence for whoever asked by a path that is no tenant's."""


class EntraError(Exception):
    """A refusal with an AADSTS code.

    `values` fill the code's sentence; `error` and `suberror` may differ from the table where the same code travels in
    another flow (50076 is `interaction_required` at /authorize); `claims` is the challenge to be sent on.
    """

    def __init__(
        self,
        code: int,
        *,
        error: str | None = None,
        suberror: str | None = None,
        claims: str | None = None,
        **values: str,
    ) -> None:
        meaning = CODES[code]
        self.code = code
        self.error = error or meaning.error
        self.suberror = suberror if suberror is not None else meaning.suberror
        self.status = UNAUTHORIZED if self.error == "invalid_client" else meaning.status
        self.claims = claims
        self.has_page = meaning.has_page
        self.text = f"AADSTS{code}: {meaning.text.format_map(_Values(values))}"
        super().__init__(self.text)


@dataclass(frozen=True, slots=True)
class Trace:
    """What identifies one request in an error: `trace_id` (also `x-ms-request-id`), `correlation_id`, and the time."""

    trace_id: str
    correlation_id: str
    at: datetime

    @property
    def timestamp(self) -> str:
        """As Entra writes it: `2026-08-13 10:00:00Z`."""
        return self.at.strftime("%Y-%m-%d %H:%M:%SZ")


def error_description(error: EntraError, trace: Trace) -> str:
    """The sentence with the three lines that Entra appends, separated by CRLF."""
    return (
        f"{error.text}\r\nTrace ID: {trace.trace_id}\r\nCorrelation ID: {trace.correlation_id}"
        f"\r\nTimestamp: {trace.timestamp}"
    )


def error_body(error: EntraError, trace: Trace) -> dict[str, object]:
    """The JSON body of a token error, its keys in Entra's order."""
    body: dict[str, object] = {
        "error": error.error,
        "error_description": error_description(error, trace),
        "error_codes": [error.code],
        "timestamp": trace.timestamp,
        "trace_id": trace.trace_id,
        "correlation_id": trace.correlation_id,
    }
    optional = {"error_uri": error_uri(error), "suberror": error.suberror, "claims": error.claims}
    return body | {name: value for name, value in optional.items() if value}


def error_redirect(error: EntraError, trace: Trace, *, state: str | None = None) -> dict[str, str]:
    """The parameters with which an authorize error goes back to the redirect URI."""
    optional = {
        "error_uri": error_uri(error),
        "error_subcode": error.suberror if error.suberror == "cancel" else None,
        "state": state,
    }
    parameters = {"error": error.error, "error_description": error_description(error, trace)}
    return parameters | {name: value for name, value in optional.items() if value is not None}


def error_uri(error: EntraError) -> str | None:
    """The page about this code, for the codes that have one."""
    return f"{ERROR_PAGE}{error.code}" if error.has_page else None


class _Values(dict[str, str]):
    """Leaves a blank in a sentence where the caller knew nothing to say."""

    def __missing__(self, key: str) -> str:
        return ""
