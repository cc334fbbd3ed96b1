"""The authority's refusals in our words: what happened, what the person can do, what the operator can mend.

Decisions are made from `error` and `suberror`, as Microsoft asks; the AADSTS numbers choose words only. Nothing of the
authority's own text is repeated (SEC-015): it may come from a stranger's link, and it names people.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from entrada.errors import AuthorityRefused, AuthorityUnavailable, InteractionRequired, RenewalRefused
from entrada.provider.strict_json import NotStrict, json_object

NUMBER = re.compile(r"\b(AADSTS|AADB2C)([0-9]{4,9})\b")
ERROR_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
GUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
TRACES = re.compile(rf"(Trace ID|Correlation ID): ({GUID})")
LONGEST_DESCRIPTION = 4096  # characters looked at
LONGEST_CLAIMS = 8192  # characters of a claims challenge
STEP_NEEDED = frozenset({"interaction_required", "login_required", "consent_required"})
STEP_SUBERRORS = frozenset(
    {"basic_action", "additional_action", "consent_required", "message_only", "user_password_expired"}
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """One refusal in plain words."""

    cause: str
    """What happened, for the person at the browser."""
    mend: str
    """What that person can do."""
    operator: str
    """What happened, for the application's operator; not for the page."""
    page: str = ""
    """Where in the Microsoft Entra admin center it is looked at or mended; empty where nothing there helps."""
    setting: str = ""
    """Which of our settings has to do with it."""

    @property
    def where(self) -> str:
        """Where to mend it, for whoever runs the application; empty where there is nothing to mend."""
        setting = f"ENTRADA_{self.setting.upper()}" if self.setting else ""
        return "; ".join(each for each in (self.page, setting) if each)


TELL = "Please tell the people who run this application."
AGAIN = "Please sign in again."
ADMIN = "Please ask your organisation's administrator."
REGISTRATION = "This application is not set up correctly at the sign-in service."

MEANINGS: dict[str, Meaning] = {
    "access_denied": Meaning(
        "The sign-in was cancelled.", "You can start again whenever you like.", "the person or a policy declined"
    ),
    "login_required": Meaning("You are not signed in yet.", AGAIN, "prompt=none found nobody signed in"),
    "interaction_required": Meaning(
        "The sign-in service needs one more step from you.", AGAIN, "a policy wants a step that was not taken"
    ),
    "consent_required": Meaning(
        "A permission that this application needs has not been granted.",
        "Sign in again and grant it, or ask your organisation's administrator.",
        "consent is missing: grant it under API permissions",
    ),
    "invalid_client": Meaning(
        REGISTRATION, TELL, "the client authentication failed: check client_id and client_secret"
    ),
    "unauthorized_client": Meaning(REGISTRATION, TELL, "the application may not do this: check its registration"),
    "invalid_request": Meaning(REGISTRATION, TELL, "the authority found the request malformed"),
    "invalid_scope": Meaning(REGISTRATION, TELL, "a permission in scopes does not exist or may not be combined"),
    "invalid_resource": Meaning(REGISTRATION, TELL, "the API named in scopes is unknown in the tenant"),
    "invalid_grant": Meaning(
        "This sign-in took too long or was already used.", AGAIN, "the code or refresh token is not accepted"
    ),
    "temporarily_unavailable": Meaning(
        "The sign-in service is busy.", "Please try again in a moment.", "the authority says it is unavailable"
    ),
    "server_error": Meaning(
        "The sign-in service had a problem.", "Please try again in a moment.", "the authority reported a fault"
    ),
    "AADSTS16000": Meaning(
        "The account you chose cannot be used here.",
        "Sign in with another account.",
        "the account is of another tenant",
    ),
    "AADSTS50011": Meaning(
        REGISTRATION, TELL, "the redirect URI is not registered: add redirect_uri under Authentication, byte for byte"
    ),
    "AADSTS50020": Meaning(
        "Your account does not belong to this organisation.",
        "Sign in with another account, or ask to be invited as a guest.",
        "the account is no member of the tenant: invite it, or check tenant_id",
    ),
    "AADSTS50034": Meaning("This account does not exist here.", "Sign in with another account.", "no such user"),
    "AADSTS50053": Meaning(
        "This account is locked for a while.", "Wait a few minutes, then sign in again.", "too many wrong passwords"
    ),
    "AADSTS50055": Meaning("Your password has expired.", "Sign in again to change it.", "the password has expired"),
    "AADSTS50057": Meaning("This account is disabled.", ADMIN, "the account is disabled in the directory"),
    "AADSTS50058": Meaning("You are not signed in yet.", AGAIN, "a silent sign-in found no session"),
    "AADSTS50074": Meaning("A second proof of who you are is needed.", AGAIN, "multi-factor sign-in is required"),
    "AADSTS50076": Meaning("A second proof of who you are is needed.", AGAIN, "multi-factor sign-in is required"),
    "AADSTS50078": Meaning("Your second proof has expired.", AGAIN, "the multi-factor sign-in is too old"),
    "AADSTS50079": Meaning(
        "You need to set up a second proof of who you are.", AGAIN, "the person must enrol in multi-factor sign-in"
    ),
    "AADSTS50105": Meaning(
        "You have not been given access to this application.",
        ADMIN,
        "assignment is required: assign the person or a group under Enterprise applications",
    ),
    "AADSTS50126": Meaning("The user name or password was wrong.", AGAIN, "wrong credentials"),
    "AADSTS50173": Meaning(
        "Your sign-in was ended, perhaps by a change of password.", AGAIN, "the tokens were revoked"
    ),
    "AADSTS50194": Meaning(
        REGISTRATION, TELL, "the application is single-tenant: set tenant_id to its tenant instead of common"
    ),
    "AADSTS50196": Meaning(
        "The sign-in service saw too many attempts.", "Wait a few minutes, then try again.", "a loop of requests"
    ),
    "AADSTS53000": Meaning("This device does not meet your organisation's rules.", ADMIN, "device not compliant"),
    "AADSTS53001": Meaning("This device is not known to your organisation.", ADMIN, "device not domain joined"),
    "AADSTS53003": Meaning(
        "Your organisation's rules do not allow this sign-in.", ADMIN, "blocked by a Conditional Access policy"
    ),
    "AADSTS54005": Meaning("This sign-in was already used.", AGAIN, "the code was redeemed before"),
    "AADSTS65001": Meaning(
        "A permission that this application needs has not been granted.",
        "Sign in again and grant it, or ask your organisation's administrator.",
        "consent is missing: grant it under API permissions",
    ),
    "AADB2C90091": Meaning(
        "You cancelled before it was finished.", "You can start again whenever you like.", "the person pressed Cancel"
    ),
    "AADB2C90118": Meaning(
        "You said that you forgot your password.",
        TELL,
        "no flow resets passwords: set B2C_RESET_POLICY, or choose a sign-in flow with self-service reset",
    ),
    "AADSTS65004": Meaning(
        "You did not grant the permissions that this application asked for.",
        "Nothing was changed. Sign in again if you want to grant them.",
        "the person declined consent",
    ),
    "AADSTS70008": Meaning("This sign-in took too long.", AGAIN, "the code or refresh token has expired"),
    "AADSTS70011": Meaning(REGISTRATION, TELL, "a permission in scopes is not valid"),
    "AADSTS70043": Meaning("It is time to sign in again.", AGAIN, "the sign-in frequency policy ended the session"),
    "AADSTS90002": Meaning(REGISTRATION, TELL, "the tenant was not found: check tenant_id and the cloud"),
    "AADSTS90094": Meaning(
        "An administrator must approve this application first.",
        ADMIN,
        "admin consent is needed: grant it in the portal",
    ),
    "AADSTS500011": Meaning(REGISTRATION, TELL, "the API named in scopes is unknown in the tenant"),
    "AADSTS501481": Meaning("This sign-in does not fit together.", AGAIN, "code_verifier does not match"),
    "AADSTS700005": Meaning(REGISTRATION, TELL, "the code was issued by another tenant than tenant_id"),
    "AADSTS700016": Meaning(
        REGISTRATION, TELL, "the application was not found in the tenant: check client_id and tenant_id"
    ),
    "AADSTS700022": Meaning(REGISTRATION, TELL, "scopes name more than one API"),
    "AADSTS700025": Meaning(
        REGISTRATION, TELL, "the application is registered as public: leave out client_secret, or register it as web"
    ),
    "AADSTS700027": Meaning(REGISTRATION, TELL, "the client certificate is not the registered one"),
    "AADSTS700038": Meaning(REGISTRATION, TELL, "client_id is no application"),
    "AADSTS700054": Meaning(REGISTRATION, TELL, "the response type is not enabled for the application"),
    "AADSTS700082": Meaning("You have been away for long.", AGAIN, "the refresh token was unused for too long"),
    "AADSTS700084": Meaning("It is time to sign in again.", AGAIN, "a single-page refresh token lives 24 hours"),
    "AADSTS7000215": Meaning(
        REGISTRATION, TELL, "client_secret is wrong: copy the secret's value, not its id, from the portal"
    ),
    "AADSTS7000218": Meaning(REGISTRATION, TELL, "client_secret is missing, or public flows are not allowed"),
    "AADSTS7000222": Meaning(REGISTRATION, TELL, "client_secret has expired: make a new one in the portal"),
    "AADSTS9002326": Meaning(REGISTRATION, TELL, "the redirect URI is registered as web, but a browser redeemed"),
    "AADSTS9002327": Meaning(
        REGISTRATION, TELL, "the redirect URI is registered as single-page: register it as web instead"
    ),
}
UNKNOWN = Meaning("The sign-in service did not accept this sign-in.", AGAIN, "see the code at the authority")


def meaning_of(error: str, *, aadsts: str | None = None) -> Meaning:
    """Return the plain words for a refusal: its number's when we have them, else its error word's."""
    return MEANINGS.get(aadsts or "") or MEANINGS.get(error) or UNKNOWN


def refusal(error: str, description: str = "") -> AuthorityRefused:
    """Return what to raise for an error answer of /authorize or /token."""
    word = error if ERROR_WORD.fullmatch(error) else "server_error"
    aadsts = number_in(description)
    meaning = meaning_of(word, aadsts=aadsts)
    return AuthorityRefused(
        _detail(word, aadsts, description), error=word, aadsts=aadsts, public=f"{meaning.cause} {meaning.mend}"
    )


def renewal_refusal(body: Mapping[str, Any]) -> RenewalRefused | AuthorityUnavailable:
    """Return what to raise for an error body of /token in answer to a renewal.

    InteractionRequired when one more step by the person would do, RenewalRefused when the grant has ended, and
    AuthorityUnavailable for everything else: a wrong secret or a fault there signs nobody out.
    """
    word, suberror, description = (_text(body, name) for name in ("error", "suberror", "error_description"))
    aadsts = number_in(description)
    detail = _detail(word if ERROR_WORD.fullmatch(word) else "server_error", aadsts, description)
    claims = _text(body, "claims")
    if word in STEP_NEEDED or (word == "invalid_grant" and (claims or suberror in STEP_SUBERRORS)):
        usable = claims if 0 < len(claims) <= LONGEST_CLAIMS else None
        return InteractionRequired(detail, aadsts=aadsts, claims=usable)
    if word == "invalid_grant":
        return RenewalRefused(detail, aadsts=aadsts)
    return AuthorityUnavailable(detail)


def number_in(description: str) -> str | None:
    """Return the code in a description, such as AADSTS50011, or None."""
    match = NUMBER.search(description[:LONGEST_DESCRIPTION])
    return match[0] if match else None


def operator_hint(body: bytes) -> str:
    """Return what an error body tells the operator, in our words, to put behind a status; empty when it is none."""
    try:
        members = json_object(body)
    except NotStrict:
        return ""
    word, description = _text(members, "error"), _text(members, "error_description")
    return f": {_detail(word, number_in(description), description)}" if ERROR_WORD.fullmatch(word) else ""


def _detail(word: str, aadsts: str | None, description: str) -> str:
    """Say for the operator what happened, with the ids that the authority's support asks for."""
    traces = [f"{name}: {value}" for name, value in TRACES.findall(description[:LONGEST_DESCRIPTION])]
    parts = [word, *([aadsts] if aadsts else []), meaning_of(word, aadsts=aadsts).operator, *traces]
    return "; ".join(parts)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""
