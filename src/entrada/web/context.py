"""What a request carries through the application: found in the ASGI scope, never in a global.

`House` holds what the application built once; `Context` is one request's view of it.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.types import Scope

from entrada.clock import Clock
from entrada.errors import NotSignedIn, Unavailable
from entrada.events import Event, EventName, Events
from entrada.logs import log
from entrada.principal import Principal, User
from entrada.settings import Settings

if TYPE_CHECKING:  # an application that only names its dependencies loads none of these
    from entrada.audit.office import Audit
    from entrada.background import Chores
    from entrada.flows.admin.administration import Administration
    from entrada.flows.admin.administrators import Administrators
    from entrada.flows.admin.onboarding import Onboarding
    from entrada.flows.bearer import Bearers
    from entrada.flows.expiry import ExpiryWatch
    from entrada.flows.renewing.tokens import Tokens
    from entrada.flows.signing_in.signin import SignIn
    from entrada.flows.signing_out.endings import Endings
    from entrada.flows.signing_out.remote_logout import RemoteLogout
    from entrada.flows.signing_out.signout import SignOut
    from entrada.flows.stepping_up.step_up import StepUps
    from entrada.provider.discovery import Discovery
    from entrada.provider.groups import Groups
    from entrada.requirements import Rule
    from entrada.sessions.lifecycle import Sessions
    from entrada.sessions.record import RequestFacts
    from entrada.sessions.session import Session
    from entrada.users.database import Database
    from entrada.web.binding import Binding
    from entrada.web.building.people import People
    from entrada.web.cookies import Cookies
    from entrada.web.guards.csrf import CsrfTokens
    from entrada.web.guards.guards import Guards
    from entrada.web.guards.hosts import Hosts
    from entrada.web.monitoring.numbers import Numbers
    from entrada.web.outbound import Outbound
    from entrada.web.pages.pages import Pages
    from entrada.web.request_body import Recorded
    from entrada.web.told_later import ToldLater

KEY = "entrada"
LONGEST_USER_AGENT = 256
NAVIGATES = b"navigate"
_numbers = Random()  # noqa: S311 numbers tell requests apart and protect nothing; the system's would be a call for each
os.register_at_fork(after_in_child=_numbers.seed)


@dataclass(frozen=True, slots=True)
class House:
    """The parts of one application, built once and shared by its requests."""

    settings: Settings
    clock: Clock
    events: Events
    cookies: "Cookies"
    csrf: "CsrfTokens"
    hosts: "Hosts"
    pages: "Pages"
    discovery: "Discovery"
    bearers: "Bearers"
    groups: "Groups"
    database: "Database"
    """The users' database."""
    audit: "Audit"
    sessions: "Sessions"
    sign_in: "SignIn"
    sign_out: "SignOut"
    endings: "Endings"
    remote_logout: "RemoteLogout"
    tokens: "Tokens"
    chores: "Chores"
    expiry: "ExpiryWatch"
    outbound: "Outbound"
    told_later: "ToldLater"
    step_ups: "StepUps"
    onboarding: "Onboarding"
    people: "People"
    guards: "Guards"
    """What stands before every request."""
    numbers: "Numbers"
    """For whoever watches the application."""
    binding: "Binding | None"
    """What sessions are bound to beside their cookie, if to anything."""
    own_paths: frozenset[str]
    """The paths of our own routes."""

    @property
    def administration(self) -> "Administration":
        """What administrators do with people, in force on this worker at once and on all within a second."""
        from entrada.flows.admin.administration import Administration

        return Administration(
            self.database,
            self.audit.trail,
            self.sessions,
            events=self.events,
            clock=self.clock,
            bearers=self.bearers,
            end_all_of=self.endings.end_all_of,
        )

    @property
    def administrators(self) -> "Administrators":
        """Who administers whom, and their desks."""
        from entrada.flows.admin.administrators import Administrators
        from entrada.flows.admin.desk import Office
        from entrada.flows.admin.policy import AdminPolicy
        from entrada.users.tallies import Tallies

        trail, spans, tallies = self.audit.trail, self.audit.spans, Tallies(self.database)
        office = Office(
            self.administration,
            self.people.photos,
            self.sessions,
            self.endings,
            trail,
            spans,
            tallies,
            self.events,
            self.clock,
        )
        return Administrators(AdminPolicy.from_settings(self.settings), office, self.people.directory)

    def path(self, name: str) -> str:
        """Return the path of one of our routes below the prefix, such as `/api/auth/login`."""
        return f"{self.settings.prefix}/{name}"


class Context:
    """One request: who asks, under which number, and the cookies to send with the answer.

    It keeps parts of the scope, never the scope, which holds it: a ring would wait for the garbage collector.
    """

    # what few requests set is a default of the class: this is made for each of them
    headers: Mapping[bytes, bytes] = {}
    """The request's headers by lower-case name; of repeated ones the last."""
    authorization: tuple[bytes, ...] = ()
    bearer = False
    """Whether one of these headers is of that scheme: then no cookie counts."""
    body: "Recorded | None" = None
    """What came with a form, for the case that it has to wait."""
    cookie_header = b""
    session_id: str | None = None
    personal = False
    """Whether the request says who it is from, so that its answer is for nobody else."""
    caller: Principal | None = None
    """Who calls by bearer token, once that is known."""
    rules: tuple["Rule", ...] = ()
    """What the caller was found to meet."""
    limit_headers: tuple[tuple[bytes, bytes], ...] = ()
    """What the answer says of the limit that the request was counted under."""
    return_to: str | None = None
    """A checked address, once it is known where a sign-in was going."""
    answered = False
    """Whether the head of the answer is on its way."""
    broken_off = False
    """Whether the answer, which has begun, will never be whole, and must not look so."""
    save_data: Callable[[], Awaitable[None]] | None = None
    """What saves `request.session`, once it was used."""
    next_id: str | None = None
    """What the answer is to call the session, if another identifier is coming for it."""
    _session: "Session | None" = None
    _looked_up = False

    def __init__(self, house: House, scope: Scope) -> None:
        self.house = house
        self.correlation_id = _numbers.randbytes(16).hex()
        self.set_cookies: list[str] = []
        self._client: tuple[str, int] | None = scope.get("client")

    async def session(self) -> "Session | None":
        """Return the live session of this request, looked up once and only when there is a cookie."""
        if self._looked_up or self.session_id is None:
            return self._session
        if self.house.binding is not None:
            return await self._bound_session(self.session_id, self.house.binding)
        session = await self.house.sessions.visit(self.session_id)
        if session is None:
            await self._let_go_of(self.session_id)
        elif session.record.suffixes is not None:
            self.next_id = self.house.sessions.next_id(session, self.session_id)
        self._session, self._looked_up = session, True
        return session

    async def _bound_session(self, session_id: str, binding: "Binding") -> "Session | None":
        """Look a session up that may be used only from where it began; from elsewhere it is not even touched."""
        session = await self.house.sessions.load(session_id)
        self._looked_up = True
        if session is None:
            await self._let_go_of(session_id)
        elif elsewhere := binding.broken(session.record.facts, self.facts):
            self.house.guards.lines.write(log.warning, "session_refused", kind="session", reason=elsewhere)
            await self.tell("session_refused", user=session.user, reason=elsewhere)
        else:
            self._session = session
            await self.house.sessions.touch(session, called=session_id)
            self.next_id = self.house.sessions.next_id(session, session_id)
        return self._session

    async def give_next_id(self) -> None:
        """Give the browser another identifier where what the person may do has changed (SEC-071).

        Not when the session has ended while the answer was made: by now the browser may have another one's.
        """
        with suppress(Unavailable):  # then the next answer does
            if self.next_id and self._session and await self.house.sessions.by_key(self._session.key):
                seconds = self._session.seconds_kept(self.house.clock())
                self.set_cookies.append(self.house.cookies.begin_session(self.next_id, seconds=seconds))

    @property
    def found_session(self) -> "Session | None":
        """The session, if anything of this request has looked it up and found it."""
        return self._session

    @property
    def known_session(self) -> "Session | None":
        """The session, already looked up; RuntimeError when nothing of this request has done so."""
        if self.session_id is not None and not self._looked_up and not self.bearer:
            raise RuntimeError("request.session: the path operation must take CurrentUser or OptionalUser")
        return self._session

    async def require_session(self) -> "Session":
        """Return the live session; NotSignedIn when there is none, or when a bearer token came with the request."""
        if self.bearer:
            raise NotSignedIn("a bearer token is not taken here")  # never fall back to the cookie (SEC-095)
        session = await self.session()
        if session is None:
            raise NotSignedIn
        return session

    def forget_session(self) -> None:
        """Let go of this request's session, which it has just ended, here and in the browser."""
        self._session, self._looked_up = None, True
        if self.session_id is not None:
            self.set_cookies.append(self.house.cookies.end_session())
            self._forget_limits_of(self.session_id)

    async def _let_go_of(self, session_id: str) -> None:
        """Have the browser forget a session that is none (SEC-083); its cookie is a stranger's from now on.

        Not in answer to a script or an image: that may come after the answer that gave the browser its next session,
        and would take that one. So would one to a late page, which bears an identifier of a session that goes on.
        """
        navigates = self.headers.get(b"sec-fetch-mode", NAVIGATES) == NAVIGATES
        if navigates and await self.house.sessions.of_stem(session_id) is None:
            self.set_cookies.append(self.house.cookies.end_session())
        self._forget_limits_of(session_id)

    def _forget_limits_of(self, session_id: str) -> None:
        if self.house.guards.limits is not None:
            self.house.guards.limits.forget_session(session_id)

    async def tell(
        self,
        name: EventName,
        *,
        user: User | None = None,
        reason: str | None = None,
        uti: str | None = None,
        resource: str | None = None,
        details: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Record what happened and tell those who listen, with the facts of this request; errors like `Events.tell`."""
        facts = self.facts
        await self.house.events.tell(
            Event(
                name=name,
                at=self.house.clock(),
                user_key=user.key if user else None,
                label=user.label if user else None,
                tenant_id=user.tenant_id if user else None,
                reason=reason,
                uti=uti,
                resource=resource,
                details=details,
                correlation_id=self.correlation_id,
                address=facts.address,
                user_agent=facts.user_agent,
            )
        )

    @property
    def address(self) -> str | None:
        """The client's address: the other end of the connection or, through proxies that settings name, beyond them."""
        return self._client[0] if self._client else None

    @property
    def facts(self) -> "RequestFacts":
        """Where the request comes from, for the record of a session."""
        from entrada.sessions.record import RequestFacts

        agent = self.headers.get(b"user-agent", b"").decode("latin-1")[:LONGEST_USER_AGENT]
        return RequestFacts(address=self.address, user_agent=agent or None)

    @property
    def sign_in_url(self) -> str:
        """The address behind a button to sign in: never stopped as a loop, and going where the last attempt went."""
        wanted = {"again": "1"} | ({"return_to": self.return_to} if self.return_to else {})
        return f"{self.house.path('login')}?{urlencode(wanted)}"

    @property
    def csrf_token(self) -> str:
        """The token for forms of this session; empty when the request has no session cookie."""
        return self.house.csrf.token(self.session_id) if self.session_id else ""


def context_of(scope: Scope) -> Context:
    """Return the request's context; RuntimeError says how to install when it is missing."""
    context: Context | None = scope.get(KEY)
    if context is None:
        raise RuntimeError(
            "Entrada is not installed on this application: call Entrada().install(app). A middleware that asks who "
            "calls is added before that, for what is added afterwards runs around it"
        )
    return context
