"""The operations of administration as the OpenAPI document has them: from the table by which they are answered."""

import re
from collections.abc import Mapping
from typing import Any

from entrada.requirements import Door
from entrada.web.routes.admin.door import Way
from entrada.web.routes.admin.schemas import ID, SCHEMAS, TEXT, ref
from entrada.web.routes.admin.table import ROOT, TABLE

Document = dict[str, Any]
PROBLEMS = {
    "400": "A parameter or a field cannot be taken; `detail` says which",
    "404": "There is nobody, or nothing, of this name that is yours to see",
    "409": "It would be of your own account, or leave no administrator",
    "412": "Somebody else has changed it since; load it again",
    "428": "If-Match is demanded here",
    "503": "A database does not answer; nothing was changed",
}
OF_READING = ("400", "404", "503")
SESSION = frozenset({Door("session")})


def with_administration(document: Document, *, refusal: Document) -> Document:
    """Return the document with our operations and their schemas beside the application's own."""
    components = document.get("components", {})
    return {
        **document,
        "paths": {**document.get("paths", {}), **_paths(refusal)},
        "components": {**components, "schemas": {**SCHEMAS, **components.get("schemas", {})}},
    }


def ways_in() -> Mapping[tuple[str, str], frozenset[Door]]:
    """Return who may call each operation: whoever has a session."""
    return {(_address(path), method.lower()): SESSION for path, ways in TABLE.items() for method in ways}


def _paths(refusal: Document) -> Document:
    return {
        _address(path): {method.lower(): _operation(path, method, way, refusal) for method, way in ways.items()}
        for path, ways in TABLE.items()
    }


def _operation(path: str, method: str, way: Way, refusal: Document) -> Document:
    said = (way.handler.__doc__ or "").split("\n\n")[0]
    changes = method != "GET"
    known = (*OF_READING, *(("409",) if changes else ()), *(("412", "428") if way.versioned else ()))
    body = {"requestBody": {"required": True, "content": _json(ref(way.body))}} if way.body else {}
    return {
        "tags": ["administration"],
        "operationId": f"admin_{way.handler.__name__}",
        "summary": " ".join(said.split()),
        "description": "Wants a sign-in of the last minutes." if way.fresh else "",
        "parameters": [*_in_path(path), *_in_query(way), *([IF_MATCH] if way.versioned else [])],
        **body,
        "responses": {
            "200": {"description": "Done" if changes else "Found", "content": _answer(way)},
            **{status: {"description": PROBLEMS[status], "content": refusal} for status in known},
        },
    }


def _answer(way: Way) -> Document:
    text = {"text/csv": {"schema": TEXT}} if "format" in way.query else {}
    return {kind: {"schema": ref(way.answer)} for kind in way.kinds} | text


def _in_path(path: str) -> list[Document]:
    names = re.findall(r"{(\w+)", path)
    return [
        {"name": name, "in": "path", "required": True, "schema": ID if name == "user_id" else TEXT} for name in names
    ]


def _in_query(way: Way) -> list[Document]:
    return [{"name": name, "in": "query", "schema": schema} for name, schema in way.query.items()]


def _json(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}


def _address(path: str) -> str:
    """Return the path as OpenAPI writes it."""
    return ROOT + path.replace(":path}", "}")


IF_MATCH: Document = {
    "name": "If-Match",
    "in": "header",
    "schema": TEXT,
    "description": "The ETag of the version that the change is made for, or * for any",
}
