"""One tree of what can go wrong.

    EntradaError
    ├── SettingsRefused            the start is refused: a setting is wrong, missing or unsafe
    ├── RequestRefused             the request itself is at fault (malformed, wrong host, too large)
    │   ├── CsrfRefused            an unsafe request that did not prove where it comes from
    │   │   └── PageOutdated       it comes from a page of ours, made for a session that this browser has no more
    │   ├── HeadersTooLarge        more in the headers than we read
    │   ├── MethodRefused          the address is right, the method is not
    │   ├── MediaTypeRefused       a body of a kind that this address does not take
    │   ├── NotFound               nothing is at this address
    │   ├── ChangedMeanwhile       somebody else has changed it since it was read
    │   ├── LastAdmin              it would leave the application without an administrator
    │   ├── OwnAccount             an administrator would change their own rights, or shut themselves out
    │   ├── VersionMissing         a change does not say which version it was made for
    │   ├── InputRefused           a value cannot be taken; says which, and what would do
    │   ├── NothingKept            what was to be sent again after a step-up is not there, or not theirs
    │   └── BearerMalformed        the Authorization header is not one bearer token
    ├── NotSignedIn                nobody is signed in here
    │   ├── CallerUnknown          neither a session nor a bearer token came, where either is taken
    │   └── BearerMissing          an API wants a bearer token, and none was sent
    ├── BearerRefused              the bearer token failed a check
    ├── NotAllowed                 we know who it is, and they may not; says what was missing
    │   └── StepUpRequired         they may once they have proven more: a factor, a context, more recently
    │       └── StepUpInVain       they have just been asked for it, and it was not proven
    ├── SignInRefused              one attempt to sign in cannot go on
    │   ├── TransactionRefused     the attempt is unknown here, used, or too old (`state`)
    │   ├── AuthorityRefused       the authority said no; carries its AADSTS code when it has one
    │   └── TokenRefused           a token failed a check
    │       └── TenantRefused      it is good, but its tenant's people, or its guests, are not let in
    │           ├── TenantWaits        its tenant has been on-boarded, and the operator has not decided yet
    │           └── TenantMismatch     another tenant was on-boarded than that of whoever signed in
    ├── RenewalRefused             the authority will not renew: the person must sign in again
    │   └── InteractionRequired    it would, after one more step by the person (MFA, consent, claims)
    ├── Unsupported                the provider, or how we are registered there, cannot do what the application wants
    ├── SessionDataRefused         what the application put into the session cannot be kept there
    └── Unavailable                something we depend on does not answer; nobody is to blame
        ├── Prefetched             not yet: a browser asks ahead of a click
        ├── TooMany                more of this comes than we take
        ├── AuthorityUnavailable   the authority, or the way to it
        └── StoreUnavailable       the session store or the users' database

Each has a `code` (the word of OAuth where there is one) for machines and a `public` sentence for people.
The detail given to the constructor is for logs: it must never hold a token, code, secret or session id.
Those of the guards stand in `guard_errors`. `web.failures` is the only place that knows status codes.
"""


class EntradaError(Exception):
    """Anything this library refuses or cannot do."""

    code = "server_error"
    public = "Something went wrong on our side."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.public)


class SettingsRefused(EntradaError):
    """The application may not start: `faults` names every setting at fault and how to mend it."""

    code = "invalid_settings"
    public = "This application is not set up correctly."

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(f"- {fault}" for fault in faults))
        self.faults = faults


class RequestRefused(EntradaError):
    """The request is malformed, too large, or for a host that is not ours."""

    code = "invalid_request"
    public = "The request could not be understood."


class CsrfRefused(RequestRefused):
    """An unsafe request did not prove that it comes from our own pages."""

    code = "cross_site_request"
    public = "For your safety this was not done: the request did not come from this site's own page."


class PageOutdated(CsrfRefused):
    """The form's token is of another session: somebody has signed in anew since the page was loaded."""

    code = "page_outdated"
    public = "Somebody has signed in anew in this browser since you opened this page, so nothing was sent."


class HeadersTooLarge(RequestRefused):
    """The request has more in its headers than we read."""

    code = "headers_too_large"
    public = "The headers of the request are larger than this application reads."


class MethodRefused(RequestRefused):
    """The address is right, the method is not; `allowed` names those that are."""

    code = "method_not_allowed"
    public = "This address cannot be used in this way."

    def __init__(self, detail: str = "", *, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class MediaTypeRefused(RequestRefused):
    """The body is of a kind that this address does not take."""

    code = "unsupported_media_type"
    public = "This address does not take what was sent."


class NotFound(RequestRefused):
    """Nothing is at this address."""

    code = "not_found"
    public = "There is nothing at this address."


class ChangedMeanwhile(RequestRefused):
    """Somebody else has changed it since it was read; nothing was done."""

    code = "changed_meanwhile"
    public = "Somebody else has changed this meanwhile. Load it again, and see whether it still needs your change."


class LastAdmin(RequestRefused):
    """It would leave the application without an active administrator; nothing was done."""

    code = "last_admin"
    public = "This is the last administrator. Make somebody else one first."


class OwnAccount(RequestRefused):
    """An administrator would change their own rights, or shut themselves out (SEC-137); nothing was done."""

    code = "own_account"
    public = "Nobody changes their own rights or removes themselves. Ask another administrator."


class VersionMissing(RequestRefused):
    """A change does not say by If-Match which version it was made for."""

    code = "if_match_required"
    public = "Say by If-Match which version you have seen: its ETag came with it."


class InputRefused(RequestRefused):
    """A value cannot be taken; `public` says which and what would do, and never repeats it."""

    code = "invalid_input"

    def __init__(self, public: str) -> None:
        super().__init__(public)
        self.public = public


class NothingKept(RequestRefused):
    """A request was to be sent again after a step-up, and is not there any more, or is not this person's."""

    code = "nothing_kept"
    public = "What you sent before is not here any more, so nothing was sent again."


class BearerMalformed(RequestRefused):
    """The request has more than one Authorization header, or one that is no bearer token."""

    public = "Send one header `Authorization: Bearer TOKEN`, and nothing else in it."


class NotSignedIn(EntradaError):
    """Nobody is signed in, or no longer; `schemes` are the ways to say who calls, for WWW-Authenticate."""

    schemes: tuple[str, ...] = ("Session",)
    code = "login_required"
    public = "Please sign in."


class CallerUnknown(NotSignedIn):
    """Neither a session nor a bearer token came, where either is taken."""

    schemes = ("Bearer", "Session")


class BearerMissing(NotSignedIn):
    """A route for bearer tokens was called without one; a session is not taken instead."""

    schemes = ("Bearer",)
    public = "This address needs an access token: send it as `Authorization: Bearer TOKEN`."


class BearerRefused(EntradaError):
    """The bearer token failed a check; `check` names it and says why in our words, never with the token's."""

    code = "invalid_token"
    public = "The access token was not accepted."

    def __init__(self, check: str = "") -> None:
        super().__init__(check)
        self.check = check


class NotAllowed(EntradaError):
    """Who calls is known and lacks a right; `missing` says which, `scopes` are those that would have done."""

    code = "insufficient_scope"
    public = "You may not do this."

    def __init__(self, missing: str, *, scopes: tuple[str, ...] = ()) -> None:
        super().__init__(f"missing: {missing}")
        self.public = f"This needs {missing}."
        self.scopes = scopes


class StepUpRequired(NotAllowed):
    """Who calls would be allowed after proving more (RFC 9470).

    `contexts` are authentication contexts, all of which are wanted; `max_age` is how old the sign-in may be, in
    seconds; `mfa` whether it must have had a second factor; `understands_claims` whether the client said that it can
    answer Entra's claims challenge.
    """

    code = "insufficient_user_authentication"
    login: str | None = None
    """Where a browser with a session goes to prove it, and comes back from."""
    kept = False
    """Whether the request that was refused is kept, to be sent again afterwards."""

    def __init__(
        self,
        missing: str,
        *,
        contexts: tuple[str, ...] = (),
        max_age: int | None = None,
        mfa: bool = False,
        understands_claims: bool = False,
    ) -> None:
        super().__init__(missing)
        self.missing = missing
        self.contexts = contexts
        self.max_age = max_age
        self.mfa = mfa
        self.understands_claims = understands_claims


class StepUpInVain(StepUpRequired):
    """The person was sent to prove it a moment ago, and their sign-in does not say that they did: no loop."""


class SignInRefused(EntradaError):
    """This attempt to sign in cannot go on; nothing was changed."""

    code = "access_denied"
    public = "The sign-in could not be completed."


class TransactionRefused(SignInRefused):
    """The attempt is not one that this browser has open: unknown, used, or too old."""

    code = "invalid_state"
    public = "This sign-in was started in another browser, took too long, or was already used."


class AuthorityRefused(SignInRefused):
    """The authority refused; `error` is its OAuth word and `aadsts` its number, when it gave one.

    `public`, where given, says in our words what happened and what to do.
    """

    public = "The sign-in service did not accept this sign-in."

    def __init__(
        self, detail: str = "", *, error: str = "access_denied", aadsts: str | None = None, public: str | None = None
    ) -> None:
        super().__init__(detail or public or "")
        self.public = public or self.public
        self.code = error
        self.aadsts = aadsts


class TokenRefused(SignInRefused):
    """A token failed a check; the detail names the check, never the token."""

    code = "invalid_token"
    public = "Your sign-in could not be verified. Please sign in again."


class NotVerifiableYet(TokenRefused):
    """A token that may be good: its key is not known here, or it is from the future by this machine's clock."""


class TenantRefused(TokenRefused):
    """The person is who they say, but people of their organisation, or its guests, are not let in here."""

    code = "tenant_not_allowed"
    public = "People of your organisation cannot sign in to this application."


class TenantWaits(TenantRefused):
    """The person's organisation has been on-boarded, and whoever runs the application has not approved it yet."""

    code = "tenant_not_approved"
    public = "Your organisation has asked to be let in, and is not approved yet."


class TenantMismatch(TenantRefused):
    """One organisation was said to be on-boarded, and somebody of another has signed in to confirm it."""

    code = "tenant_mismatch"
    public = "The organisation that agreed is not the one that you signed in with."


class RenewalRefused(EntradaError):
    """The authority will not renew: the person must sign in again."""

    code = "invalid_grant"
    public = "Your sign-in has ended. Please sign in again."

    def __init__(self, detail: str = "", *, aadsts: str | None = None) -> None:
        super().__init__(detail)
        self.aadsts = aadsts


class InteractionRequired(RenewalRefused):
    """The authority would renew after one more step by the person; `claims` says which, when it did."""

    code = "interaction_required"
    public = "One more step is needed to go on."
    login: str | None = None
    """Where a browser with a session goes for it, and comes back from."""
    kept = False
    """Whether the request that was refused is kept, to be sent again afterwards."""

    def __init__(self, detail: str = "", *, aadsts: str | None = None, claims: str | None = None) -> None:
        super().__init__(detail, aadsts=aadsts)
        self.claims = claims


class ScopeNotAskedFor(EntradaError):
    """An API wants a permission that sign-in never asks for; only the operator can mend that, and the session stays."""

    code = "insufficient_scope"
    public = "This application lacks a permission that it needs for this."


class Unsupported(EntradaError):
    """The provider has no such grant, or this client may not use it; only the operator can mend that."""


class SessionDataRefused(EntradaError):
    """The application's data for the session is too large, or no JSON."""


class Unavailable(EntradaError):
    """Something we depend on does not answer; `retry_after` is in seconds."""

    code = "temporarily_unavailable"
    public = "This is not available just now. Please try again in a moment."

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Prefetched(Unavailable):
    """A browser asks for a page before anybody has clicked: it is to ask again when somebody does."""


class TooMany(Unavailable):
    """More of this comes than we take."""

    code = "too_many_requests"


class AuthorityUnavailable(Unavailable):
    """The authority does not answer, or answers with something that cannot be used."""

    public = "The sign-in service does not answer just now. Please try again in a moment."


class ApiUnavailable(Unavailable):
    """An API that the application calls for somebody cannot be reached, or breaks off."""

    code = "api_unavailable"
    public = "A service behind this page does not answer just now. Please try again in a moment."


class ApiTooSlow(ApiUnavailable):
    """Such an API has not answered in time."""

    code = "api_timeout"


class StoreUnavailable(Unavailable):
    """The session store or the users' database does not answer."""
