"""Entra's codes that are about a person: the account, its proofs, the organisation's rules, a session that ended."""

from entrada.provider.meanings.meaning import (
    ACROSS,
    ADMIN,
    AGAIN,
    ASSIGNMENT,
    CONDITIONAL_ACCESS,
    CONSENT_SETTINGS,
    DEVICES,
    GRANT,
    GUESTS,
    LATER,
    METHODS,
    OTHER,
    PERMISSIONS,
    REVOKED,
    RULES,
    SECOND,
    SIGN_IN_LOGS,
    USERS,
    Meaning,
)

NO_ACCESS = "You have not been given access to this application."
ENDED = "It is time to sign in again."
NOT_YET = "You are not signed in yet."
UNGRANTED = "A permission that this application needs has not been granted."
TOO_LONG = "This sign-in took too long."
STRANGER = "Your account does not belong to this organisation."
AS_GUEST = "Sign in with another account, or ask to be invited as a guest."
UNFIT_DEVICE = "This device does not meet your organisation's rules."

OF_PEOPLE: dict[str, Meaning] = {
    "AADSTS16000": Meaning(
        "The account you chose cannot be used here.", OTHER, "the account is of another tenant", GUESTS, "tenant_id"
    ),
    "AADSTS50020": Meaning(
        STRANGER, AS_GUEST, "the account is no member of the tenant: invite it, or check tenant_id", GUESTS, "tenant_id"
    ),
    "AADSTS50034": Meaning("This account does not exist here.", OTHER, "no such user", USERS, "tenant_id"),
    "AADSTS50053": Meaning(
        "This account is locked for a while.",
        "Wait a few minutes, then sign in again.",
        "too many wrong passwords, or an address that is known for attacks",
        SIGN_IN_LOGS,
    ),
    "AADSTS50055": Meaning(
        "Your password has expired.", "Sign in again to change it.", "the password has expired", USERS
    ),
    "AADSTS50057": Meaning("This account is disabled.", ADMIN, "the account is disabled in the directory", USERS),
    "AADSTS50058": Meaning(NOT_YET, AGAIN, "a silent sign-in found no session", SIGN_IN_LOGS),
    "AADSTS50072": Meaning(
        "You need to set up a second proof of who you are.",
        AGAIN,
        "the person must enrol in multi-factor sign-in",
        METHODS,
    ),
    "AADSTS50074": Meaning(SECOND, AGAIN, "multi-factor sign-in is required", CONDITIONAL_ACCESS),
    "AADSTS50076": Meaning(SECOND, AGAIN, "multi-factor sign-in is required", CONDITIONAL_ACCESS),
    "AADSTS50078": Meaning(
        "Your second proof has expired.", AGAIN, "the multi-factor sign-in is too old", CONDITIONAL_ACCESS
    ),
    "AADSTS50079": Meaning(
        "You need to set up a second proof of who you are.",
        AGAIN,
        "the person must enrol in multi-factor sign-in",
        METHODS,
    ),
    "AADSTS50097": Meaning(
        "Your organisation wants to know this device.", AGAIN, "device authentication is required", DEVICES
    ),
    "AADSTS50105": Meaning(
        NO_ACCESS,
        ADMIN,
        "assignment is required: assign the person or a group under Enterprise applications",
        ASSIGNMENT,
    ),
    "AADSTS50126": Meaning("The user name or password was wrong.", AGAIN, "wrong credentials", SIGN_IN_LOGS),
    "AADSTS50131": Meaning(RULES, ADMIN, "a Conditional Access policy blocked the request", CONDITIONAL_ACCESS),
    "AADSTS50132": Meaning(ENDED, AGAIN, "the session ended, or the password was changed", REVOKED),
    "AADSTS50133": Meaning(ENDED, AGAIN, "the session ended, or the password was changed", REVOKED),
    "AADSTS50140": Meaning(
        "The sign-in stopped at the question whether to stay signed in.",
        AGAIN,
        "Keep me signed in interrupted the sign-in; where it happens often, hide the question",
        SIGN_IN_LOGS,
    ),
    "AADSTS50144": Meaning(
        "Your organisation's password has expired.", ADMIN, "the password in Active Directory has expired", USERS
    ),
    "AADSTS50155": Meaning(
        "This device could not prove itself.", AGAIN, "device authentication failed for this person", DEVICES
    ),
    "AADSTS50158": Meaning(
        "Your organisation wants one more proof, from another service.",
        AGAIN,
        "an external authentication method or a custom control was not satisfied",
        CONDITIONAL_ACCESS,
    ),
    "AADSTS50173": Meaning(
        "Your sign-in was ended, perhaps by a change of password.", AGAIN, "the tokens were revoked", REVOKED
    ),
    "AADSTS50196": Meaning(
        "The sign-in service saw too many attempts.",
        "Wait a few minutes, then try again.",
        "a loop of requests: look what sends people to sign in again and again",
        SIGN_IN_LOGS,
    ),
    "AADSTS51004": Meaning(
        STRANGER, AS_GUEST, "the account is not in the directory of the tenant", GUESTS, "tenant_id"
    ),
    "AADSTS53000": Meaning(UNFIT_DEVICE, ADMIN, "device not compliant", DEVICES),
    "AADSTS53001": Meaning(
        "This device is not known to your organisation.", ADMIN, "device not domain joined", DEVICES
    ),
    "AADSTS53002": Meaning(
        "Your organisation does not allow this program.",
        ADMIN,
        "no approved client application, which a policy wants",
        CONDITIONAL_ACCESS,
    ),
    "AADSTS53003": Meaning(RULES, ADMIN, "blocked by a Conditional Access policy", CONDITIONAL_ACCESS),
    "AADSTS53004": Meaning(
        "A second proof cannot be set up just now.",
        ADMIN,
        "enrolment was blocked for risk: let the person enrol from a known place",
        "Protection › Risky users",
    ),
    "AADSTS54005": Meaning("This sign-in was already used.", AGAIN, "the code was redeemed before", SIGN_IN_LOGS),
    "AADSTS65001": Meaning(
        UNGRANTED, GRANT, "consent is missing: grant it under API permissions", PERMISSIONS, "scopes"
    ),
    "AADSTS65004": Meaning(
        "You did not grant the permissions that this application asked for.",
        "Nothing was changed. Sign in again if you want to grant them.",
        "the person declined consent",
        PERMISSIONS,
        "scopes",
    ),
    "AADSTS70000": Meaning(
        "This sign-in cannot be used any more.",
        AGAIN,
        "the code or refresh token is malformed, or another client's",
        SIGN_IN_LOGS,
        "client_id",
    ),
    "AADSTS70008": Meaning(TOO_LONG, AGAIN, "the code or refresh token has expired", SIGN_IN_LOGS),
    "AADSTS70016": Meaning(
        "The sign-in on the other device is not finished.",
        "Finish it there.",
        "the device code waits for the person; a client asks again",
        SIGN_IN_LOGS,
    ),
    "AADSTS70018": Meaning(
        "The code is not right, or too old.",
        "Begin again on the device, and enter the new code.",
        "a device code was mistyped or has expired",
        SIGN_IN_LOGS,
    ),
    "AADSTS70019": Meaning(TOO_LONG, "Begin again on the device.", "the device code has expired", SIGN_IN_LOGS),
    "AADSTS70043": Meaning(
        ENDED, AGAIN, "the sign-in frequency policy ended the session", f"{CONDITIONAL_ACCESS} › Session"
    ),
    "AADSTS90072": Meaning(STRANGER, AS_GUEST, "the account must be invited to the tenant first", GUESTS, "tenant_id"),
    "AADSTS90093": Meaning(
        "You may not grant this permission.",
        ADMIN,
        "only an administrator may consent to what is asked for",
        CONSENT_SETTINGS,
        "scopes",
    ),
    "AADSTS90094": Meaning(
        "An administrator must approve this application first.",
        ADMIN,
        "admin consent is needed: grant it in the portal",
        PERMISSIONS,
        "scopes",
    ),
    "AADSTS90095": Meaning(
        "An administrator must approve this application first.",
        "Your request was sent to them. Sign in again when it is approved.",
        "a request for admin consent waits",
        "Enterprise applications › Admin consent requests",
    ),
    "AADSTS500021": Meaning(
        "Your network does not let you sign in to this organisation.",
        ADMIN,
        "tenant restrictions of the person's network forbid the tenant",
        ACROSS,
        "tenant_id",
    ),
    "AADSTS500212": Meaning(
        "Your own organisation does not let you sign in here.",
        ADMIN,
        "the outbound access of the person's home tenant forbids it",
        ACROSS,
    ),
    "AADSTS500213": Meaning(
        "This organisation does not let people of yours sign in.",
        ADMIN,
        "the inbound access of the tenant forbids it",
        ACROSS,
    ),
    "AADSTS500341": Meaning("This account was deleted.", ADMIN, "the account was deleted from the directory", USERS),
    "AADSTS530032": Meaning(
        RULES, ADMIN, "blocked by a security policy of the whole tenant", "Overview › Properties › Security defaults"
    ),
    "AADSTS530034": Meaning(
        RULES, LATER, "blocked for a risk that was found in the sign-in", "Protection › Risky sign-ins"
    ),
    "AADSTS700003": Meaning(
        "This device is not known to your organisation any more.", ADMIN, "the device was deleted or disabled", DEVICES
    ),
    "AADSTS700082": Meaning(
        "You have been away for long.",
        AGAIN,
        "the refresh token was unused for too long",
        SIGN_IN_LOGS,
        "session_expiry_days",
    ),
    "AADSTS700084": Meaning(
        ENDED,
        AGAIN,
        "a single-page refresh token lives 24 hours",
        "App registrations › the application › Authentication",
        "redirect_uri",
    ),
}
