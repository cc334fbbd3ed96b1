"""`/docs` from this origin alone: Swagger UI, which signs people in as a public client, by code and PKCE.

FastAPI's own page loads its script from elsewhere. The files are those of the package `fastapi-swagger`, which follows
Swagger UI's releases; none of its code runs. In production there is no such page.
"""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.openapi.docs import swagger_ui_default_parameters
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada.errors import SettingsRefused
from entrada.web.context import House, context_of
from entrada.web.openapi import TOKEN, token_url
from entrada.web.pages.assets import Asset, read
from entrada.web.pages.content_policy import ContentPolicy
from entrada.web.routes.static import served

PACKAGE = "fastapi_swagger"
SCRIPT, STYLES = "swagger-ui-bundle.js", "swagger-ui.css"
OPENER: Mapping[str, str] = {"cross-origin-opener-policy": "same-origin-allow-popups"}
"""The page may be told by the window that it opens at the authority."""
OPENED: Mapping[str, str] = {"cross-origin-opener-policy": "unsafe-none"}
"""The window that comes back from the authority still knows the page that opened it."""


def publish(app: FastAPI, house: House) -> None:
    """Put our page in the place of FastAPI's, where there is one; SettingsRefused when its files are missing."""
    if not app.openapi_url or not app.docs_url:
        return
    if folder() is None:
        if house.settings.swagger_client_id:
            raise SettingsRefused(["swagger_client_id: /docs needs its files: pip install 'entrada[swagger]'"])
        return
    routes, theirs = app.router.routes, {app.docs_url, app.swagger_ui_oauth2_redirect_url}
    places = [place for place, route in enumerate(routes) if getattr(route, "path", None) in theirs]
    if places:
        kept = [route for place, route in enumerate(routes) if place not in places]
        routes[:] = [*kept[: places[0]], *Swagger(app).routes(), *kept[places[0] :]]


@cache
def folder() -> Path | None:
    """Return where the package's files are, without running any of its code; None when it is not installed."""
    spec = find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / "resources" if places else None


class Swagger:
    """The page, the window that comes back to it, and its files."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._root = f"{(app.docs_url or '').rstrip('/')}/files"
        self._files: dict[str, Asset] = {}

    def routes(self) -> list[Route]:
        """Return the routes of the page, as FastAPI's settings place them."""
        back = self._app.swagger_ui_oauth2_redirect_url
        return [
            Route(self._app.docs_url or "", self.page, methods=["GET"], include_in_schema=False),
            *([Route(back, self.back, methods=["GET"], include_in_schema=False)] if back else []),
            Route(self._root + "/{digest}/{name}", self.file, methods=["GET"], include_in_schema=False),
        ]

    async def page(self, request: Request) -> Response:
        """Show Swagger UI."""
        house, root = context_of(request.scope).house, request.scope.get("root_path", "").rstrip("/")
        document = f"{root}{self._app.openapi_url}"
        return house.pages.render(
            "swagger.html",
            headers=OPENER,
            content_policy=partial(ContentPolicy.of_swagger, calls=tuple(self._callable(house))),
            title=f"{self._app.title} – Swagger UI",
            document=document,
            styles=root + self._file(STYLES).url,
            script=root + self._file(SCRIPT).url,
            parameters=self._parameters(house, root, document),
            client=self._client(house),
        )

    async def back(self, request: Request) -> Response:
        """Hand the authority's answer to the page that asked."""
        return context_of(request.scope).house.pages.render("swagger_signed_in.html", headers=OPENED)

    async def file(self, request: Request) -> Response:
        """Answer a file of the page's; 404 for any other name."""
        name = request.path_params["name"]
        return served(self._file(name) if name in {SCRIPT, STYLES} else None, request.path_params["digest"])

    def _file(self, name: str) -> Asset:
        if name not in self._files:
            self._files[name] = read((folder() or Path()) / name, root=self._root)
        return self._files[name]

    def _parameters(self, house: House, root: str, document: str) -> dict[str, Any]:
        back = self._app.swagger_ui_oauth2_redirect_url
        address = {"oauth2RedirectUrl": f"{house.settings.base_url}{root}{back}"} if back else {}
        own = self._app.swagger_ui_parameters or {}
        return {**swagger_ui_default_parameters, **address, **own, "url": document}

    def _client(self, house: House) -> dict[str, Any] | None:
        """Return what signs people in: never with a secret, always with PKCE."""
        own = self._app.swagger_ui_init_oauth or {}
        client_id = house.settings.swagger_client_id
        if not client_id:
            return own or None
        return {"clientId": client_id, "scopes": self._scopes(), **own, "usePkceWithAuthorizationCodeGrant": True}

    def _scopes(self) -> list[str]:
        schemes = self._app.openapi().get("components", {}).get("securitySchemes", {})
        flows = schemes.get(TOKEN, {}).get("flows", {})
        return list(flows.get("authorizationCode", {}).get("scopes", {}))

    def _callable(self, house: House) -> Iterator[str]:
        """Give the addresses, beside our own, that the page calls: for tokens, and the application's other servers."""
        known = house.discovery.known
        yield token_url(known) if known else house.discovery.authority.metadata_url
        for server in self._app.servers:
            if urlsplit(str(server.get("url", ""))).scheme in {"https", "http"}:
                yield str(server["url"])
