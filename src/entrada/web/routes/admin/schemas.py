"""What the answers of administration look like, for the OpenAPI document."""

from typing import Any, get_args

from entrada.audit.log import MOST_AT_ONCE as MOST_ROWS
from entrada.audit.log import MOST_OFFSET
from entrada.audit.rows import STREAMS
from entrada.audit.spans import COUNTED
from entrada.events import EVENT_NAMES, Outcome
from entrada.flows.admin.statistics import SPANS
from entrada.users.changes import LONGEST
from entrada.users.people import MOST_AT_ONCE
from entrada.users.place import LONGEST_PLACE, Order
from entrada.web.routes.admin.export import FORMS

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
MAYBE: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "format": "uuid"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """Return what stands for one of these schemas in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


_SUMMARY: dict[str, Schema] = {
    "id": ID, "email": MAYBE, "display_name": TEXT, "username": TEXT, "is_active": FLAG, "is_admin": FLAG,
    "created_at": TIME, "last_login": TIME, "department": MAYBE, "job_title": MAYBE, "tenant_id": MAYBE,
}  # fmt: skip
_USER = _SUMMARY | {
    "azure_oid": MAYBE, "first_name": MAYBE, "last_name": MAYBE, "updated_at": TIME, "has_photo": FLAG,
    "roles": _list(TEXT),
    "version": {"type": "integer", "minimum": 1},
}  # fmt: skip
_ENTRY: dict[str, Schema] = {
    "id": COUNT, "created_at": TIME, "action": _one_of(*EVENT_NAMES), "outcome": _one_of(*get_args(Outcome)),
    "reason": MAYBE, "user_id": _maybe(ID), "user_email": MAYBE, "display_name": MAYBE, "tenant_id": MAYBE,
    "resource_type": MAYBE, "resource_id": MAYBE, "details": {"type": "object"}, "ip_address": MAYBE,
    "user_agent": MAYBE, "correlation_id": MAYBE, "uti": MAYBE, "stream": _one_of(*STREAMS),
}  # fmt: skip
_PAGE = {"limit": COUNT, "offset": COUNT, "next": MAYBE}
_SESSION: dict[str, Schema] = {
    "handle": TEXT, "device": TEXT, "user_agent": MAYBE, "address": MAYBE, "new": FLAG, "created_at": TIME,
    "last_seen_at": TIME, "idle_expires_at": TIME, "expires_at": TIME,
}  # fmt: skip
_SPAN: dict[str, Schema] = {
    "at": TIME, "people": COUNT, "renewals": _maybe(COUNT), "active_sessions": _maybe(COUNT),
    **dict.fromkeys(COUNTED, COUNT),
}  # fmt: skip
_ANY: Schema = {"type": "object"}
_FIELD: Schema = {"type": ["string", "null"], "maxLength": LONGEST}
_CHOICE: Schema = {"type": ["boolean", "null"]}
SCHEMAS: dict[str, Schema] = {
    "AdminUserSummary": _object(**_SUMMARY),
    "AdminUser": _object(**_USER),
    "AdminUsers": _object(users=_list(ref("AdminUserSummary")), total=COUNT, **_PAGE),
    "AdminChanged": _object(message=TEXT, user=ref("AdminUser")),
    "AdminDeleted": _object(message=TEXT, id=ID),
    "AdminEdit": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "is_active": _CHOICE, "is_admin": _CHOICE, "department": _FIELD, "job_title": _FIELD,
            "display_name": _FIELD,
        },
    },
    "AdminPhoto": {"type": "string", "format": "binary"},
    "AdminRoles": _object(roles=_list(TEXT)),
    "AdminSessions": _object(sessions=_list(_object(**_SESSION))),
    "AdminEnded": _object(ended=COUNT),
    "AdminPersonalData": _object(person=_ANY, sessions=_list(_ANY), audit=_list(_ANY)),
    "AuditEntry": _object(**_ENTRY),
    "AuditEntries": _list(ref("AuditEntry")),
    "AuditLogOfUser": _object(logs=_list(ref("AuditEntry")), **_PAGE),
    "AuditLog": _object(
        logs=_list(ref("AuditEntry")), total=COUNT, total_is_least=FLAG, looked_until=_maybe(TIME), **_PAGE
    ),
    "AdminStatistics": _object(
        per=_one_of(*SPANS), since=TIME, until=TIME,
        spans=_list(_object(**_SPAN)),
    ),
    "AdminHealth": _object(
        status=_one_of("ok", "attention"),
        parts=_object(**dict.fromkeys(("store", "users", "authority"), _one_of("ok", "unavailable"))),
        failing=_list(TEXT),
        audit=_object(waiting=COUNT, lost=COUNT),
        credential_days={"type": ["integer", "null"]},
    ),
}  # fmt: skip

LONGEST_TEXT = 200  # characters of a parameter
SHORT: Schema = {"type": "string", "maxLength": LONGEST_TEXT}
_OFFSET: Schema = {"type": "integer", "minimum": 0, "maximum": MOST_OFFSET}
PEOPLE: dict[str, Schema] = {
    "q": SHORT, "active": FLAG, "admin": FLAG, "role": SHORT, "tenant": ID, "sort": _one_of(*get_args(Order)),
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE}, "offset": _OFFSET,
    "after": {"type": "string", "maxLength": LONGEST_PLACE},
}  # fmt: skip
PLACE: dict[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, "offset": _OFFSET, "after": SHORT
}  # fmt: skip
FILTER: dict[str, Schema] = {
    "outcome": _one_of(*get_args(Outcome)), "user": ID, "about": ID, "tenant": ID, "address": SHORT, "since": TIME,
    "until": TIME, "stream": _one_of(*STREAMS), "correlation_id": SHORT, "q": SHORT,
    "action": _list(_one_of(*EVENT_NAMES)),
}  # fmt: skip
FORMAT: dict[str, Schema] = {"format": _one_of(*FORMS), "bom": FLAG}
WHEN: dict[str, Schema] = {"since": TIME, "until": TIME, "per": _one_of(*SPANS)}
