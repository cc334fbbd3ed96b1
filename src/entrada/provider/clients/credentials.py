"""What proves to the authority that a request comes from this application: a secret, a certificate or an assertion.

An application may hold several, so that one is changed for another while both are good (SEC-174): they are tried in
turn, the one that worked last first. Only a refusal of the proof itself, or that there is none, leads on to the next.
"""

import inspect
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from entrada.errors import AuthorityUnavailable
from entrada.logs import log

REFUSED = "invalid_client"  # RFC 6749 section 5.2
LONGEST_ASSERTION = 16 * 1024  # bytes of a file; a workload's token has about 1.5 KiB

T = TypeVar("T")
AssertionSource = Callable[[], str | Awaitable[str]]
"""Gives a fresh assertion at each call, such as a managed identity's token for `api://AzureADTokenExchange`."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What goes along with one token request: a secret or an assertion (RFC 7523); neither for a public client."""

    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


PUBLIC = Proof()


class Credential(Protocol):
    """One way to prove it."""

    @property
    def name(self) -> str:
        """What the operator knows it by; it is in logs."""

    @property
    def expires_at(self) -> datetime | None:
        """When it ends, where that is known."""

    async def proof(self, *, client_id: str, audience: str) -> Proof:
        """Return a proof for one request to the token endpoint `audience`; AuthorityUnavailable without one."""


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A client secret. What the authority knows of its end is not told, so the operator says it."""

    value: str = field(repr=False)
    name: str = "client_secret"
    expires_at: datetime | None = None

    async def proof(self, *, client_id: str, audience: str) -> Proof:  # noqa: ARG002 - the same for all
        """Return the secret."""
        return Proof(secret=self.value)


@dataclass(frozen=True, slots=True)
class AssertionFile:
    """A file in which a platform keeps a fresh assertion, such as Kubernetes for a workload identity."""

    path: Path
    name: str = "client_assertion_file"
    expires_at: None = None

    async def proof(self, *, client_id: str, audience: str) -> Proof:  # noqa: ARG002
        """Return what is in the file now; the platform writes it anew long before it expires."""
        try:
            with self.path.open(encoding="ascii") as file:
                text = file.read(LONGEST_ASSERTION + 1).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise AuthorityUnavailable(f"client_assertion_file cannot be read ({type(error).__name__})") from None
        if not text or len(text) > LONGEST_ASSERTION:
            raise AuthorityUnavailable("client_assertion_file is empty, or too long for an assertion")
        return Proof(assertion=text)


@dataclass(frozen=True, slots=True)
class AssertionCall:
    """A function of the application's that gives an assertion, `Entrada(client_assertion=…)`."""

    source: AssertionSource = field(repr=False)
    name: str = "client_assertion"
    expires_at: None = None

    async def proof(self, *, client_id: str, audience: str) -> Proof:  # noqa: ARG002
        """Return what the function gives; what it raises is an outage, its text is for the log of the function."""
        try:
            given = self.source()
            text = await given if inspect.isawaitable(given) else given
        except Exception as error:
            raise AuthorityUnavailable(f"client_assertion raised {type(error).__name__}") from error
        if not isinstance(text, str) or not text:
            raise AuthorityUnavailable("client_assertion gave no text")
        return Proof(assertion=text)


class Credentials:
    """All that one application holds. Without any it is a public client: PKCE alone."""

    def __init__(self, held: Sequence[Credential], *, client_id: str) -> None:
        self._held = tuple(held)
        self._client_id = client_id
        self._first = 0

    @property
    def public(self) -> bool:
        """Whether there is none."""
        return not self._held

    def each(self) -> "Iterator[tuple[str, Credentials]]":
        """Give every credential with its name, each as if it were the only one, to be tried by itself."""
        for credential in self._held:
            yield credential.name, Credentials([credential], client_id=self._client_id)

    async def ask(
        self, attempt: Callable[[Proof], Awaitable[T]], *, audience: str, error_of: Callable[[T], str | None]
    ) -> T:
        """Return the answer to `attempt` with the first proof that the authority accepts, else the last refusal.

        `error_of` gives an answer's OAuth error. Each attempt has a proof made for it (SEC-026).
        """
        if not self._held:
            return await attempt(PUBLIC)
        order = (self._first, *(each for each in range(len(self._held)) if each != self._first))
        for index in order:
            credential = self._held[index]
            try:
                proof = await credential.proof(client_id=self._client_id, audience=audience)
            except AuthorityUnavailable as lacking:
                if index == order[-1]:
                    raise
                log.error("credential_not_had", which=credential.name, reason=str(lacking))
                continue
            answer = await attempt(proof)
            if error_of(answer) != REFUSED:
                self._first = index
                break
            log.error("credential_refused", which=credential.name)  # `credential` would be hidden
        return answer

    def ends(self) -> dict[str, datetime]:
        """Return when each credential ends whose end is known."""
        return {held.name: held.expires_at for held in self._held if held.expires_at is not None}

    def days_left(self, now: datetime) -> dict[str, int]:
        """Return the whole days until each credential ends whose end is known; below zero when it has ended."""
        return {name: math.floor((end - now).total_seconds() / 86_400) for name, end in self.ends().items()}
