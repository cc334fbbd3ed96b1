"""The OpenAPI document has every address of administration, and what comes is what it says (API-7)."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from entrada_emulator.issuing.keys import SigningKey
from fastapi.openapi.models import OpenAPI

from entrada.web.routes.admin.table import ROOT, TABLE
from tests.administration.site import ADA, ADMIN, MIA, AdminSite, administered, promote

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None),
}  # fmt: skip
FORMATS = {"date-time": datetime.fromisoformat, "uuid": UUID}


def faults(value: Any, schema: dict[str, Any], schemas: dict[str, Any], place: str = "$") -> list[str]:
    """Say where a value is not as its schema has it, as far as our schemas go: not one field more."""
    if "$ref" in schema:
        return faults(value, schemas[schema["$ref"].rpartition("/")[2]], schemas, place)
    if "anyOf" in schema:
        ways = [faults(value, each, schemas, place) for each in schema["anyOf"]]
        return [] if [] in ways else ways[0]
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if not any(isinstance(value, TYPES[kind]) for kind in kinds):
        return [f"{place}: {type(value).__name__} is not {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value} is not among {schema['enum']}"]
    if "format" in schema:
        FORMATS[schema["format"]](value)
    if isinstance(value, list):
        return [fault for each in value for fault in faults(each, schema["items"], schemas, f"{place}[]")]
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        wrong = [f"{place}: {name}" for name in {*schema["required"]} ^ value.keys()]
        return wrong + [
            fault
            for name in value.keys() & known
            for fault in faults(value[name], known[name], schemas, f"{place}.{name}")
        ]
    return []


@pytest.fixture(scope="module")
def described(site: AdminSite) -> dict[str, Any]:
    return site.site.app.openapi()


async def test_every_operation_is_described(site: AdminSite, described: dict[str, Any]) -> None:
    """Each address with its methods, its parameters in the path, for sessions only; the whole document is valid."""
    found = {(path, method) for path, item in described["paths"].items() if path.startswith(ROOT) for method in item}
    table = {(ROOT + path.replace(":path", ""), method.lower()) for path, ways in TABLE.items() for method in ways}
    assert found == table
    names = [operation["operationId"] for item in described["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))
    for path, method in found:
        operation = described["paths"][path][method]
        assert operation["security"] == [{"Session": []}]
        assert operation["summary"]
        assert {"200", "400", "401", "403", "404", "503"} <= operation["responses"].keys()
    assert OpenAPI.model_validate(described).openapi.startswith("3.1")


@pytest.mark.parametrize("below", [
    "/users", "/users/{user_id}", "/users/{user_id}/roles", "/users/{user_id}/sessions",
    "/users/{user_id}/audit-logs", "/users/{user_id}/export", "/audit-logs", "/audit-logs/export", "/statistics",
    "/health",
])  # fmt: skip
async def test_what_comes_is_what_is_described(site: AdminSite, described: dict[str, Any], below: str) -> None:
    """Every reading answer has exactly the fields, types and words of its schema."""
    ada, _ = await site.of(ADA), await site.of(MIA)
    operation = described["paths"][ROOT + below]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    query = {"format": "json"} if below.endswith("logs/export") else {}
    answer = await ada.get(ADMIN + below.replace("{user_id}", str((await site.person(MIA)).id)), params=query)
    assert faults(answer.json(), schema, described["components"]["schemas"]) == []


async def test_a_change_answers_as_described(site: AdminSite, described: dict[str, Any]) -> None:
    """The document of a change too; and the fields that may be written are those of the schema."""
    ada, path = await site.of(ADA), await site.path(MIA)
    operation = described["paths"][f"{ROOT}/users/{{user_id}}"]["put"]
    schemas = described["components"]["schemas"]
    answer = await ada.put(path, json=dict.fromkeys(schemas["AdminEdit"]["properties"]) | {"department": "Described"})
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert faults(answer.json(), schema, schemas) == []
    problem = (await ada.put(path, json={"unknown": 1})).json()
    assert problem.keys() >= set(schemas["EntradaRefusal"]["required"])


async def test_it_is_not_described_where_it_is_not_served(
    entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without the setting, neither the addresses nor the schemas are there."""
    async with administered(entra_keys, tmp_path_factory.mktemp("off"), admin=False) as site:
        await promote(site, ADA)
        document = site.site.app.openapi()
        assert not [path for path in document["paths"] if path.startswith(ROOT)]
        assert not [name for name in document["components"]["schemas"] if name.startswith("Admin")]
