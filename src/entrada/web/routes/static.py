"""The route of our own stylesheet and icon.

A request names a file of a fixed list and nothing is looked up on disk, so there is no path to escape from.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada.web.pages.assets import ROOT, Asset, assets

FOREVER = "public, max-age=31536000, immutable"
ANOTHER_VERSION = "no-cache"  # a page of the release before, met by a newer worker, still gets a stylesheet


async def static(request: Request) -> Response:
    """Answer one of our files; 404 for any other name."""
    return served(assets().get(request.path_params["name"]), request.path_params["digest"])


def served(asset: Asset | None, digest: str) -> Response:
    """Answer a file that was asked for under this digest; 404 when there is none."""
    if asset is None:
        raise HTTPException(404)
    keep = FOREVER if digest == asset.digest else ANOTHER_VERSION
    headers = {"cache-control": keep, "content-type": asset.content_type}
    return Response(asset.body, headers=headers)


def static_routes() -> list[Route]:
    """Return the routes for our own files; they are the same whatever the prefix of the others."""
    return [Route(ROOT + "/{digest}/{name}", static, methods=["GET"], name="entrada-static")]
