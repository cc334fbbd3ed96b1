"""`jwt-bearer` with `requested_token_use=on_behalf_of`: an API calls the next one for the person who called it."""

from typing import Any

from entrada_emulator.clients.assertions import check_times
from entrada_emulator.directory.model import Application, ClientAcr, User
from entrada_emulator.directory.world import home_of
from entrada_emulator.errors import EntraError
from entrada_emulator.grants import request as common
from entrada_emulator.grants.request import TokenRequest
from entrada_emulator.inspector.notes import checking
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.jwt import NotOurToken, read
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.issuing.sign_in import SignIn
from entrada_emulator.issuing.token_answers import Answer
from entrada_emulator.signing_in.claims_request import parse_claims


def on_behalf_of(emulator: Emulator, request: TokenRequest) -> Answer:
    """Tokens for the person whose access token the API received.

    The assertion must be a person's, for this very API, signed by the tenant's key and in its time; consent must cover
    what is asked. Raises 50013, 500131, 500133, 7000114, 65001; 50076 as `interaction_required` with the claims to ask
    the person for.
    """
    if request.required("requested_token_use") != "on_behalf_of":
        raise EntraError(90023, reason="unsupported requested_token_use")
    application = common.application_of(emulator, request)
    acr = common.authenticated(emulator, request, application, "web")
    claims = _assertion(emulator, application, request.required("assertion"))
    sign_in = _sign_in(emulator, request, application, claims, acr)
    requested = common.requested_scopes(emulator, request, sign_in, of_grant=(), agreed=())
    sign_in = common.under_policies(emulator, request, sign_in, requested, error="interaction_required")
    requested.check_one_resource()
    now = emulator.state.clock.now()
    renewal = common.renewal_of(sign_in, kind="web", scopes=tuple(request.form["scope"].split()), now=now)
    return common.answer(emulator, request, sign_in, requested, renewal)


def _assertion(emulator: Emulator, application: Application, assertion: str) -> dict[str, Any]:
    """The claims of a person's access token for this API; one signed with a key of the API's own is none."""
    claims = _signed_here(emulator, application, assertion)
    _check_audience(application, claims)
    check_times(claims, now=emulator.state.clock.now(), code=500133)
    with checking("assertion_person"):
        if "scp" not in claims:
            raise EntraError(7000114, client_id=application.client_id)
    return claims


@checking("assertion_signature")
def _signed_here(emulator: Emulator, application: Application, assertion: str) -> dict[str, Any]:
    if application.custom_signing_key:
        raise EntraError(50013, reason="The key was not found")
    try:
        return read(assertion, keys=emulator.state.keys)
    except NotOurToken:
        raise EntraError(50013, reason="The provided signature value did not match the expected signature") from None


@checking("assertion_audience")
def _check_audience(application: Application, claims: dict[str, Any]) -> None:
    names = {application.client_id, *(uri.rstrip("/") for uri in application.identifier_uris)}
    audience = str(claims.get("aud"))
    if audience.rstrip("/") not in names:
        raise EntraError(
            500131, audience=audience, client_id=application.client_id, application=application.display_name
        )


def _at_home(emulator: Emulator, user: User) -> User:
    """Who answers on `common` and `organizations`: as at Entra the person of the home tenant, whatever `tid` says."""
    return emulator.world.user(*home_of(user)) or user


def _sign_in(
    emulator: Emulator, request: TokenRequest, application: Application, claims: dict[str, Any], acr: ClientAcr
) -> SignIn:
    user = common.person(emulator, claims["tid"], claims["oid"], application)
    person = _at_home(emulator, user) if request.path.tenant is None else user
    person = common.in_tenant_of_path(emulator, person, request.path, application)
    proof = emulator.state.issued.proof(claims["uti"])
    if proof is None:
        raise EntraError(50013, reason="The token was issued by another run of this emulator")
    common.check_not_revoked(emulator, person, since=proof.auth_time)
    tenant = common.tenant_of(emulator, person)
    return SignIn(
        user=person,
        tenant=tenant,
        application=application,
        client_acr=acr,
        scopes=parse_scopes(emulator.world, request.required("scope"), tenant=tenant.display_name).oidc,
        sid=claims["sid"],
        auth_time=proof.auth_time,
        amr=proof.amr,
        acrs=tuple(claims.get("acrs", ())),
        requested_claims=parse_claims(request.form.get("claims")),
        version=request.version,
    )
