# ruff: noqa: E501
"""What B2C says when it refuses: AADB2C codes, in the redirect and in the JSON body.

Source: the product's reference of error codes, and redirects seen in issues. Unlike Entra's there is no trace id, no
list of codes, and every line ends with CRLF, the last one too.
"""

from dataclasses import dataclass

from entrada_emulator.errors import Trace


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code means on the wire."""

    error: str
    text: str


CODES: dict[int, Meaning] = {
    90001: Meaning("invalid_request", "This endpoint only accepts POST requests. Received a {method} request."),
    90006: Meaning(
        "redirect_uri_mismatch",
        "The redirect URI '{redirect_uri}' provided in the request is not registered for the client id '{client_id}'.",
    ),
    90008: Meaning("invalid_request", "The request does not contain a client ID parameter."),
    90010: Meaning("invalid_request", "The request does not contain a scope parameter."),
    90012: Meaning("invalid_scope", "The scope '{scope}' provided in request is not supported."),
    90013: Meaning(
        "unsupported_response_type",
        "The requested response type '{response_type}' provided in the request is not supported.",
    ),
    90014: Meaning(
        "invalid_request", "The requested response mode '{response_mode}' provided in the request is not supported."
    ),
    90018: Meaning(
        "unauthorized_client",
        "The client ID '{client_id}' specified in the request is not registered in tenant '{tenant}'.",
    ),
    90043: Meaning(
        "invalid_request",
        "The prompt included in the request contains invalid values. Expected 'none', 'login', 'consent' or 'select_account'.",
    ),
    90077: Meaning(
        "interaction_required",
        "User does not have an existing session and request prompt parameter has a value of 'None'.",
    ),
    90079: Meaning("invalid_request", "Clients must send a client_secret when redeeming a confidential grant."),
    90080: Meaning("invalid_grant", "The provided grant has expired. Please re-authenticate and try again."),
    90081: Meaning(
        "invalid_client",
        "The specified client_secret does not match the expected value for this client. Please correct the client_secret and try again.",
    ),
    90083: Meaning("invalid_request", "The request is missing required parameter: {parameter}."),
    90084: Meaning(
        "invalid_request", "Public clients should not send a client_secret when redeeming a publicly acquired grant."
    ),
    90085: Meaning(
        "server_error", "The service has encountered an internal error. Please reauthenticate and try again."
    ),
    90086: Meaning("unsupported_grant_type", "The supplied grant_type [{grant_type}] is not supported."),
    90088: Meaning(
        "invalid_grant",
        "The provided grant has not been issued for this endpoint. Actual Value : {actual} and Expected Value : {expected}",
    ),
    90091: Meaning("access_denied", "The user has cancelled entering self-asserted information."),
    90118: Meaning("access_denied", "The user has forgotten their password."),
    90120: Meaning(
        "invalid_request",
        "The max age parameter '{max_age}' specified in the request is invalid. Max age must be an integer between '0' and '{most}' inclusive.",
    ),
    90121: Meaning(
        "interaction_required",
        "The user session exceeds the specified maximum age and request prompt parameter has a value of 'None'.",
    ),
    90128: Meaning(
        "invalid_grant", "The account associated with this grant no longer exists. Please reauthenticate and try again."
    ),
    90129: Meaning("invalid_grant", "The provided grant has been revoked. Please reauthenticate and try again."),
    90182: Meaning("invalid_grant", "The supplied code_verifier does not match associated code_challenge."),
    90183: Meaning("invalid_grant", "The supplied code_verifier is invalid."),
    90184: Meaning(
        "invalid_request", "The supplied code_challenge_method is not supported. Supported values are: plain, S256."
    ),
    90224: Meaning("unauthorized_client", "Resource owner flow has not been enabled for the application."),
    90225: Meaning("access_denied", "The username or password provided in the request are invalid."),
    99059: Meaning("invalid_request", "The supplied request must present a code_challenge."),
}


class B2CError(Exception):
    """A refusal with an AADB2C code; `values` fill its sentence."""

    def __init__(self, code: int, **values: str) -> None:
        self.code = code
        self.error = CODES[code].error
        self.text = f"AADB2C{code}: {CODES[code].text.format(**values)}"
        super().__init__(self.text)


def description(error: B2CError, trace: Trace) -> str:
    """The sentence with correlation id and time, each line ended by CRLF."""
    return f"{error.text}\r\nCorrelation ID: {trace.correlation_id}\r\nTimestamp: {trace.timestamp}\r\n"


def body(error: B2CError, trace: Trace) -> dict[str, str]:
    """The JSON body of a token error."""
    return {"error": error.error, "error_description": description(error, trace)}


def redirect_fields(error: B2CError, trace: Trace, *, state: str | None) -> dict[str, str]:
    """The parameters with which the application gets an error back."""
    return body(error, trace) | ({} if state is None else {"state": state})
