"""The tokens of B2C: their claims, and the answer of the token endpoint around them."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from entrada_emulator.b2c.policy import PolicyPath
from entrada_emulator.b2c.request import ApiScopes
from entrada_emulator.directory.model import Application, User
from entrada_emulator.faults import TOKEN_FAULTS
from entrada_emulator.inspector.notes import passed
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.jwt import signed
from entrada_emulator.issuing.keys import base64url
from entrada_emulator.issuing.refresh import B2C_LIFE, RefreshGrant
from entrada_emulator.issuing.spoiling import signed_or_spoiled
from entrada_emulator.issuing.token_answers import NONCE_COPIED

LIFE = timedelta(minutes=60)
Claims = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSignIn:
    """A customer at an application through a policy."""

    path: PolicyPath
    application: Application
    customer: User
    scope: tuple[str, ...]
    auth_time: datetime
    nonce: str | None = None
    new_user: bool = False
    api: ApiScopes | None = None


def token_answer(
    emulator: Emulator, sign_in: CustomerSignIn, *, renewal: RefreshGrant | None, wants_client_info: bool
) -> Claims:
    """ID token, access token where an API was named, refresh token where one was asked for."""
    now = emulator.state.clock.now()
    life, issued = int(LIFE.total_seconds()), int(now.timestamp())
    faults = emulator.state.faults.take("token", TOKEN_FAULTS)
    if sign_in.nonce is not None:
        passed("nonce", NONCE_COPIED)
    identity = id_token_claims(emulator, sign_in, now=now)
    answer: Claims = {
        "id_token": signed_or_spoiled(identity, key=emulator.state.keys.customers, faults=faults),
        "token_type": "Bearer",
        "not_before": issued,
        "id_token_expires_in": life,
        "profile_info": _profile_info(sign_in),
        "scope": " ".join(sign_in.scope),
    }
    if sign_in.api:
        answer |= _access(emulator, sign_in, sign_in.api, now=now)
    if renewal:
        answer["refresh_token"] = emulator.state.refresh_tokens.issue(renewal)
        answer["refresh_token_expires_in"] = int(B2C_LIFE.total_seconds())
    if wants_client_info:
        answer["client_info"] = customer_info(sign_in.customer, sign_in.path)
    return answer


def id_token_claims(emulator: Emulator, sign_in: CustomerSignIn, *, now: datetime) -> Claims:
    """Version 1.0, `tfp` for the policy, `emails` as a list; no `tid`, no `preferred_username`."""
    optional = {
        "nonce": sign_in.nonce,
        "given_name": sign_in.customer.given_name or None,
        "family_name": sign_in.customer.surname or None,
        "newUser": True if sign_in.new_user else None,
    }
    return {
        **_registered(emulator, sign_in, now=now),
        "aud": sign_in.application.client_id,
        "auth_time": int(sign_in.auth_time.timestamp()),
        "name": sign_in.customer.display_name,
        "emails": [sign_in.customer.mail] if sign_in.customer.mail else [],
        **{name: value for name, value in optional.items() if value is not None},
        **{f"extension_{name}": value for name, value in sign_in.customer.extensions.items()},
    }


def customer_info(customer: User, path: PolicyPath) -> str:
    """`client_info` of B2C: the object id with the policy behind it, so that policies do not share an account."""
    uid = f"{customer.id}-{path.flow.name.lower()}"
    return base64url(json.dumps({"uid": uid, "utid": customer.tenant_id}, separators=(",", ":")).encode())


def _access(emulator: Emulator, sign_in: CustomerSignIn, api: ApiScopes, *, now: datetime) -> Claims:
    claims = _registered(emulator, sign_in, now=now) | {
        "aud": api.resource.client_id,
        "azp": sign_in.application.client_id,
        "name": sign_in.customer.display_name,
    }
    if api.values:
        claims["scp"] = " ".join(api.values)
    if sign_in.nonce is not None:
        claims["nonce"] = sign_in.nonce  # as B2C does, unlike Entra
    return {
        "access_token": signed(claims, key=emulator.state.keys.customers),
        "expires_in": int(LIFE.total_seconds()),
        "expires_on": claims["exp"],
        "resource": api.resource.client_id,
    }


def _registered(emulator: Emulator, sign_in: CustomerSignIn, *, now: datetime) -> Claims:
    issued = int(now.timestamp())
    return {
        "iss": sign_in.path.issuer(emulator.origins),
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(LIFE.total_seconds()),
        "sub": sign_in.customer.id,
        "oid": sign_in.customer.id,
        "tfp": sign_in.path.flow.name,
        "ver": "1.0",
    }


def _profile_info(sign_in: CustomerSignIn) -> str:
    customer = sign_in.customer
    told = {
        "ver": "1.0",
        "tid": customer.tenant_id,
        "sub": customer.id,
        "name": customer.display_name,
        "preferred_username": None,
        "idp": None,
    }
    return base64url(json.dumps(told, separators=(",", ":")).encode())
