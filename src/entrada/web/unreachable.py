"""An API that an ApiClient could not reach, where the application left it at that: 502 or 504, no error of our own."""

import httpx2
from starlette.requests import Request
from starlette.responses import Response

from entrada.errors import ApiTooSlow, ApiUnavailable
from entrada.web.api_client import SENT_BY_US
from entrada.web.failures import answer

SLOW = (httpx2.ReadTimeout, httpx2.WriteTimeout)  # it was there, unlike one that no connection is made to


async def answer_unreachable(request: Request, error: Exception) -> Response:
    """Answer a transport's error of an ApiClient; those of the application's own clients go on as they were."""
    if request.scope["type"] != "http" or not isinstance(error, httpx2.TransportError) or not _is_ours(error):
        raise error
    kind = ApiTooSlow if isinstance(error, SLOW) else ApiUnavailable
    return answer(request, kind(f"{error.request.url.host}: {type(error).__name__}"))


def _is_ours(error: httpx2.TransportError) -> bool:
    try:
        return SENT_BY_US in error.request.extensions
    except RuntimeError:  # no request is known
        return False
