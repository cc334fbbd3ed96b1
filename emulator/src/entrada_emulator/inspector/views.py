"""What the templates of the inspector get."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from entrada_emulator.clients.checks import s256
from entrada_emulator.inspector.flows import Flow, Grouped, grouped
from entrada_emulator.inspector.model import Actor, Step
from entrada_emulator.inspector.steps import MOST_REQUESTS, steps_of
from entrada_emulator.inspector.summary import Summary, summary_of
from entrada_emulator.instance import Emulator
from entrada_emulator.wire.recorder import Recorded

FLOWS = "/_emulator/flows"
NEWS = f"{FLOWS}/news"
LISTED = 50  # flows on one page; older ones are still there under their numbers
NAMES: dict[Actor, str] = {"browser": "Browser", "entra": "Entra", "graph": "Graph"}
ORDER: tuple[Actor, ...] = ("browser", "application", "entra", "graph")
ENDPOINTS = {
    "metadata": "metadata (where the endpoints are)",
    "keys": "keys (to verify signatures with)",
    "instance": "instance discovery (whether the authority is genuine)",
    "userrealm": "user realm (where a person is at home)",
    "graph": "Microsoft Graph, with a token of no flow on record",
}
VERIFIER = "an-example-of-a-verifier-that-nobody-keeps-secret"


@dataclass(frozen=True, slots=True)
class Lane:
    """One vertical line of the diagram."""

    actor: Actor
    name: str


def overview(emulator: Emulator) -> dict[str, Any]:
    """The list of flows."""
    recorder = emulator.state.recorder
    found, now = grouped(recorder.requests()), recorder.seconds()
    return {
        "changes": recorder.changes,
        "news": NEWS,
        "flows": [summary_of(flow, seconds=now) for flow in found.flows[:LISTED]],
        "more": max(0, len(found.flows) - LISTED),
        "apart": _counted(found.apart),
        "example": example(emulator),
    }


def picture(emulator: Emulator, number: int) -> dict[str, Any] | None:
    """One flow drawn; None where none of this number is on record."""
    recorder = emulator.state.recorder
    found = grouped(recorder.requests())
    flow = found.find(number)
    if flow is None:
        return None
    summary = summary_of(flow, seconds=recorder.seconds())
    steps = steps_of(flow, marks=emulator.state.marks)
    return {
        "changes": recorder.changes,
        "news": NEWS,
        "flow": summary,
        "steps": steps,
        "lanes": _lanes(summary, steps),
        "step_refused": _where_refused(steps),
        "earlier": _summaries(found, flow.earlier, recorder.seconds()),
        "later": _summaries(found, flow.later, recorder.seconds()),
        "meanwhile": _counted(found.during(flow)),
        "left_out": max(0, len(flow.requests) - MOST_REQUESTS),
        "begins_elsewhere": flow.begins_elsewhere,
    }


def example(emulator: Emulator) -> str | None:
    """An address that begins a sign-in, for whoever has no application at hand; None where there is none to name."""
    for application in emulator.world.applications:
        web = next((uri.uri for uri in application.redirect_uris if uri.kind == "web"), None)
        tenant = emulator.world.tenant(application.tenant_id)
        if web and tenant and tenant.kind == "workforce":
            asked = {
                "client_id": application.client_id,
                "response_type": "code",
                "redirect_uri": web,
                "scope": "openid profile offline_access",
                "state": "an-example-of-a-state",
                "nonce": "an-example-of-a-nonce",
                "code_challenge": s256(VERIFIER),
                "code_challenge_method": "S256",
            }
            return f"{emulator.origins.pages}/{tenant.id}/oauth2/v2.0/authorize?{urlencode(asked)}"
    return None


def _where_refused(steps: Sequence[Step]) -> str:
    """The id of the step whose check failed in the last refused request, or else of the refusal; empty without one."""
    refusal = next((step for step in reversed(steps) if step.refusal), None)
    if refusal is None:
        return ""
    request = refusal.id.partition("-")[0]
    same = (step for step in steps if step.id.partition("-")[0] == request)
    return next((step for step in same if any(check.verdict == "failed" for check in step.every_check)), refusal).id


def _lanes(summary: Summary, steps: Sequence[Step]) -> list[Lane]:
    seen = {actor for step in steps for actor in (step.source, step.target)} | {"application", "entra"}
    return [Lane(actor, NAMES.get(actor) or summary.application or "Application") for actor in ORDER if actor in seen]


def _summaries(found: Grouped, numbers: Sequence[int], seconds: float) -> list[Summary]:
    flows = (found.find(number) for number in numbers)
    return [summary_of(flow, seconds=seconds) for flow in flows if isinstance(flow, Flow)]


def _counted(requests: Sequence[Recorded]) -> list[tuple[str, int]]:
    """How often each endpoint was asked; preflights and pages of no flow are left out."""
    told = (request for request in requests if request.endpoint != "other" and request.method != "OPTIONS")
    return Counter(ENDPOINTS.get(request.endpoint, request.endpoint) for request in told).most_common()
