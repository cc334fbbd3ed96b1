"""Entrada: the front door of a FastAPI application.

app = FastAPI()
Entrada().install(app)

@app.get("/")
async def home(user: CurrentUser) -> dict[str, str]:
    return {"hello": user.name}
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from entrada.app import Entrada
    from entrada.errors import EntradaError, SettingsRefused
    from entrada.events import Event
    from entrada.principal import User
    from entrada.settings import Settings
    from entrada.web.clients import ApiClient, api_client
    from entrada.web.dependencies import CsrfToken, CurrentUser, OptionalUser, SessionUser
    from entrada.web.rendering import Page

_HOMES = {
    "ApiClient": "entrada.web.clients",
    "CsrfToken": "entrada.web.dependencies",
    "CurrentUser": "entrada.web.dependencies",
    "Entrada": "entrada.app",
    "EntradaError": "entrada.errors",
    "Event": "entrada.events",
    "OptionalUser": "entrada.web.dependencies",
    "Page": "entrada.web.rendering",
    "SessionUser": "entrada.web.dependencies",
    "Settings": "entrada.settings",
    "SettingsRefused": "entrada.errors",
    "User": "entrada.principal",
    "api_client": "entrada.web.clients",
}

__all__ = [
    "ApiClient",
    "CsrfToken",
    "CurrentUser",
    "Entrada",
    "EntradaError",
    "Event",
    "OptionalUser",
    "Page",
    "SessionUser",
    "Settings",
    "SettingsRefused",
    "User",
    "api_client",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing one costs no more than it needs."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
