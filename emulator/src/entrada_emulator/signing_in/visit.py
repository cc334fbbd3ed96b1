"""One browser's visit: its cookies on the way in and on the way out."""

import secrets

from starlette.requests import Request
from starlette.responses import Response

from entrada_emulator.directory.model import User
from entrada_emulator.inspector.notes import failed, passed, skipped
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.signing_in.sso import KMSI_LIFE, BrowserSession, SignedIn

SSO = "emulator_sso"
CUSTOMER_SSO = "emulator_customer_sso"
BROWSER = "emulator_browser"


class Visit:
    """What an endpoint knows about the browser that calls, and the cookies it will answer with.

    `emulator_sso` stands for the people who are signed in; `emulator_browser` only binds sign-in attempts to the
    browser that began them. On https both get the `__Host-` prefix: a plain-http page of the same host may not replace
    a cookie that is Secure, so both schemes under one name would lock each other out.
    """

    def __init__(self, request: Request, *, customers: bool = False) -> None:
        """With `customers` the sessions are those of B2C, which no employee's sign-in sees."""
        self.emulator: Emulator = emulator_of(request)
        self._secure = request.url.scheme == "https"
        self._sessions = self.emulator.state.customer_sessions if customers else self.emulator.state.sessions
        self._sso = self._cookie(CUSTOMER_SSO if customers else SSO)
        self._had_session = self._sso in request.cookies
        self._had_browser = bool(request.cookies.get(self._cookie(BROWSER)))
        self.session: BrowserSession | None = self._sessions.find(request.cookies.get(self._sso))
        self._renewed = False
        self._note_session()
        self.browser: str = request.cookies.get(self._cookie(BROWSER)) or secrets.token_urlsafe(32)

    def _note_session(self) -> None:
        if self.session is not None:
            passed("session", f"It stands for {len(self.session.accounts)} account(s) signed in at this browser.")
        elif self._had_session:
            failed("session", "The browser sent a session cookie that is over, or stands for nobody.")
        else:
            skipped("session", "The browser sent no session cookie: nobody is signed in there.")

    @property
    def is_known(self) -> bool:
        """Whether the browser sent back the cookie that attempts are bound to."""
        return self._had_browser

    @property
    def accounts(self) -> tuple[SignedIn, ...]:
        """Who is signed in at this browser."""
        return tuple(self.session.accounts) if self.session else ()

    def account(self, user: User | None) -> SignedIn | None:
        """This person's entry at this browser."""
        return self.session.account(user) if self.session and user else None

    def renew_session(self) -> BrowserSession:
        """The browser's session under a new id, so that an id planted before sign-in is worth nothing after it."""
        self.session = self._sessions.renew(self.session) if self.session else self._sessions.open()
        self._renewed = True
        return self.session

    def sign_out(self, account: SignedIn) -> None:
        """Signs one account out; with the last one the browser's session ends."""
        if self.session is None:
            return
        self.session.sign_out(account)
        if not self.session.accounts:
            self._sessions.close(self.session)
            self.session = None

    def answer(self, response: Response) -> Response:
        """Puts on the response the cookies that this visit changed."""
        if not self._had_browser:
            self._set(response, self._cookie(BROWSER), self.browser)
        if self.session and self._renewed:
            lifetime = int(KMSI_LIFE.total_seconds()) if self.session.keep else None
            self._set(response, self._sso, self.session.id, max_age=lifetime)
        elif self._had_session and self.session is None:
            response.delete_cookie(self._sso, secure=self._secure, httponly=True, samesite="lax")
        return response

    def _cookie(self, name: str) -> str:
        return f"__Host-{name}" if self._secure else name

    def _set(self, response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
        response.set_cookie(name, value, max_age=max_age, secure=self._secure, httponly=True, samesite="lax")
