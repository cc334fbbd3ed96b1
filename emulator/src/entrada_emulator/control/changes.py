"""What the control API changes: the clock, keys, what was issued, faults, recorded requests, settings."""

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import timedelta
from typing import get_args

from starlette.requests import Request

from entrada_emulator.aadsts import CODES
from entrada_emulator.control.guard import BadControl, Json, number
from entrada_emulator.directory.model import RefreshSemantics
from entrada_emulator.faults import EndpointName, Fault, FaultKind
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.codes import AuthorizationCodes
from entrada_emulator.issuing.keys import KeyRing
from entrada_emulator.issuing.refresh import RefreshTokens

KINDS = frozenset(kind for group in get_args(FaultKind) for kind in get_args(group))
SECONDS_IN_TEN_YEARS = 10 * 365 * 86400
LONGEST_LATENCY = 60.0
DEFAULT_CODE = 50173  # revoked
LOWEST_STATUS = 200
TOLD = ("endpoint", "method", "path", "query", "form", "headers")
"""Of a recorded request."""
SWITCHES = ("logout_sends_iss", "continuous_access_evaluation")
"""Of the state: whether frames at sign-out tell `iss`, and whether Graph refuses a token older than a revocation."""


def show(emulator: Emulator, _: Json, __: Request) -> Json:
    """The emulated time, the keys on show, what waits, and how many requests came."""
    state = emulator.state
    return {
        "now": state.clock.now().isoformat(),
        "offset_seconds": state.clock.offset.total_seconds(),
        "keys": {"active": state.keys.active.kid, "published": [key.kid for key in state.keys.published()]},
        "refresh_semantics": state.refresh_tokens.semantics,
        **{name: getattr(state, name) for name in SWITCHES},
        "faults": [asdict(fault) for fault in state.faults.waiting()],
        "requests": dict(state.recorder.counts),
    }


def clock(emulator: Emulator, body: Json, request: Request) -> Json:
    """`{"move_seconds": 3600}` shifts the time, `{"reset": true}` goes back to the real one."""
    if body.get("reset") is True:
        emulator.state.clock.reset()
    else:
        seconds = number(body, "move_seconds", limit=SECONDS_IN_TEN_YEARS)
        emulator.state.clock.move(timedelta(seconds=seconds))
    return show(emulator, body, request)


def keys(emulator: Emulator, body: Json, request: Request) -> Json:
    """`{"action": "rotate" | "replace" | "withdraw", "kid": …}`; `"of": "customers"` for the keys of B2C."""
    ring, action, kid = emulator.state.keys, str(body.get("action")), str(body.get("kid"))
    actions = KEY_ACTIONS_OF_CUSTOMERS if body.get("of") == "customers" else KEY_ACTIONS
    if body.get("of", "customers") != "customers" or action not in actions:
        raise BadControl('"action" is rotate, replace or withdraw; "of": customers knows rotate and withdraw')
    if not actions[action](ring, kid):
        raise BadControl('"kid" must name a retired key; the active and the next one cannot be withdrawn')
    return show(emulator, body, request)


KEY_ACTIONS: dict[str, Callable[[KeyRing, str], object]] = {
    "rotate": lambda ring, _: ring.rotate(),
    "replace": lambda ring, _: ring.replace_at_once(),
    "withdraw": lambda ring, kid: ring.withdraw(kid),
}
KEY_ACTIONS_OF_CUSTOMERS: dict[str, Callable[[KeyRing, str], object]] = {
    "rotate": lambda ring, _: ring.rotate_for_customers(),
    "withdraw": lambda ring, kid: ring.withdraw_from_customers(kid),
}


def expire(emulator: Emulator, body: Json, _: Request) -> Json:
    """`{"what": "codes" | "refresh_tokens"}` lets them be too old."""
    books: dict[str, AuthorizationCodes | RefreshTokens] = {
        "codes": emulator.state.codes,
        "refresh_tokens": emulator.state.refresh_tokens,
    }
    book = books.get(str(body.get("what")))
    if book is None:
        raise BadControl('"what" is codes or refresh_tokens')
    return {"expired": book.expire_all()}


def revoke(emulator: Emulator, body: Json, _: Request) -> Json:
    """`{"user": NAME}` revokes a person's sessions; `{"what": "refresh_tokens" | "sessions"}` those of everybody.

    `{"consent_of": CLIENT_ID}` takes back what anybody agreed to for that application.
    """
    state = emulator.state
    if "user" in body:
        user = emulator.world.user_by_name(str(body["user"]))
        if user is None:
            raise BadControl('"user" must be the user principal name of somebody')
        state.revoke_sessions(user)
    elif "consent_of" in body:
        state.consents.withdraw_all(str(body["consent_of"]))
    elif body.get("what") == "refresh_tokens":
        return {"revoked": state.refresh_tokens.revoke_all()}
    elif body.get("what") == "sessions":
        return {"revoked": state.sessions.close_all()}
    else:
        raise BadControl('name a "user", a "consent_of", or "what": refresh_tokens or sessions')
    return {"revoked": 1}


def add_fault(emulator: Emulator, body: Json, request: Request) -> Json:
    """Lets the next requests to an endpoint go wrong; the members are those of `Fault`."""
    emulator.state.faults.add(_fault(body))
    return show(emulator, body, request)


def clear_faults(emulator: Emulator, body: Json, request: Request) -> Json:
    """Nothing shall go wrong any more."""
    emulator.state.faults.clear()
    return show(emulator, body, request)


def requests(emulator: Emulator, _: Json, request: Request) -> Json:
    """The recorded requests, oldest first; `?endpoint=token` for those of one endpoint."""
    recorded = emulator.state.recorder.requests(request.query_params.get("endpoint"))
    return {
        "requests": [
            {name: getattr(one, name) for name in TOLD} | {"at": one.at.isoformat(), "status": one.status}
            for one in recorded
        ]
    }


def clear_requests(emulator: Emulator, _: Json, __: Request) -> Json:
    """Forgets the recorded requests and the counts."""
    emulator.state.recorder.clear()
    return {"requests": []}


def settings(emulator: Emulator, body: Json, request: Request) -> Json:
    """`{"refresh_semantics": "entra" | "strict"}`, and true or false for the names in `SWITCHES`."""
    semantics = body.get("refresh_semantics")
    if semantics not in (None, *get_args(RefreshSemantics)):
        raise BadControl('"refresh_semantics" is entra or strict')
    turned = {name: body[name] for name in SWITCHES if name in body}
    if not all(isinstance(value, bool) for value in turned.values()):
        raise BadControl(f"{' and '.join(SWITCHES)} are true or false")
    if semantics is not None:
        emulator.state.refresh_tokens.semantics = semantics
    for name, value in turned.items():
        setattr(emulator.state, name, value)
    return show(emulator, body, request)


def _fault(body: Json) -> Fault:
    unknown = set(body) - {field.name for field in fields(Fault)}
    if unknown or body.get("endpoint") not in get_args(EndpointName) or body.get("kind") not in KINDS:
        raise BadControl(
            f'"endpoint" is one of {", ".join(get_args(EndpointName))}; "kind" one of {", ".join(sorted(KINDS))}; '
            "besides there are times, seconds, status, retry_after, code"
        )
    code = int(number(body, "code", limit=10**9, default=DEFAULT_CODE))
    if code not in CODES:
        raise BadControl(f'"code" {code} is no AADSTS code that the emulator knows')
    retry_after = body.get("retry_after")
    return Fault(
        endpoint=body["endpoint"],
        kind=body["kind"],
        times=int(number(body, "times", limit=1000, default=1)),
        seconds=max(0.0, number(body, "seconds", limit=LONGEST_LATENCY, default=0)),
        status=_status(body),
        retry_after=None if retry_after is None else int(number(body, "retry_after", limit=86400)),
        code=code,
    )


def _status(body: Json) -> int:
    status = int(number(body, "status", limit=599, default=503))
    if status < LOWEST_STATUS:
        raise BadControl('"status" must be between 200 and 599')
    return status
