"""The routes of administration: each address with its methods, and what those demand."""

from collections.abc import Mapping

from starlette.routing import Route

from entrada.settings import Settings
from entrada.web.routes.admin import logs, overview, users
from entrada.web.routes.admin.door import Way, route

ROOT = "/api/admin"
USER = "/users/{user_id}"
TABLE: Mapping[str, Mapping[str, Way]] = {
    "/users": {"GET": Way(users.list_users)},
    USER: {
        "GET": Way(users.get_user),
        "PUT": Way(users.put_user),  # rights want a fresh proof: it looks itself
        "DELETE": Way(users.delete_user, fresh=True),
    },
    f"{USER}/deactivate": {"POST": Way(users.deactivate_user, fresh=True)},
    f"{USER}/reactivate": {"POST": Way(users.reactivate_user, fresh=True)},
    f"{USER}/erase": {"POST": Way(users.erase_user, fresh=True)},
    f"{USER}/export": {"GET": Way(users.export_user, head=False)},
    f"{USER}/roles": {"GET": Way(users.list_roles)},
    f"{USER}/roles/{{role:path}}": {
        "PUT": Way(users.grant_role, fresh=True),
        "DELETE": Way(users.revoke_role, fresh=True),
    },
    f"{USER}/sessions": {"GET": Way(users.list_sessions), "DELETE": Way(users.end_sessions, fresh=True)},
    f"{USER}/sessions/{{handle}}": {"DELETE": Way(users.end_session, fresh=True)},
    f"{USER}/audit-logs": {"GET": Way(logs.list_logs_of_user)},
    "/audit-logs": {"GET": Way(logs.list_logs)},
    "/audit-logs/export": {"GET": Way(logs.export_logs, head=False)},
    "/statistics": {"GET": Way(overview.show_statistics)},
    "/health": {"GET": Way(overview.show_health)},
}


def admin_routes(settings: Settings) -> list[Route]:
    """Return them; none where administration is not switched on."""
    return [route(ROOT + path, ways) for path, ways in TABLE.items()] if settings.admin else []
