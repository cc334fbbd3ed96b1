"""The application's own pages, rendered like ours: escaped, with a nonce, a content policy and the token for forms."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.responses import Response

from entrada.web.context import Context, context_of


class Renderer:
    """Answers one request with a template of the application's: `page("index.html", user=user)`."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def __call__(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> Response:
        """Return the page; besides `values` the template has `csrf_token`, empty when nobody is signed in."""
        pages = self._context.house.pages
        token = self._context.csrf_token
        return pages.render(template, status=status, headers=headers, csrf_token=token, **values)


async def renderer(connection: HTTPConnection) -> Renderer:
    """Return what renders pages for this request."""
    return Renderer(context_of(connection.scope))


Page = Annotated[Renderer, Depends(renderer)]
"""Renders a template from the directories given as `Entrada(templates=[…])`, or one of ours."""
