"""How Graph refuses."""

import base64
import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from entrada_emulator.directory.model import GRAPH_APP_ID
from entrada_emulator.instance import Emulator

UNAUTHORIZED = 401
DENIED = ("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
NOT_FOUND = ("Request_ResourceNotFound", "The resource does not exist in the directory.")


class GraphError(Exception):
    """A refusal in Graph's own shape."""

    def __init__(self, status: int, code: str, message: str, *, claims: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.claims = claims
        """The claims challenge (JSON) that a new token would answer."""


def refusal(refused: GraphError, request: Request, emulator: Emulator) -> Response:
    """The refusal as an answer; 401 with the challenge that a client acts on."""
    request_id = str(uuid.uuid4())
    inner = {
        "date": emulator.state.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id", request_id),
    }
    body = {"error": {"code": refused.code, "message": refused.message, "innerError": inner}}
    address = f"{emulator.origins.pages}/common/oauth2/authorize"
    challenge = f'Bearer realm="", authorization_uri="{address}", client_id="{GRAPH_APP_ID}"'
    if refused.claims is not None:
        asked = base64.b64encode(refused.claims.encode()).decode()
        challenge += f', error="insufficient_claims", claims="{asked}"'
    headers = {"request-id": request_id} | ({"WWW-Authenticate": challenge} if refused.status == UNAUTHORIZED else {})
    return JSONResponse(body, refused.status, headers=headers)
