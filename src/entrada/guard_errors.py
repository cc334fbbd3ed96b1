"""What the guards refuse: more, larger, slower or from elsewhere than they let through; see `errors` for the tree.

RequestRefused
├── CsrfRefused
│   └── ProofMissing       no proof of its source came with it
├── HostRefused            it is for a host that is not ours
├── HeadersTooLarge
│   └── CookiesTooLarge    more cookies than we read
├── UrlTooLong             a longer address than we read
├── BodyRefused            the body is not read any further
│   ├── BodyTooLarge       it is longer, or has more fields, than this address takes
│   └── BodyTooSlow        it did not come in time
└── AddressRefused         this part is for other networks
TooMany
└── LimitReached           somebody came more often than they may
"""

from entrada.errors import CsrfRefused, HeadersTooLarge, RequestRefused, TooMany


class HostRefused(RequestRefused):
    """The request is for a host that is not ours.

    `here` is where we are, said while developing only. `alias` says that the name given stands for the same machine.
    """

    public = "This application is not served under this name."

    def __init__(self, detail: str, *, here: str | None, alias: bool) -> None:
        super().__init__(detail)
        self.here, self.alias = here, alias
        if here:
            self.public = f"{type(self).public} It is at {here}."


class ProofMissing(CsrfRefused):
    """An unsafe request with a session has neither the form's token nor the header of a script.

    It tells its author what was forgotten; what a page of another origin reads of it helps nobody there.
    """

    public = (
        "For your safety this was not done: the request has neither the header X-CSRF: 1, as a script sends it, nor a "
        "form's field csrf_token."
    )


class CookiesTooLarge(HeadersTooLarge):
    """The request has more cookies than we read."""

    public = "Your browser sent too many cookies. Please delete this site's cookies and try again."


class UrlTooLong(RequestRefused):
    """The request's address is longer than we read."""

    code = "uri_too_long"
    public = "The address is longer than this application reads."


class BodyRefused(RequestRefused):
    """The body is not read any further; `closes` says to end the connection, and with it what is still to come."""

    def __init__(self, detail: str = "", *, closes: bool) -> None:
        super().__init__(detail)
        self.closes = closes


class BodyTooLarge(BodyRefused):
    """The body is longer, or has more fields, than this address takes."""

    code = "body_too_large"
    public = "What was sent is larger than this address takes."


class BodyTooSlow(BodyRefused):
    """The body did not come in time."""

    code = "body_too_slow"
    public = "What was sent came too slowly."


class AddressRefused(RequestRefused):
    """This part is open to certain networks only, and the request comes from another."""

    code = "network_not_allowed"
    public = "This part of the application cannot be used from your network."


class LimitReached(TooMany):
    """Somebody came more often than they may."""

    public = "You, or others at your address, came more often than this application allows. Please wait a while."
