"""Collections in pages of a hundred, and the members of each that `$select` names."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from entrada_emulator.endpoints.graph.errors import GraphError
from entrada_emulator.instance import Emulator

PAGE_SIZE = 100
OPTIONS = frozenset({"$select", "$top", "$count", "$skiptoken"})
UNSUPPORTED = "Request_UnsupportedQuery"


def page(request: Request, emulator: Emulator, items: Sequence[dict[str, Any]], *, context: str) -> dict[str, Any]:
    """The page that `$skiptoken` names, with the link to the next one; `$top` makes pages smaller."""
    start, size = _number(request, "$skiptoken", default=0), min(_number(request, "$top", default=PAGE_SIZE), PAGE_SIZE)
    names = selected(request)
    shown = f"({','.join(names)})" if names else ""
    body: dict[str, Any] = {"@odata.context": f"{emulator.origins.graph}/v1.0/$metadata#{context}{shown}"}
    if request.query_params.get("$count") == "true":
        body["@odata.count"] = len(items)
    if start + size < len(items):
        kept = {name: value for name, value in request.query_params.items() if name != "$skiptoken"}
        query = urlencode(kept | {"$skiptoken": start + size}, safe="$,")
        body["@odata.nextLink"] = f"{emulator.origins.graph}{request.scope['path']}?{query}"
    return body | {"value": [_only(item, names) for item in items[start : start + size]]}


def selected(request: Request) -> tuple[str, ...]:
    """The members that `$select` names; none where it is absent, which means the usual ones."""
    return tuple(name.strip() for name in request.query_params.get("$select", "").split(",") if name.strip())


def refuse_unknown_options(request: Request) -> None:
    """Raises 400 for a query option that is not understood: an answer that left `$filter` out would be a wrong one."""
    unknown = [name for name in request.query_params if name.startswith("$") and name not in OPTIONS]
    if unknown:
        raise GraphError(400, UNSUPPORTED, f"The emulator does not have {unknown[0][:64]}.")


def _only(item: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    if not names:
        return item
    return {name: value for name, value in item.items() if name in names or name.startswith("@odata.")}


def _number(request: Request, name: str, *, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or (name == "$top" and int(text) < 1):  # noqa: PLR2004
        raise GraphError(400, UNSUPPORTED, f"The {name} is not one of ours.")
    return int(text)
