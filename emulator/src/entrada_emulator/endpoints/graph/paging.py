"""Collections in pages of a hundred."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from entrada_emulator.endpoints.graph.errors import GraphError
from entrada_emulator.instance import Emulator

PAGE_SIZE = 100


def page(request: Request, emulator: Emulator, items: Sequence[dict[str, Any]], *, context: str) -> dict[str, Any]:
    """The page that `$skiptoken` names, with the link to the next one; `$top` makes pages smaller."""
    start, size = _number(request, "$skiptoken", default=0), min(_number(request, "$top", default=PAGE_SIZE), PAGE_SIZE)
    body: dict[str, Any] = {"@odata.context": f"{emulator.origins.graph}/v1.0/$metadata#{context}"}
    if start + size < len(items):
        top = f"$top={size}&" if "$top" in request.query_params else ""
        address = f"{emulator.origins.graph}{request.scope['path']}"
        body["@odata.nextLink"] = f"{address}?{top}$skiptoken={start + size}"
    return body | {"value": list(items[start : start + size])}


def _number(request: Request, name: str, *, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or (name == "$top" and int(text) < 1):  # noqa: PLR2004
        raise GraphError(400, "Request_UnsupportedQuery", f"The {name} is not one of ours.")
    return int(text)
