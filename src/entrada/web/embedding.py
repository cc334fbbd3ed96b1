"""Answers about a person are for our own pages: no other site shows them, and none is kept."""

from entrada.errors import CsrfRefused
from entrada.web.context import Context

PRIVATE = {"cache-control": "no-store", "cross-origin-resource-policy": "same-origin"}  # SEC-096


def refuse_embedding(context: Context) -> None:
    """Refuse another site's page that loads an answer about a person as a script, an image or a frame (SEC-096).

    A `cors` request is left to the browser, which gives the answer to no other origin.
    """
    if _elsewhere(context) and context.headers.get(b"sec-fetch-mode") != b"cors":
        raise CsrfRefused("embedded by another site")


def refuse_other_sites(context: Context) -> None:
    """Refuse whatever another site's page asks for with the session, unless somebody opens it by a link (SEC-088).

    For what we cannot know to be harmless: a GET that another application answers.
    """
    if context.session_id is not None and _elsewhere(context):
        raise CsrfRefused("asked for by another site")


def _elsewhere(context: Context) -> bool:
    headers = context.headers
    other_site = headers.get(b"sec-fetch-site") in {b"cross-site", b"same-site"}
    return other_site and headers.get(b"sec-fetch-dest") != b"document"
