"""Named points of the code that everybody runs, at which a process sends itself a signal.

A point is `module:function`: the moment that function is entered, or goes on. It is looked up when the process starts,
so that a point whose function is gone ends the process at once, instead of never being reached.
"""

import os
import signal
import sys
from importlib import import_module
from inspect import unwrap
from operator import attrgetter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

# Signing in
BEFORE_THE_ATTEMPT_IS_SEALED = "entrada.flows.signing_in.transaction:seal"
BEFORE_THE_REDIRECT = "entrada.web.cookies:Cookies.open_transaction"
BEFORE_THE_CODE_IS_REDEEMED = "entrada.flows.signing_in.signin:SignIn.finish"
BEFORE_THE_SESSION_IS_STORED = "entrada.sessions.lifecycle:Sessions.begin"
BEFORE_THE_COOKIE_IS_SENT = "entrada.flows.signing_out.endings:Endings.end_surplus_of"
# Renewal
BEFORE_THE_LEASE_IS_SURE = "entrada.sessions.leases:Lease.is_ours"
BEFORE_THE_CALL = "entrada.provider.clients.token_client:TokenClient.acquire"
AFTER_THE_ANSWER = "entrada.flows.renewing.renewal:Renewal._kept"
AFTER_STORING = "entrada.sessions.leases:Lease.drop"
AFTER_ALL = "entrada.flows.flights:Flights._landed"
# Signing out
BEFORE_THE_SESSION_ENDS = "entrada.sessions.lifecycle:Sessions.end"
BEFORE_THE_COOKIE_IS_CLEARED = "entrada.web.cookies:Cookies.end_session"
BEFORE_THE_REVOCATION = "entrada.flows.signing_out.revocation:Revocation.begin"
WHILE_IT_IS_REVOKED = "entrada.flows.signing_out.revocation:Revocation._revoke"
# The ring of keys
BEFORE_THE_RING_IS_WRITTEN = "entrada.files:_draft"
BEFORE_THE_RING_IS_REPLACED = "pathlib:Path.replace"
AFTER_THE_RING_IS_REPLACED = "pathlib:Path.unlink"
BEFORE_A_SESSION_IS_SEALED_ANEW = "entrada.sessions.resealing:_anew"

POINTS = tuple(sorted(value for name, value in globals().items() if name.isupper() and isinstance(value, str)))


def code_at(point: str) -> CodeType:
    """Return what is run there; AttributeError or ModuleNotFoundError when there is no such function any more."""
    module, _, name = point.partition(":")
    code = unwrap(attrgetter(name)(import_module(module))).__code__  # behind what is around it, such as a span
    assert isinstance(code, CodeType)
    return code


def arm(file: Path, point: str, number: signal.Signals, *, after: int = 0) -> None:
    """Let the process that obeys the file send itself a signal the next time it comes there, or so many times later."""
    assert point in POINTS
    file.write_text(f"{point} {number.name} {after}")


def obey(file: Path) -> None:
    """Send this process the signal that the file names when it comes to the point that the file names, once."""
    known = {code_at(point): point for point in POINTS}
    passed = 0

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal passed
        if event != "call" or frame.f_code not in known or not file.exists():
            return
        wanted, number, after = file.read_text().split()
        if wanted != known[frame.f_code]:
            return
        passed += 1
        if passed > int(after):
            passed = 0
            file.unlink()
            os.kill(os.getpid(), signal.Signals[number])

    sys.setprofile(watch)
