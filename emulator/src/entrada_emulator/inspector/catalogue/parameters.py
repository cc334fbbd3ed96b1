"""What each parameter of a request is for, whether it was needed, and which checks looked at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from entrada_emulator.inspector.notes import CheckName

Secrecy = Literal["clear", "compared", "marked", "hidden"]
"""Shown as it is; with its mark beside it; by length and mark alone, so that equal values can be told; not at all."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, told in a sentence."""

    text: str
    need: str = "Optional"
    secrecy: Secrecy = "clear"
    checks: tuple[CheckName, ...] = ()
    missed: str = ""
    """What to say where a request does without it."""


Parameters = Mapping[str, Parameter]
UNKNOWN = Parameter("Not a parameter that is known here; nothing looked at it.", "Not used", "marked")

CLIENT_ID = Parameter("Says which registered application asks. It is no secret.", "Required", checks=("application",))
SCOPE = Parameter(
    "What is asked for: `openid` for an ID token, `profile` and `email` for claims in it, `offline_access` for a "
    "refresh token, and the permissions wanted at one API.",
    "Required",
    checks=("scopes", "consent"),
)
CORRELATION = Parameter("The client's own id for this request; answers and logs repeat it.", "Recommended")
CLIENT_INFO = Parameter("MSAL asks with it for `client_info`, from which it makes its key of the account.")
TELEMETRY = Parameter("How the client library counts its own calls; it changes nothing.")
CLAIMS = Parameter(
    "Asks for single claims, names what the client can do (`cp1`: it understands claims challenges), or answers a "
    "challenge.",
    checks=("contexts",),
)

LIBRARY: Parameters = {
    "client-request-id": CORRELATION,
    "x-client-sku": Parameter("Which client library asks."),
    "x-client-SKU": Parameter("Which client library asks."),
    "x-client-ver": Parameter("The version of the client library."),
    "x-client-VER": Parameter("The version of the client library."),
    "x-client-os": TELEMETRY,
    "x-client-cpu": TELEMETRY,
    "x-client-current-telemetry": TELEMETRY,
    "x-client-last-telemetry": TELEMETRY,
    "x-client-xtra-sku": TELEMETRY,
    "x-ms-lib-capability": Parameter("What the client library can do: wait when it is told to."),
    "x-app-name": TELEMETRY,
    "x-app-ver": TELEMETRY,
    "client_info": CLIENT_INFO,
    "claims": CLAIMS,
    "instance_aware": Parameter("Whether the answer should name the national cloud."),
    "clidata": TELEMETRY,
}

AUTHORIZE: Parameters = {
    **LIBRARY,
    "client_id": CLIENT_ID,
    "response_type": Parameter(
        "What is to come back to the redirect URI. `code` is a one-time code: no token travels through the browser.",
        "Required",
        checks=("response_type",),
    ),
    "redirect_uri": Parameter(
        "Where the browser carries the answer. Only a registered address is taken, letter by letter; otherwise "
        "anybody could have codes sent to themselves.",
        "Required where several are registered",
        checks=("redirect_uri",),
    ),
    "response_mode": Parameter(
        "How the answer travels: in the query, as a posted form, or in the fragment, which no server sees.",
    ),
    "scope": SCOPE,
    "state": Parameter(
        "The application's own random value; it comes back unchanged. The application compares it with what it kept "
        "for this browser and so refuses answers that it never asked for (login CSRF).",
        "Recommended; Entra only repeats it",
        secrecy="compared",
        missed="Without `state` the application cannot tell its own answer from a planted one, unless PKCE does.",
    ),
    "nonce": Parameter(
        "The application's random value that Entra copies into the ID token. The application compares both and so "
        "refuses an ID token that was made for another sign-in (replay).",
        "Recommended with the code; required where ID tokens come through the browser",
        secrecy="compared",
        missed="Without `nonce` an ID token of another sign-in could be slipped in.",
    ),
    "code_challenge": Parameter(
        "The SHA-256 of a secret that stays with the application (PKCE). Whoever catches the code cannot redeem it "
        "without that secret, the `code_verifier`.",
        "Required of single-page applications, recommended for all",
        "compared",
        checks=("challenge",),
        missed="Without PKCE whoever catches the code can redeem it, if they can prove to be the client.",
    ),
    "code_challenge_method": Parameter(
        "How the challenge was made from the verifier; `S256` is the one to use, `plain` hides nothing.",
        "Required with S256",
        checks=("challenge",),
    ),
    "prompt": Parameter(
        "`none`: show no page, answer at once. `login`: ask for the password again. `select_account`: let the person "
        "pick. `consent`: ask for permissions again.",
        checks=("prompt",),
    ),
    "login_hint": Parameter("Who is expected to sign in; saves typing, proves nothing."),
    "domain_hint": Parameter("At which organisation the person is at home."),
    "sid": Parameter("Names one session at this browser: only its account will do."),
    "max_age": Parameter("The sign-in may be no older than so many seconds; else the person proves it again."),
    "ui_locales": Parameter("Languages that the person prefers; the emulator speaks English."),
    "resource": Parameter("Version 1's way to name the API; version 2 refuses it."),
    "id_token_hint": Parameter("An earlier ID token of the person who is meant.", secrecy="marked"),
    "p": Parameter("The B2C policy, where it is not in the path."),
    "brk_client_id": TELEMETRY,
    "brk_redirect_uri": TELEMETRY,
    "X-AnchorMailbox": Parameter("Where the service finds the account; routing only."),
    "haschrome": TELEMETRY,
    "tenant": Parameter("Which organisation is meant."),
}

TOKEN: Parameters = {
    **LIBRARY,
    "client_id": CLIENT_ID,
    "grant_type": Parameter("What the client offers in exchange for tokens.", "Required"),
    "code": Parameter(
        "The one-time code that the browser carried. It is good for ten minutes, once, for the client, the redirect "
        "URI and the place that it was issued for.",
        "Required",
        "marked",
        ("code_known", "code_unspent", "code_in_time", "code_client", "code_place"),
    ),
    "redirect_uri": Parameter(
        "The same address as in the authorization request. Nothing is sent there now: it shows that the code is "
        "redeemed for the request that it was made for.",
        "Required",
        checks=("code_redirect_uri",),
    ),
    "code_verifier": Parameter(
        "The secret behind the `code_challenge`: its SHA-256 must be the challenge. It never passed the browser's "
        "address bar.",
        "Required where a challenge was sent",
        "marked",
        ("pkce",),
    ),
    "client_secret": Parameter(
        "The application's password, that only its server knows.",
        "Required of a web application without a certificate",
        "marked",
        ("client_authentication",),
    ),
    "client_assertion": Parameter(
        "Instead of a secret: a short-lived token that the application signed with its own key. Its certificate, or "
        "its issuer, is registered.",
        "Required of a web application without a secret",
        "marked",
        ("client_authentication", "assertion_signature", "assertion_audience", "assertion_times"),
    ),
    "client_assertion_type": Parameter("Says that the assertion is a JWT.", "Required with an assertion"),
    "scope": Parameter(
        "For which API the access token is to be; without it that of the authorization request.",
        "Optional with a code",
        checks=("scopes", "consent"),
    ),
    "refresh_token": Parameter(
        "Lets the application get new tokens while the person is away. It belongs to this client and person; keep it "
        "like a password.",
        "Required",
        "marked",
        ("refresh_known", "refresh_in_time", "refresh_unused", "refresh_client"),
    ),
    "assertion": Parameter(
        "The access token that the API itself was called with: it shows for whom the API acts.",
        "Required",
        "marked",
        ("assertion_signature", "assertion_audience", "assertion_times", "assertion_person"),
    ),
    "requested_token_use": Parameter("`on_behalf_of`: the API calls the next one for the same person.", "Required"),
    "device_code": Parameter(
        "What the device polls with until the person has signed in elsewhere.", "Required", "marked", ("device_code",)
    ),
    "username": Parameter("Whose password it is.", "Required", checks=("password",)),
    "password": Parameter(
        "The person's password, which an application should never see.", "Required", "hidden", ("password",)
    ),
    "resource": Parameter("Version 1's way to name the API; version 2 refuses it."),
}

LOGOUT: Parameters = {
    **LIBRARY,
    "post_logout_redirect_uri": Parameter(
        "Where the browser goes afterwards. Only a registered address is followed.", checks=("logout_redirect_uri",)
    ),
    "state": Parameter("Comes back at that address unchanged.", secrecy="compared"),
    "logout_hint": Parameter(
        "Whom to sign out (the ID token's `login_hint`), so that nobody is asked which account is meant.", "Recommended"
    ),
    "id_token_hint": Parameter("The ID token of the session that ends.", "Recommended", "marked"),
    "client_id": Parameter("Which application asks."),
    "session": Parameter("The account that the person picked to sign out."),
}

DEVICECODE: Parameters = {**LIBRARY, "client_id": CLIENT_ID, "scope": SCOPE}

ADMINCONSENT: Parameters = {
    **LIBRARY,
    "client_id": CLIENT_ID,
    "redirect_uri": AUTHORIZE["redirect_uri"],
    "scope": SCOPE,
    "state": AUTHORIZE["state"],
}

PAGES: Parameters = {
    "attempt": Parameter(
        "Says which sign-in the page belongs to; good at the browser that began it only.",
        "Required",
        "marked",
        ("attempt",),
    ),
    "journey": Parameter(
        "Says which sign-in the page belongs to; good at the browser that began it only.",
        "Required",
        "marked",
        ("attempt",),
    ),
    "step": Parameter("Which page was answered: an answer to a page that is over changes nothing."),
    "action": Parameter("Which button was pressed."),
    "username": Parameter("Who the person says they are."),
    "email": Parameter("Who the person says they are."),
    "password": Parameter("The person's password; only the emulator sees it.", secrecy="hidden", checks=("password",)),
    "repeated": Parameter("The new password again.", secrecy="hidden"),
    "code": Parameter("A one-time code: of an authenticator, a mail, or a device.", secrecy="hidden"),
    "person": Parameter("The person of the emulator's directory whose button was pressed."),
    "account": Parameter("The account at this browser that was picked."),
    "everyone": Parameter("An administrator agrees for the whole organisation."),
    "display_name": Parameter("What the person is to be called."),
    "given_name": Parameter("The person's first name."),
    "surname": Parameter("The person's last name."),
}

GRAPH: Parameters = {
    "$select": Parameter("Which members are wanted."),
    "$top": Parameter("How many at once."),
    "$skiptoken": Parameter("Where the next page begins.", secrecy="marked"),
    "$filter": Parameter("Which of them are wanted."),
    "$count": Parameter("Whether to count them."),
    "$search": Parameter("Words to look for."),
    "$orderby": Parameter("In which order."),
    "$expand": Parameter("What to bring along."),
}
