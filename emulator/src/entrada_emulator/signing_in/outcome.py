"""How an attempt ends: with a code, with an administrator's answer, or with an error; and how each travels."""

import uuid
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.responses import RedirectResponse, Response

from entrada_emulator.directory.model import User
from entrada_emulator.errors import EntraError, Trace, error_redirect
from entrada_emulator.inspector.notes import delivered, noted
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.client_info import client_info
from entrada_emulator.issuing.codes import CodeGrant
from entrada_emulator.pages import form_post, render
from entrada_emulator.signing_in.authorization_request import AuthorizationRequest, Client
from entrada_emulator.signing_in.claims_request import required_acrs
from entrada_emulator.signing_in.conditional_access import satisfied_contexts
from entrada_emulator.signing_in.conversation import Attempt
from entrada_emulator.signing_in.situation import check_assignment, person_there
from entrada_emulator.signing_in.sso import SignedIn
from entrada_emulator.signing_in.visit import Visit
from entrada_emulator.state import State, issue_code

DECLINED = 65004
UNREGISTERED = (
    "Add it where the emulator is started, `--redirect-uri` (with `--client` for any but the first application), or "
    "in a directory of your own, `--world`; or mend the request."
)
ADVICE = {
    50011: UNREGISTERED,
    700016: "Check the client id and the tenant in the request against the emulator’s directory.",
    90002: "Check the tenant in the address: a GUID or a verified domain of the emulator’s directory.",
    50194: "Use the address of the application’s own tenant, or register the application as multi-tenant.",
}


def succeed(visit: Visit, attempt: Attempt, account: SignedIn) -> Response:
    """Hands the application what it asked for. Raises `EntraError` where the person may not use it."""
    check_assignment(visit.emulator.world, attempt.request, account.user)
    person = person_there(visit.emulator.world, attempt.request, account.user)
    noted(person=person.user_principal_name, sid=account.sid)
    account.clients.add((attempt.request.client.application.client_id, person.tenant_id))
    visit.emulator.state.attempts.end(attempt)
    if attempt.request.for_organisation:
        return deliver(attempt.request.client, _admin_fields(attempt.request, person))
    grant = _grant(visit.emulator, attempt.request, account, person)
    if attempt.request.user_code:
        visit.emulator.state.device_codes.approve(attempt.request.user_code, grant)
        return _device_page(attempt, "You are signed in on your device", "You can close this window and go back to {}.")
    return deliver(attempt.request.client, _code_fields(visit.emulator.state, attempt.request, account, grant))


def decline_device(visit: Visit, attempt: Attempt, error: EntraError) -> Response:
    """Ends a sign-in for a device: the person's own refusal is told to it, any other error to the person."""
    if error.code != DECLINED:
        return error_page(visit.emulator.state, error)
    if visit.emulator.state.device_codes.find(attempt.request.user_code):
        visit.emulator.state.device_codes.decline(attempt.request.user_code)
    return _device_page(attempt, "You cancelled", "The device was not signed in. Close this window and go back to {}.")


def refuse(client: Client, error: EntraError, state: State, *, for_organisation: bool = False) -> Response:
    """Sends an error to the application's redirect URI."""
    fields = error_redirect(error, trace(state, client.correlation_id), state=client.state)
    if for_organisation:
        fields = {"admin_consent": "True"} | fields | {"error": _admin_error(client, error)}
    return deliver(client, fields)


def error_page(state: State, error: EntraError, *, correlation_id: str = "") -> Response:
    """Shows an error at the authority, with HTTP 200 as Entra is reported to do."""
    noted(refusal=error.text)
    request = trace(state, correlation_id)
    facts = [
        ("Error code", f"AADSTS{error.code}"),
        ("Trace ID", request.trace_id),
        ("Correlation ID", request.correlation_id),
        ("Timestamp", request.timestamp),
    ]
    return render("error.html", text=error.text, advice=ADVICE.get(error.code), facts=facts)


def deliver(client: Client, fields: Mapping[str, str]) -> Response:
    """Carries the fields to the redirect URI in the response mode that the client asked for."""
    target = _with_path(client.redirect_uri)
    delivered(target, client.response_mode, fields)
    if client.response_mode == "form_post":
        return form_post(target, fields)
    separator = "#" if client.response_mode == "fragment" else "&" if "?" in target else "?"
    headers = {"cache-control": "no-store", "pragma": "no-cache", "referrer-policy": "strict-origin"}
    return RedirectResponse(f"{target}{separator}{urlencode(fields)}", 302, headers)


def trace(state: State, correlation_id: str) -> Trace:
    """What identifies this answer in an error."""
    return Trace(str(uuid.uuid4()), correlation_id or str(uuid.uuid4()), state.clock.now())


def _grant(emulator: Emulator, request: AuthorizationRequest, account: SignedIn, person: User) -> CodeGrant:
    acrs = satisfied_contexts(
        emulator.policies,
        required_acrs(request.claims),
        person=person,
        amr=account.amr,
        auth_time=account.auth_time,
        now=emulator.state.clock.now(),
        asked_the_person=True,
    )
    return CodeGrant(
        client_id=request.client.application.client_id,
        redirect_uri=request.client.redirect_uri,
        redirect_kind=request.client.registered.kind,
        path_tenant=request.client.path.name,
        tenant_id=person.tenant_id,
        user_id=person.id,
        scopes=request.scope,
        sid=account.sid,
        auth_time=account.auth_time,
        amr=account.amr,
        acrs=acrs,
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        code_challenge_method=request.code_challenge_method,
        max_age=request.max_age,
        claims=request.claims,
    )


def _code_fields(state: State, request: AuthorizationRequest, account: SignedIn, grant: CodeGrant) -> dict[str, str]:
    fields = {"code": issue_code(state, grant)}
    if request.client_info:
        fields["client_info"] = client_info(account.user)
    if request.client.state is not None:
        fields["state"] = request.client.state
    return fields | {"session_state": str(uuid.uuid5(uuid.UUID(account.sid), request.client.application.client_id))}


def _device_page(attempt: Attempt, heading: str, text: str) -> Response:
    noted(page="device_done")
    return render(
        "device_done.html", heading=heading, text=text.format(attempt.request.client.application.display_name)
    )


def _admin_fields(request: AuthorizationRequest, person: User) -> dict[str, str]:
    state = {} if request.client.state is None else {"state": request.client.state}
    scope = {"scope": " ".join(request.scope)} if request.scope else {}
    return {"admin_consent": "True", "tenant": person.tenant_id} | scope | state


def _admin_error(client: Client, error: EntraError) -> str:
    """The word that the admin consent endpoints use where a person declined."""
    if error.error != "access_denied":
        return error.error
    return "permission_denied" if client.version == 1 else "consent_required"


def _with_path(uri: str) -> str:
    """Entra answers to `http://host` at `http://host/`."""
    parts = urlsplit(uri)
    return uri if parts.path or parts.scheme not in {"http", "https"} else urlunsplit(parts._replace(path="/"))
