"""The error words of OAuth and OpenID Connect, which every authority has; they speak where no code is known."""

from entrada.provider.meanings.meaning import (
    AGAIN,
    AUTHENTICATION,
    BUSY,
    CONDITIONAL_ACCESS,
    GRANT,
    HEALTH,
    LATER,
    PERMISSIONS,
    REGISTRATION,
    SECRETS,
    SIGN_IN_LOGS,
    TELL,
    WHENEVER,
    Meaning,
)

OF_OAUTH: dict[str, Meaning] = {
    "access_denied": Meaning("The sign-in was cancelled.", WHENEVER, "the person or a policy declined", SIGN_IN_LOGS),
    "login_required": Meaning("You are not signed in yet.", AGAIN, "prompt=none found nobody signed in", SIGN_IN_LOGS),
    "interaction_required": Meaning(
        "The sign-in service needs one more step from you.",
        AGAIN,
        "a policy wants a step that was not taken",
        CONDITIONAL_ACCESS,
    ),
    "consent_required": Meaning(
        "A permission that this application needs has not been granted.",
        GRANT,
        "consent is missing: grant it under API permissions",
        PERMISSIONS,
        "scopes",
    ),
    "invalid_client": Meaning(
        REGISTRATION,
        TELL,
        "the client authentication failed: check client_id and client_secret",
        SECRETS,
        "client_secret",
    ),
    "unauthorized_client": Meaning(
        REGISTRATION, TELL, "the application may not do this: check its registration", AUTHENTICATION, "client_id"
    ),
    "redirect_uri_mismatch": Meaning(
        REGISTRATION, TELL, "the redirect URI is not registered", AUTHENTICATION, "redirect_uri"
    ),
    "invalid_request": Meaning(REGISTRATION, TELL, "the authority found the request malformed", SIGN_IN_LOGS),
    "unsupported_response_type": Meaning(
        REGISTRATION, TELL, "the response type is not enabled for the application", AUTHENTICATION
    ),
    "invalid_scope": Meaning(
        REGISTRATION, TELL, "a permission in scopes does not exist or may not be combined", PERMISSIONS, "scopes"
    ),
    "invalid_resource": Meaning(
        REGISTRATION, TELL, "the API named in scopes is unknown in the tenant", PERMISSIONS, "scopes"
    ),
    "invalid_grant": Meaning(
        "This sign-in took too long or was already used.",
        AGAIN,
        "the code or refresh token is not accepted",
        SIGN_IN_LOGS,
    ),
    "temporarily_unavailable": Meaning(
        "The sign-in service is busy.", LATER, "the authority says it is unavailable", HEALTH
    ),
    "server_error": Meaning(BUSY, LATER, "the authority reported a fault", HEALTH),
}
