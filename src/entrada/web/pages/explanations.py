"""What to tell a person about an error: what happened, and what they can do. Our own words only."""

from dataclasses import dataclass

from entrada.errors import (
    AuthorityRefused,
    AuthorityUnavailable,
    CsrfRefused,
    EntradaError,
    InteractionRequired,
    NotAllowed,
    NotFound,
    NothingKept,
    NotSignedIn,
    NotVerifiableYet,
    PageOutdated,
    RenewalRefused,
    RequestRefused,
    ScopeNotAskedFor,
    SignInRefused,
    StepUpInVain,
    StepUpRequired,
    TenantMismatch,
    TenantRefused,
    TenantWaits,
    TokenRefused,
    TransactionRefused,
    Unavailable,
)
from entrada.flows.admin.onboarding import AdministratorNeeded, ConsentDeclined, OnboardingLost
from entrada.flows.signing_in.callback import Cancelled
from entrada.guard_errors import CookiesTooLarge, LimitReached, ProofMissing
from entrada.provider.meanings import Meaning, meaning_of


@dataclass(frozen=True, slots=True)
class Explanation:
    """One error for a page; `code` can be looked up, `meaning` is for whoever runs the application."""

    title: str
    happened: str
    advice: str
    code: str | None = None
    meaning: str | None = None
    signed_in: tuple[str, str] | None = None
    """What happened and what to do instead, for somebody who is signed in still."""


AGAIN = "Please sign in again."
UNPROVEN = (
    "The new ID token lacks the proof. Add the optional claims auth_time and acrs to the registration's ID tokens; see "
    "that the authentication context exists, is published, and that a Conditional Access policy grants it."
)
NOT_VERIFIABLE = (
    "The token's key is not among those that the authority published when it was last asked, or the token is from the "
    "future by this machine's clock. An emulator that was started anew has new keys: start the application again."
)
OPERATOR = "Please tell whoever looks after this application, with the reference below."

WORDS: dict[type[EntradaError], tuple[str, str, str]] = {
    TransactionRefused: (
        "This sign-in cannot be finished",
        "It was started in another browser, took too long, or was already used; or this browser did not keep the "
        "cookie that belongs to it.",
        "Please sign in again. If you come back to this page, allow cookies for this site.",
    ),
    Cancelled: (
        "You cancelled the sign-in",
        "Nobody was signed in, and nothing was changed.",
        "Sign in when you want.",
    ),
    TenantRefused: (
        "Your organisation cannot sign in here",
        "You signed in, but this application is open to people of certain organisations only.",
        "Sign in with another account, or ask whoever looks after this application to let your organisation in.",
    ),
    TenantWaits: (
        "Your organisation is not approved yet",
        "It has asked to be let in. Whoever looks after this application has not approved it yet, so nobody was "
        "signed in.",
        "Please try again later, or ask whoever looks after this application.",
    ),
    TenantMismatch: (
        "That was another organisation",
        "The organisation that agreed is not the one whose account you came back with, so nothing was noted.",
        "Start again, and use an account of the same organisation both times.",
    ),
    OnboardingLost: (
        "This cannot be finished here",
        "It was started in another browser, took too long, or was already answered; or this browser did not keep the "
        "cookie that belongs to it. Nothing was changed.",
        "Please start again. If you come back to this page, allow cookies for this site.",
    ),
    ConsentDeclined: (
        "Your organisation did not agree",
        "The permissions were not accepted. Nothing was changed, and nobody was signed in.",
        "You can start again whenever you like.",
    ),
    AdministratorNeeded: (
        "An administrator has to agree",
        "Your account may not agree for your organisation. Nothing was changed, and nobody was signed in.",
        "Ask an administrator of your organisation, and send them the address of the page where you started.",
    ),
    TokenRefused: (
        "Your sign-in could not be verified",
        "What the sign-in service sent did not pass our checks, so nobody was signed in.",
        "Please sign in again. If it happens again, tell whoever looks after this application: a wrong clock on the "
        "server is a common cause.",
    ),
    SignInRefused: ("The sign-in could not be completed", "", OPERATOR),
    NotAllowed: ("You may not do this", "", OPERATOR),
    StepUpRequired: (
        "One more step is needed",
        "",
        "You are sent to sign in once more, and come back to where you were.",
    ),
    StepUpInVain: (
        "Your sign-in does not prove enough",
        "",
        f"You have just signed in, and the sign-in service did not say that this was met. {OPERATOR}",
    ),
    NothingKept: (
        "Nothing was sent again",
        "What you sent before is not here any more: it was sent already, took too long, or was somebody else's.",
        "Look whether it arrived. If it did not, fill in the page anew.",
    ),
    InteractionRequired: (
        "One more step is needed",
        "The sign-in service wants you to sign in once more before this can be done.",
        "You come back to where you were.",
    ),
    RenewalRefused: ("Your sign-in has ended", "The sign-in service asks you to sign in once more.", AGAIN),
    ScopeNotAskedFor: ("A permission is missing", "", f"You are still signed in. {OPERATOR}"),
    NotSignedIn: ("Please sign in", "This page is for people who are signed in.", AGAIN),
    AuthorityUnavailable: (
        "The sign-in service does not answer",
        "We could not reach it just now. Nothing is wrong with your account.",
        "Please try again in a moment.",
    ),
    Unavailable: ("Not available just now", "", "Please try again in a moment."),
    PageOutdated: (
        "This page is out of date",
        "",
        "Go back and copy what you typed, reload the page, look who is signed in, and send it again.",
    ),
    CsrfRefused: ("This was not done", CsrfRefused.public, "Go back to the page, reload it, and try once more."),
    LimitReached: (
        "Too many requests",
        "",
        "Nothing is wrong with your account. Wait a while, then try again; who is signed in can go on.",
    ),
    CookiesTooLarge: ("Too many cookies", "", "Delete this site's cookies in your browser, then try again."),
    RequestRefused: ("This was not done", "", "Go back, or start again from the first page."),
    NotFound: ("Nothing is here", "", "Check the address, or start from the first page."),
    EntradaError: ("Something went wrong", "", OPERATOR),
}


STILL_SIGNED_IN: dict[type[EntradaError], tuple[str, str]] = {
    Cancelled: (
        "You are still signed in, as before. What you were asked to sign in for was not done.",
        "Try again when you want.",
    ),
}
"""What to say instead to somebody whose session goes on: a step-up that they cancelled signs nobody out."""


def explain(error: EntradaError) -> Explanation:
    """Return what to say about an error; the nearest class above it speaks where it has no words of its own."""
    if isinstance(error, AuthorityRefused) and not isinstance(error, Cancelled | ConsentDeclined):
        return _authority_refused(error)
    title, happened, advice = next(WORDS[kind] for kind in type(error).__mro__ if kind in WORDS)
    meaning = _meaning(error)
    code = error.aadsts if isinstance(error, ConsentDeclined) else None
    return Explanation(title, happened or error.public, advice, code, meaning, STILL_SIGNED_IN.get(type(error)))


def _meaning(error: EntradaError) -> str | None:
    """Return what is only for whoever runs the application."""
    if isinstance(error, ScopeNotAskedFor):
        return str(error)
    if isinstance(error, ProofMissing):
        return error.public
    if isinstance(error, NotVerifiableYet):
        return NOT_VERIFIABLE
    return UNPROVEN if isinstance(error, StepUpInVain) else None


def _authority_refused(error: AuthorityRefused) -> Explanation:
    """Say it in the words that we have for its number, else for its error word."""
    meaning = meaning_of(error.code, aadsts=error.aadsts)
    return Explanation(
        "The sign-in was not accepted", meaning.cause, meaning.mend, code=error.aadsts or error.code,
        meaning=_to_mend(meaning),
    )  # fmt: skip


def _to_mend(meaning: Meaning) -> str:
    """Say for whoever runs the application what happened and where it is mended."""
    return f"{meaning.operator}. {meaning.where}" if meaning.where else meaning.operator
