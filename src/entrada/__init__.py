"""Entrada: the front door of a FastAPI application.

app = FastAPI()
Entrada().install(app)

@app.get("/")
async def home(user: CurrentUser) -> dict[str, str]:
    return {"hello": user.name}
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    import fcntl  # noqa: F401 - without it no two processes can share a file safely
except ModuleNotFoundError:
    raise ImportError("Entrada runs on Linux and macOS; on Windows use WSL 2 or a container") from None

if TYPE_CHECKING:
    from entrada.app import Entrada
    from entrada.errors import EntradaError, SettingsRefused
    from entrada.events import Event
    from entrada.principal import App, User
    from entrada.requirements import (
        Rule,
        all_of,
        any_of,
        app_role,
        auth_context,
        group,
        in_session,
        mfa,
        role,
        scope,
        tenant,
    )
    from entrada.settings import Settings
    from entrada.web.api_client import ApiClient
    from entrada.web.clients import api_client, app_client
    from entrada.web.dependencies import (
        BearerUser,
        CsrfToken,
        CurrentApp,
        CurrentUser,
        OptionalUser,
        SessionUser,
        bearer_user,
        current_app,
        current_user,
        optional_user,
        session_user,
    )
    from entrada.web.pages.rendering import Page
    from entrada.web.proxy.routes import proxy
    from entrada.web.requires import requires
    from entrada.web.sign_in_link import SignInLink

_HOMES = {
    "ApiClient": "entrada.web.api_client",
    "App": "entrada.principal",
    "BearerUser": "entrada.web.dependencies",
    "CsrfToken": "entrada.web.dependencies",
    "CurrentApp": "entrada.web.dependencies",
    "CurrentUser": "entrada.web.dependencies",
    "Entrada": "entrada.app",
    "EntradaError": "entrada.errors",
    "Event": "entrada.events",
    "OptionalUser": "entrada.web.dependencies",
    "Page": "entrada.web.pages.rendering",
    "Rule": "entrada.requirements",
    "SessionUser": "entrada.web.dependencies",
    "Settings": "entrada.settings",
    "SettingsRefused": "entrada.errors",
    "SignInLink": "entrada.web.sign_in_link",
    "User": "entrada.principal",
    "all_of": "entrada.requirements",
    "any_of": "entrada.requirements",
    "api_client": "entrada.web.clients",
    "app_client": "entrada.web.clients",
    "app_role": "entrada.requirements",
    "auth_context": "entrada.requirements",
    "bearer_user": "entrada.web.dependencies",
    "current_app": "entrada.web.dependencies",
    "current_user": "entrada.web.dependencies",
    "group": "entrada.requirements",
    "in_session": "entrada.requirements",
    "mfa": "entrada.requirements",
    "optional_user": "entrada.web.dependencies",
    "proxy": "entrada.web.proxy.routes",
    "requires": "entrada.web.requires",
    "role": "entrada.requirements",
    "scope": "entrada.requirements",
    "session_user": "entrada.web.dependencies",
    "tenant": "entrada.requirements",
}

__all__ = [
    "ApiClient",
    "App",
    "BearerUser",
    "CsrfToken",
    "CurrentApp",
    "CurrentUser",
    "Entrada",
    "EntradaError",
    "Event",
    "OptionalUser",
    "Page",
    "Rule",
    "SessionUser",
    "Settings",
    "SettingsRefused",
    "SignInLink",
    "User",
    "all_of",
    "any_of",
    "api_client",
    "app_client",
    "app_role",
    "auth_context",
    "bearer_user",
    "current_app",
    "current_user",
    "group",
    "in_session",
    "mfa",
    "optional_user",
    "proxy",
    "requires",
    "role",
    "scope",
    "session_user",
    "tenant",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing one costs no more than it needs."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
