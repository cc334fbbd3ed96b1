"""Credentials added while the emulator runs: what Graph's `addKey`, `addPassword` and federated credentials do."""

import json
from typing import Any

from starlette.requests import Request

from entrada_emulator.clients.credentials import BadCredential
from entrada_emulator.control.guard import BadControl, Json
from entrada_emulator.directory.model import FederatedCredential, Secret
from entrada_emulator.instance import Emulator

TELLS = 'name a "client_id" of the directory and one of "secret", "certificate" (PEM) or "federated"'
FEDERATED = '"federated" has issuer, subject, jwks (a JWK set), and audiences if they are not the usual one'


def add_credential(emulator: Emulator, body: Json, _: Request) -> Json:
    """`{"client_id": …, "secret": …}`, `"certificate": PEM`, or `"federated": {"issuer", "subject", "jwks"}`."""
    application = emulator.world.application(str(body.get("client_id")))
    if application is None:
        raise BadControl(TELLS)
    credentials, client_id = emulator.state.credentials, application.client_id
    try:
        if isinstance(body.get("secret"), str) and body["secret"]:
            credentials.add_secret(client_id, Secret(body["secret"], "added"))
        elif isinstance(body.get("certificate"), str):
            credentials.add_certificate(client_id, body["certificate"])
        elif isinstance(body.get("federated"), dict):
            credentials.add_federated(client_id, _federated(body["federated"]))
        else:
            raise BadControl(TELLS)
    except BadCredential as refused:
        raise BadControl(str(refused)) from None
    return {"client_id": client_id}


def _federated(given: dict[str, Any]) -> FederatedCredential:
    issuer, subject, jwks = given.get("issuer"), given.get("subject"), given.get("jwks")
    audiences = given.get("audiences", list(FederatedCredential("", "").audiences))
    if not (isinstance(issuer, str) and isinstance(subject, str) and isinstance(audiences, list)):
        raise BadControl(FEDERATED)
    keys = "" if jwks is None else json.dumps(jwks)
    return FederatedCredential(issuer, subject, keys, tuple(map(str, audiences)))
