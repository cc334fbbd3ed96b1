"""The codes of Azure AD B2C, about people, user flows and the application."""

from entrada.provider.meanings.meaning import (
    AGAIN,
    B2C_APPLICATION,
    B2C_AUTHENTICATION,
    B2C_CONNECTORS,
    B2C_FLOWS,
    B2C_LOGS,
    B2C_PAGES,
    B2C_PERMISSIONS,
    B2C_PROVIDERS,
    B2C_SECRETS,
    B2C_USERS,
    BUSY,
    LATER,
    REGISTRATION,
    TELL,
    WHENEVER,
    Meaning,
)

WRONG = "The user name or password was wrong."
OLD = "This sign-in cannot be used any more."
LOCKED = "This account is locked for a while."
TOO_OFTEN = "You tried too often."
WAIT = "Wait a few minutes, then try again."


def _ours(operator: str, page: str, setting: str = "") -> Meaning:
    """Return a refusal that no person can do anything about."""
    return Meaning(REGISTRATION, TELL, operator, page, setting)


OF_B2C: dict[str, Meaning] = {
    "AADB2C90002": _ours("a page's own content is not found at its address", B2C_PAGES),
    "AADB2C90006": _ours(
        "the redirect URI is not registered for the application: add it, byte for byte",
        B2C_AUTHENTICATION,
        "redirect_uri",
    ),
    "AADB2C90007": _ours("the application has no redirect URI at all", B2C_AUTHENTICATION, "redirect_uri"),
    "AADB2C90008": _ours("the request names no application", B2C_APPLICATION, "client_id"),
    "AADB2C90010": _ours("the request names no scope", B2C_PERMISSIONS, "scopes"),
    "AADB2C90012": _ours("a scope is not supported", B2C_PERMISSIONS, "scopes"),
    "AADB2C90013": _ours("the response type is not supported", B2C_AUTHENTICATION),
    "AADB2C90014": _ours("the response mode is not supported", B2C_AUTHENTICATION, "response_mode"),
    "AADB2C90018": _ours("the application was not found in the B2C tenant", B2C_APPLICATION, "client_id"),
    "AADB2C90035": Meaning(BUSY, LATER, "B2C is unavailable for a while", B2C_LOGS),
    "AADB2C90036": _ours("the sign-out names no address to go on to", B2C_AUTHENTICATION, "base_url"),
    "AADB2C90037": Meaning(BUSY, TELL, "B2C failed while it worked on the request", B2C_LOGS),
    "AADB2C90043": _ours("the request has a prompt that B2C does not know", B2C_FLOWS),
    "AADB2C90046": Meaning(
        "The sign-in service has lost track of this sign-in.",
        AGAIN,
        "B2C could not read the state of the attempt",
        B2C_LOGS,
    ),
    "AADB2C90047": _ours("a page's own content has a script that fails, or CORS is missing there", B2C_PAGES),
    "AADB2C90048": Meaning(BUSY, LATER, "B2C had a fault that it did not expect", B2C_LOGS),
    "AADB2C90052": Meaning(WRONG, AGAIN, "wrong credentials", B2C_USERS),
    "AADB2C90053": Meaning(WRONG, AGAIN, "no such user", B2C_USERS),
    "AADB2C90054": Meaning(WRONG, AGAIN, "wrong credentials", B2C_USERS),
    "AADB2C90055": _ours("no scope names an API or the application itself", B2C_PERMISSIONS, "scopes"),
    "AADB2C90057": _ours("tokens from the authorization endpoint are not enabled, nor wanted here", B2C_AUTHENTICATION),
    "AADB2C90058": _ours(
        "the application is not registered as public: set client_secret, or allow public client flows",
        B2C_AUTHENTICATION,
        "client_secret",
    ),
    "AADB2C90068": _ours(
        "the application is registered outside of B2C: register it in the B2C tenant", B2C_APPLICATION, "client_id"
    ),
    "AADB2C90075": Meaning(
        BUSY, LATER, "an API that the user flow asks answered with an error", B2C_CONNECTORS, "b2c_policy"
    ),
    "AADB2C90077": Meaning("You are not signed in yet.", AGAIN, "prompt=none found nobody signed in", B2C_LOGS),
    "AADB2C90079": _ours("client_secret is missing", B2C_SECRETS, "client_secret"),
    "AADB2C90080": Meaning(
        "You have been away for long.",
        AGAIN,
        "the code or refresh token has expired",
        B2C_FLOWS,
        "session_expiry_days",
    ),
    "AADB2C90081": _ours("client_secret is wrong: copy the secret's value, not its id", B2C_SECRETS, "client_secret"),
    "AADB2C90083": _ours("a parameter that is required is missing from the request", B2C_LOGS),
    "AADB2C90084": _ours(
        "the application is registered as public: leave out client_secret", B2C_AUTHENTICATION, "client_secret"
    ),
    "AADB2C90085": Meaning(BUSY, AGAIN, "B2C had a fault, or the code is another application's", B2C_LOGS, "client_id"),
    "AADB2C90086": _ours("the authority does not have this grant", B2C_APPLICATION),
    "AADB2C90088": Meaning(OLD, AGAIN, "the code or refresh token is of another user flow", B2C_FLOWS, "b2c_policy"),
    "AADB2C90091": Meaning("You cancelled before it was finished.", WHENEVER, "the person pressed Cancel", B2C_LOGS),
    "AADB2C90092": _ours("the application is disabled in the B2C tenant", B2C_APPLICATION, "client_id"),
    "AADB2C90111": Meaning(LOCKED, TELL, "the account is locked by an administrator", B2C_USERS),
    "AADB2C90114": Meaning(LOCKED, WAIT, "too many wrong passwords", B2C_USERS),
    "AADB2C90117": _ours("a scope is not supported", B2C_PERMISSIONS, "scopes"),
    "AADB2C90118": Meaning(
        "You said that you forgot your password.",
        TELL,
        "no flow resets passwords: set B2C_RESET_POLICY, or choose a sign-in flow with self-service reset",
        B2C_FLOWS,
        "b2c_reset_policy",
    ),
    "AADB2C90120": _ours("max_age is no number that B2C takes", B2C_FLOWS),
    "AADB2C90121": Meaning(
        "Your last sign-in was too long ago.", AGAIN, "prompt=none, and the session is older than max_age", B2C_LOGS
    ),
    "AADB2C90122": Meaning(
        "Something that you typed has characters that are not taken.",
        "Sign in again, and leave out < and &.",
        "B2C refused the input as unsafe",
        B2C_LOGS,
    ),
    "AADB2C90128": Meaning("This account does not exist any more.", TELL, "the account was deleted", B2C_USERS),
    "AADB2C90129": Meaning(OLD, AGAIN, "the refresh token was revoked", B2C_USERS),
    "AADB2C90151": Meaning(TOO_OFTEN, WAIT, "too many attempts at the second proof", B2C_USERS),
    "AADB2C90154": Meaning(BUSY, LATER, "the service for the second proof gave no session", B2C_FLOWS),
    "AADB2C90157": Meaning(TOO_OFTEN, WAIT, "too many attempts at a page of the user flow", B2C_USERS),
    "AADB2C90182": Meaning("This sign-in does not fit together.", AGAIN, "code_verifier does not match", B2C_LOGS),
    "AADB2C90205": _ours(
        "the application lacks a permission: add it under API permissions, and grant admin consent",
        B2C_PERMISSIONS,
        "scopes",
    ),
    "AADB2C90224": _ours("the password grant is not enabled, nor wanted here", B2C_AUTHENTICATION),
    "AADB2C90225": Meaning(WRONG, AGAIN, "wrong credentials", B2C_USERS),
    "AADB2C90243": _ours("the key or secret of an identity provider is wrong", B2C_PROVIDERS),
    "AADB2C90244": Meaning("The sign-in service is busy.", WAIT, "too many requests for a while", B2C_LOGS),
    "AADB2C90273": Meaning(
        BUSY, AGAIN, "an identity provider gave an answer that is not valid, such as a refusal", B2C_PROVIDERS
    ),
    "AADB2C90289": Meaning(
        BUSY, LATER, "an identity provider could not be reached: check its addresses and secret", B2C_PROVIDERS
    ),
    "AADB2C90296": _ours("the application is not set up completely", B2C_APPLICATION, "client_id"),
    "AADB2C99059": _ours("a single-page application must use PKCE", B2C_AUTHENTICATION, "redirect_uri"),
}
