"""A person's picture as an answer."""

from starlette.responses import Response

from entrada.errors import NotFound
from entrada.users.photos import Photo
from entrada.web.embedding import PRIVATE

ALONE = {"content-disposition": "inline; filename=photo"}


def photo_answer(photo: Photo | None) -> Response:
    """Answer with the picture, which nobody keeps; NotFound when there is none."""
    if photo is None:
        raise NotFound("no picture is known")
    return Response(photo.data, media_type=photo.kind, headers=PRIVATE | ALONE)
