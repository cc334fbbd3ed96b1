"""The addresses of the console and of the account page, where the setting `console` is on."""

from starlette.routing import Route

from entrada.settings import Settings
from entrada.web.console import actions
from entrada.web.console.account import account
from entrada.web.console.log import log, new_rows
from entrada.web.console.overview import overview
from entrada.web.console.people import people
from entrada.web.console.person import delete_person, person
from entrada.web.console.shell import ACCOUNT, ADMIN
from entrada.web.console.system import system
from entrada.web.console.way_in import Page, administrators_only, told_in_full

PAGES: dict[str, Page] = {
    "": overview,
    "/users": people,
    "/users/{id}": person,
    "/users/{id}/delete": delete_person,
    "/audit": log,
    "/audit/new": new_rows,
    "/system": system,
}
BUTTONS: dict[str, Page] = {
    "/users/{id}/edit": actions.edit,
    "/users/{id}/reactivate": actions.reactivate,
    "/users/{id}/revoke": actions.revoke,
    "/users/{id}/demote": actions.demote,
    "/users/{id}/sessions/all": actions.end_sessions,
    "/users/{id}/sessions/{handle}": actions.end_session,
}
FRESH_BUTTONS: dict[str, Page] = {
    "/users/{id}/deactivate": actions.deactivate,
    "/users/{id}/grant": actions.grant,
    "/users/{id}/promote": actions.promote,
    "/users/{id}/delete": actions.delete,
    "/users/{id}/export": actions.export,
}
"""What destroys, or gives somebody more than they had: only for who has proven lately who they are (SEC-140)."""


def console_routes(settings: Settings) -> list[Route]:
    """Return the routes; none where the console is off."""
    if not settings.console:
        return []
    return [
        Route(ACCOUNT, told_in_full(account), methods=["GET"]),
        *(Route(f"{ADMIN}{path}", administrators_only(page), methods=["GET"]) for path, page in PAGES.items()),
        *(Route(f"{ADMIN}{path}", administrators_only(page), methods=["POST"]) for path, page in BUTTONS.items()),
        *(
            Route(f"{ADMIN}{path}", administrators_only(page, fresh=True), methods=["POST"])
            for path, page in FRESH_BUTTONS.items()
        ),
    ]


def console_trees(settings: Settings) -> tuple[str, ...]:
    """Return what the paths begin with that are the console's."""
    return (f"{ADMIN}/",) if settings.console else ()
