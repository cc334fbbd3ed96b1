"""What an API says to a client that it refuses: WWW-Authenticate by RFC 6750, RFC 9470 and Entra's claims challenge."""

import json
import re

from entrada.errors import (
    BearerMalformed,
    BearerRefused,
    EntradaError,
    InteractionRequired,
    NotAllowed,
    NotSignedIn,
    RenewalRefused,
    StepUpInVain,
    StepUpRequired,
)
from entrada.flows.stepping_up.challenge import challenge
from entrada.requirements import MULTI_FACTOR
from entrada.web.context import Context

QUOTE = "'"
UNFIT = re.compile(r"[^ !#-\[\]-~]")  # what RFC 6750 section 3 does not allow in a description


def challenges(error: EntradaError, context: Context) -> list[str]:
    """Return the values for WWW-Authenticate, each for a header of its own; empty when none is due."""
    match error:
        case NotSignedIn():
            return [", ".join(error.schemes)]
        case InteractionRequired(claims=str(claims)) if known := context.house.discovery.known:
            return [challenge(claims, authorization_uri=known.authorization_endpoint)]
        case RenewalRefused():
            return ["Session"]
        case BearerMalformed():
            return [_bearer("invalid_request", error.public)]
        case BearerRefused():
            return [_bearer(error.code, error.check)]
        case StepUpRequired() if context.bearer:
            return [*_claims_challenge(error, context), f"Bearer {_step_up(error)}"]
        case StepUpInVain():
            return []
        case StepUpRequired():
            return [f"Session {_step_up(error)}"]
        case NotAllowed() if context.bearer:
            return [_bearer(error.code, error.public, scope=" ".join(error.scopes))]
    return []


def _step_up(error: StepUpRequired) -> str:
    """RFC 9470 section 3: what the client asks the authority for, to come back with a better token."""
    contexts = error.contexts or ((MULTI_FACTOR,) if error.mfa else ())
    age = "" if error.max_age is None else str(error.max_age)
    return _said(error.code, error.public, acr_values=" ".join(contexts), max_age=age)


def _claims_challenge(error: StepUpRequired, context: Context) -> list[str]:
    """Entra's own form, for a client that said it understands it (`xms_cc` with cp1)."""
    metadata = context.house.discovery.known
    if not error.understands_claims or not error.contexts or metadata is None:
        return []
    wanted = json.dumps({"access_token": {"acrs": {"essential": True, "value": error.contexts[0]}}})
    said = challenge(wanted.replace(" ", ""), authorization_uri=metadata.authorization_endpoint)
    return [f'{said}, cc_type="authcontext"']


def _bearer(error: str, description: str, **parameters: str) -> str:
    return f"Bearer {_said(error, description, **parameters)}"


def _said(error: str, description: str, **parameters: str) -> str:
    given = {"error": error, "error_description": description, **parameters}
    return ", ".join(f'{name}="{UNFIT.sub(QUOTE, value)}"' for name, value in given.items() if value)
