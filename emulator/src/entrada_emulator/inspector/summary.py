"""What a flow was, in a few words: its kind, for which application and person, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from entrada_emulator.inspector.catalogue.exchanges import WAITS
from entrada_emulator.inspector.flows import Flow
from entrada_emulator.inspector.model import Refusal
from entrada_emulator.inspector.rows import refusal_of
from entrada_emulator.inspector.values import clipped
from entrada_emulator.wire.recorder import Recorded

Ending = Literal["succeeded", "refused", "under_way", "left"]
LEFT_AFTER = 600.0  # seconds without a request: codes last ten minutes
OK = 200
REFUSED = 400
CODE, PERSON, DEVICE = "Code not redeemed yet", "Waits for the person", "Waits for the device"
OVER = "lost"  # the page for whoever goes back to a sign-in that is over: what it came to stays
LEFT = {CODE: "Code never redeemed", PERSON: "Left by the person", DEVICE: "Left by the device"}
BY_GRANT = {
    "authorization_code": "Code redeemed",
    "refresh_token": "Renewal",
    "client_credentials": "Application only",
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "On behalf of",
    "urn:ietf:params:oauth:grant-type:device_code": "Device code",
    "device_code": "Device code",
    "password": "Name and password",
}
BY_ENDPOINT = {"devicecode": "Device code", "adminconsent": "Consent for an organisation", "logout": "Sign-out"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One line of the list, and the head of a flow's page."""

    number: int
    kind: str
    application: str
    """Empty where the request named none, or one that is not there."""
    client_id: str
    person: str
    at: datetime
    seconds: float
    """From the first request to the last answer."""
    ending: Ending
    told: str
    """The ending in a few words."""
    refusal: Refusal | None = None


def summary_of(flow: Flow, *, seconds: float) -> Summary:
    """What the flow was; `seconds` is the recorder's time now."""
    ending, told, refusal = _ending(flow, idle=seconds - flow.last.answered.seconds)
    return Summary(
        number=flow.number,
        kind=_kind(flow),
        application=_fact(flow, "application"),
        client_id=_fact(flow, "client_id") or clipped(_asked_for(flow)),
        person=_fact(flow, "person"),
        at=flow.first.at,
        seconds=flow.last.answered.seconds - flow.first.arrival.seconds,
        ending=ending,
        told=told,
        refusal=refusal,
    )


def _kind(flow: Flow) -> str:
    first = flow.first
    if first.endpoint == "token":
        return BY_GRANT.get(first.form.get("grant_type", ""), "Token request")
    kind = BY_ENDPOINT.get(first.endpoint) or _sign_in(flow)
    policy = first.notes.facts.get("policy")
    return f"{kind} · {policy}" if policy else kind


def _sign_in(flow: Flow) -> str:
    query = flow.first.query
    proof = "code + PKCE" if query.get("code_challenge") else "code"
    if query.get("prompt") == "none":
        return f"Silent sign-in · {proof}"
    if "code" in _delivered(flow.first):
        return f"Single sign-on · {proof}"
    return f"Sign-in · {proof}"


def _ending(flow: Flow, *, idle: float) -> tuple[Ending, str, Refusal | None]:
    for request in reversed(flow.requests):
        found = _ending_by(request)
        if found is None:
            continue
        ending, told, refusal = found
        if ending == "under_way" and idle > LEFT_AFTER:
            return "left", LEFT[told], None
        return ending, told, refusal
    return "under_way", PERSON, None


def _ending_by(request: Recorded) -> tuple[Ending, str, Refusal | None] | None:
    """What this request says of the end; None where it says nothing, as calls of Graph do."""
    if request.endpoint == "graph":
        return None
    if request.endpoint in {"token", "devicecode"}:
        return _by_answer(request)
    fields = _delivered(request)
    refused = fields.get("error_description") or fields.get("error") or request.notes.facts.get("refusal")
    if refused:
        return _refused(request, refused)
    if "code" in fields:
        return "under_way", CODE, None
    if fields:
        return "succeeded", "Consented", None
    if request.status >= REFUSED:
        return "refused", f"Answered with {request.status}", None
    return _by_page(request)


def _by_answer(request: Recorded) -> tuple[Ending, str, Refusal | None]:
    members = request.answered.body
    if members.get("error") == WAITS:
        return "under_way", PERSON, None
    refused = str(members.get("error_description") or members.get("error") or "")
    if refused:
        return _refused(request, refused)
    if request.status != OK:
        return "refused", f"Answered with {request.status}", None
    if request.endpoint == "devicecode":
        return "under_way", PERSON, None
    return "succeeded", "Tokens issued", None


def _by_page(request: Recorded) -> tuple[Ending, str, Refusal | None] | None:
    page = request.notes.facts.get("page", "")
    if request.endpoint == "logout" and page != "logout_accounts":
        return "succeeded", "Signed out", None
    if page in {"", OVER}:
        return None
    return "under_way", DEVICE if page == "device_done" else PERSON, None


def _refused(request: Recorded, text: str) -> tuple[Ending, str, Refusal | None]:
    refusal = refusal_of(text, request.notes)
    return "refused", refusal.code or "Refused", refusal


def _delivered(request: Recorded) -> dict[str, str]:
    return dict(request.notes.delivered[-1].fields) if request.notes.delivered else {}


def _fact(flow: Flow, name: str) -> str:
    found = (request.notes.facts.get(name) for request in reversed(flow.requests))
    return clipped(next((fact for fact in found if fact), ""))


def _asked_for(flow: Flow) -> str:
    return (flow.first.query | flow.first.form).get("client_id", "")
