"""Our cookies: their names and attributes by purpose, written within limits, read without trust.

| cookie | holds | SameSite | lifetime |
|---|---|---|---|
| session | the opaque id | Lax | until the browser closes; the session's, where the person chose to be remembered |
| transaction, one per attempt | the sealed attempt | Lax; None with form_post | the attempt's |
| leaving | that this browser was sent to the authority to sign out | Lax | five minutes |
| device | a random number, to know the browser again at its next sign-in | Lax | 400 days, the longest there is |
| onboarding | the sealed way to the consent of an administrator | Lax | an attempt's |
| visits | how often this browser came back from the authority within a minute | Lax | one minute |

On https all names begin with `__Host-`, so that no sibling domain can plant one (RFC 6265bis 4.1.3.2). On plain http,
which is for this machine only, browsers refuse that prefix and some refuse Secure: the names are bare there.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from entrada.settings import Settings

MOST_BYTES = 4096  # browsers drop a longer cookie without a word
DEVICE = re.compile(r"[A-Za-z0-9_-]{22}")
DEVICE_SECONDS = 400 * 24 * 3600  # RFC 6265bis: browsers keep no cookie longer
LEAVING_SECONDS = 300  # a sign-out at the authority takes a click or two
MOST_HEADER_BYTES = 16 * 1024  # SEC-086
BLANKS = " \t"  # str.strip() takes more, and so would make `\xa0__Host-…`, which anybody may set, a `__Host-` name
SameSite = Literal["Lax", "None"]
HeaderLine = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of one application; made once from its settings."""

    session: str
    transaction_prefix: str
    visits: str
    leaving: str
    onboarding: str
    device: str
    secure: bool
    transaction_same_site: SameSite
    transaction_seconds: int
    _session_start: bytes = field(init=False, repr=False)
    _session_values: re.Pattern[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_session_start", self.session.encode() + b"=")
        pattern = rb"(?:\A|;)[ \t]*" + re.escape(self.session.encode()) + rb"[ \t]*=[ \t]*([^;]*)"
        object.__setattr__(self, "_session_values", re.compile(pattern))

    @classmethod
    def from_settings(cls, settings: Settings) -> "Cookies":
        """Return the names and attributes for this base URL and response mode."""
        prefix = "__Host-" if settings.secure else ""
        return cls(
            session=f"{prefix}entrada",
            transaction_prefix=f"{prefix}entrada-signin-",
            visits=f"{prefix}entrada-visits",
            leaving=f"{prefix}entrada-leaving",
            onboarding=f"{prefix}entrada-onboarding",
            device=f"{prefix}entrada-device",
            secure=settings.secure,
            transaction_same_site="None" if settings.response_mode == "form_post" else "Lax",
            transaction_seconds=settings.sign_in_minutes * 60,
        )

    def session_in(self, header: bytes) -> str | None:
        """Return what `single` does for the session cookie, at once: every request asks."""
        if header.startswith(self._session_start) and header.find(b";") < 0:  # the one cookie of most who call
            return header[len(self._session_start) :].decode("latin-1").strip(BLANKS)
        values = self._session_values.findall(header)
        if len(values) > 1:
            return single(header, self.session)
        return values[0].decode("latin-1").rstrip(BLANKS) if values else None

    def without_session(self, lines: Sequence[HeaderLine], header: bytes) -> list[HeaderLine]:
        """Return the lines of a request without the cookie of the session, which is in `header`, of all of them."""
        kept = [line for line in lines if line[0] != b"cookie"]
        if header.find(b";") >= 0 and (others := self._session_values.sub(b"", header).strip(b"; \t")):
            kept.append((b"cookie", others))
        return kept

    def begin_session(self, session_id: str, *, seconds: int | None = None) -> str:
        """Return the Set-Cookie value that gives the browser its session, to keep for `seconds` or until it closes."""
        return self._write(self.session, session_id, same_site="Lax", max_age=seconds)

    def end_session(self) -> str:
        """Return the Set-Cookie value that takes the session from the browser."""
        return self._write(self.session, "", same_site="Lax", max_age=0)

    def open_transaction(self, handle: str, sealed: str) -> str:
        """Return the Set-Cookie value that keeps one attempt in the browser."""
        return self._write(
            self.transaction_prefix + handle,
            sealed,
            same_site=self.transaction_same_site,
            max_age=self.transaction_seconds,
        )

    def drop_transaction(self, handle: str) -> str:
        """Return the Set-Cookie value that removes one attempt."""
        return self._write(self.transaction_prefix + handle, "", same_site=self.transaction_same_site, max_age=0)

    def keep_device(self, device_id: str) -> str:
        """Return the Set-Cookie value by which the browser is known again at its next sign-in."""
        return self._write(self.device, device_id, same_site="Lax", max_age=DEVICE_SECONDS)

    def device_in(self, header: bytes) -> str | None:
        """Return the device's number from a Cookie header; None when there is none of the right form."""
        found = single(header, self.device)
        return found if found and DEVICE.fullmatch(found) else None

    def open_onboarding(self, sealed: str) -> str:
        """Return the Set-Cookie value that keeps the way to an administrator's consent in the browser."""
        return self._write(self.onboarding, sealed, same_site="Lax", max_age=self.transaction_seconds)

    def drop_onboarding(self) -> str:
        """Return the Set-Cookie value that removes it."""
        return self._write(self.onboarding, "", same_site="Lax", max_age=0)

    def count_visits(self, counted: str, *, seconds: int) -> str:
        """Return the Set-Cookie value that counts returns from the authority for a while, in digits."""
        return self._write(self.visits, counted, same_site="Lax", max_age=seconds)

    def leave(self) -> str:
        """Return the Set-Cookie value that notes that this browser is on its way to the authority's sign-out."""
        return self._write(self.leaving, "1", same_site="Lax", max_age=LEAVING_SECONDS)

    def arrive(self) -> str:
        """Return the Set-Cookie value that takes that note back, at the next sign-in."""
        return self._write(self.leaving, "", same_site="Lax", max_age=0)

    def _write(self, name: str, value: str, *, same_site: SameSite, max_age: int | None = None) -> str:
        age = "" if max_age is None else f"; Max-Age={max_age}"
        secure = "; Secure" if self.secure else ""
        cookie = f"{name}={value}{age}; Path=/; HttpOnly; SameSite={same_site}{secure}"
        if len(cookie) > MOST_BYTES:
            raise ValueError(f"cookie {name} would have {len(cookie)} bytes; browsers keep {MOST_BYTES}")  # SEC-084
        return cookie


def pairs(header: bytes) -> Iterable[tuple[str, str]]:
    """Yield the name and value of each cookie in a Cookie header, in its order."""
    for part in header.decode("latin-1").split(";"):
        name, equals, value = part.partition("=")
        if equals:
            yield name.strip(BLANKS), value.strip(BLANKS)


def single(header: bytes, name: str) -> str | None:
    """Return the value of a cookie; None when it is absent, or there are two that differ (SEC-087)."""
    if name.encode() not in header:
        return None
    values = {value for found, value in pairs(header) if found == name}
    return values.pop() if len(values) == 1 else None
