"""The routes of administration: each address with its methods, and what those demand."""

from collections.abc import Mapping

from starlette.routing import Route

from entrada.settings import Settings
from entrada.users.photos import KINDS
from entrada.web.routes.admin import logs, overview, users
from entrada.web.routes.admin.door import Way, route
from entrada.web.routes.admin.schemas import FILTER, FORMAT, PEOPLE, PLACE, WHEN

ROOT = "/api/admin"
USER = "/users/{user_id}"
TABLE: Mapping[str, Mapping[str, Way]] = {
    "/users": {"GET": Way(users.list_users, "AdminUsers", query=PEOPLE)},
    USER: {
        "GET": Way(users.get_user, "AdminUser"),
        "PUT": Way(
            users.put_user, "AdminChanged", body="AdminEdit", versioned=True
        ),  # rights want a fresh proof: it looks itself
        "DELETE": Way(users.delete_user, "AdminDeleted", versioned=True, fresh=True),
    },
    f"{USER}/deactivate": {"POST": Way(users.deactivate_user, "AdminChanged", versioned=True, fresh=True)},
    f"{USER}/reactivate": {"POST": Way(users.reactivate_user, "AdminChanged", versioned=True, fresh=True)},
    f"{USER}/erase": {"POST": Way(users.erase_user, "AdminDeleted", fresh=True)},
    f"{USER}/export": {"GET": Way(users.export_user, "AdminPersonalData", head=False)},
    f"{USER}/photo": {"GET": Way(users.get_photo, "AdminPhoto", kinds=KINDS)},
    f"{USER}/roles": {"GET": Way(users.list_roles, "AdminRoles")},
    f"{USER}/roles/{{role:path}}": {
        "PUT": Way(users.grant_role, "AdminRoles", fresh=True),
        "DELETE": Way(users.revoke_role, "AdminRoles", fresh=True),
    },
    f"{USER}/sessions": {
        "GET": Way(users.list_sessions, "AdminSessions"),
        "DELETE": Way(users.end_sessions, "AdminEnded", fresh=True),
    },
    f"{USER}/sessions/{{handle}}": {"DELETE": Way(users.end_session, "AdminEnded", fresh=True)},
    f"{USER}/audit-logs": {"GET": Way(logs.list_logs_of_user, "AuditLogOfUser", query=PLACE)},
    "/audit-logs": {"GET": Way(logs.list_logs, "AuditLog", query=FILTER | PLACE)},
    "/audit-logs/export": {"GET": Way(logs.export_logs, "AuditEntries", query=FILTER | FORMAT, head=False)},
    "/statistics": {"GET": Way(overview.show_statistics, "AdminStatistics", query=WHEN)},
    "/health": {"GET": Way(overview.show_health, "AdminHealth")},
}


def admin_routes(settings: Settings) -> list[Route]:
    """Return them; none where administration is not switched on."""
    return [route(ROOT + path, ways) for path, ways in TABLE.items()] if settings.admin else []
