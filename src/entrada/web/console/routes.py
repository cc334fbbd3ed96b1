"""The addresses of the console and of the account page, where the setting `console` is on."""

from collections.abc import Mapping

from starlette.routing import Route

from entrada.settings import Settings
from entrada.web.console import actions
from entrada.web.console.account import account, own_photo
from entrada.web.console.log import log, new_rows
from entrada.web.console.overview import overview
from entrada.web.console.people import people
from entrada.web.console.person import delete_person, person
from entrada.web.console.places import ACCOUNT, ADMIN, OWN_PHOTO
from entrada.web.console.system import system
from entrada.web.console.tenants import decides, tenants
from entrada.web.console.way_in import Page, administrators_only, operators_only, signed_in_only
from entrada.web.routes.admin.table import TABLE, USER

PAGES: Mapping[str, Page] = {
    "": overview,
    "/users": people,
    "/users/{id}": person,
    "/users/{id}/delete": delete_person,
    "/audit": log,
    "/audit/new": new_rows,
    "/tenants": operators_only(tenants),
    "/system": operators_only(system),
}
BUTTONS: Mapping[str, tuple[Page, tuple[str, str]]] = {
    "/users/{id}/edit": (actions.edit, ("PUT", USER)),
    "/users/{id}/deactivate": (actions.deactivate, ("POST", f"{USER}/deactivate")),
    "/users/{id}/reactivate": (actions.reactivate, ("POST", f"{USER}/reactivate")),
    "/users/{id}/promote": (actions.promote, ("PUT", f"{USER}/roles/{{role:path}}")),
    "/users/{id}/demote": (actions.demote, ("DELETE", f"{USER}/roles/{{role:path}}")),
    "/users/{id}/grant": (actions.grant, ("PUT", f"{USER}/roles/{{role:path}}")),
    "/users/{id}/revoke": (actions.revoke, ("DELETE", f"{USER}/roles/{{role:path}}")),
    "/users/{id}/sessions/all": (actions.end_sessions, ("DELETE", f"{USER}/sessions")),
    "/users/{id}/sessions/{handle}": (actions.end_session, ("DELETE", f"{USER}/sessions/{{handle}}")),
    "/users/{id}/delete": (actions.delete, ("DELETE", USER)),
    "/users/{id}/export": (actions.export, ("GET", f"{USER}/export")),
}
"""Each with the method of the admin API that does the same, and so demands the same proof."""

DECISIONS: Mapping[str, Page] = {
    "/tenants/{tenant_id}/approve": decides("approved"),
    "/tenants/{tenant_id}/suspend": decides("suspended"),
}


def console_routes(settings: Settings) -> list[Route]:
    """Return the routes; none where the console is off."""
    if not settings.console:
        return []
    pages = [Route(ADMIN + path, administrators_only(page), methods=["GET"]) for path, page in PAGES.items()]
    buttons = [
        Route(ADMIN + path, administrators_only(page, fresh=TABLE[twin][method].fresh), methods=["POST"])
        for path, (page, (method, twin)) in BUTTONS.items()
    ]
    decisions = [
        Route(ADMIN + path, administrators_only(operators_only(page), fresh=True), methods=["POST"])
        for path, page in DECISIONS.items()
    ]
    own = [
        Route(ACCOUNT, signed_in_only(account), methods=["GET"]),
        Route(OWN_PHOTO, signed_in_only(own_photo), methods=["GET"]),
    ]
    return [*own, *pages, *buttons, *decisions]


def console_trees(settings: Settings) -> tuple[str, ...]:
    """Return what the paths begin with that are the console's."""
    return (f"{ADMIN}/",) if settings.console else ()
