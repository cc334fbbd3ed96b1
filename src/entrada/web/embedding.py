"""Answers about a person are for our own pages: no other site shows them, and none is kept."""

from entrada.errors import CsrfRefused
from entrada.web.context import Context

PRIVATE = {"cache-control": "no-store", "cross-origin-resource-policy": "same-origin"}  # SEC-096


def refuse_embedding(context: Context) -> None:
    """Refuse another site's page that loads an answer about a person as a script, an image or a frame (SEC-096).

    A `cors` request is left to the browser, which gives the answer to no other origin.
    """
    headers = context.headers
    elsewhere = headers.get(b"sec-fetch-site") in {b"cross-site", b"same-site"}
    opened = headers.get(b"sec-fetch-mode") == b"cors" or headers.get(b"sec-fetch-dest") == b"document"
    if elsewhere and not opened:
        raise CsrfRefused("embedded by another site")
