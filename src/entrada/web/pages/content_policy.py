"""Which content a page may load, run and send to: the Content-Security-Policy in its forms (SEC-161).

ours          our pages: nothing but our stylesheet and images; a script only with the page's nonce
swagger       Swagger UI, as ours, and it may call this application and the authority's token endpoint
application   any other document that brings no policy: its own origin, no inline script, no plug-in
bare          anything that is no document: it may not be framed
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from entrada.provider.metadata import Metadata

BARE = "frame-ancestors 'none'"
OURS = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)
APPLICATION = (
    "default-src 'self'; {nonces}img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action {forms}; "
    "frame-ancestors 'none'"
)
NONCES = "script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
SWAGGER = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src {calls}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCUMENTATION = "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def origin(url: str) -> str:
    """Return the origin of an https or http address; ValueError for anything that a policy could misread."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or set(parts.netloc) & set(" ;,'\"@*\\"):
        raise ValueError("no origin that a form could be sent to")
    return f"{parts.scheme}://{parts.netloc}"


class ContentPolicy:
    """Makes the policies; knows where forms may lead: here, and by redirects to the authority's sign-out.

    Browsers hold `form-action` against each redirect that answers a form, so the origin of the authority's
    end_session_endpoint must be named (`allow_forms_to`) before a sign-out form can reach it.
    """

    def __init__(self, authority_urls: Iterable[str] = (), *, report_uri: str | None = None) -> None:
        """Let forms lead to the authority at these addresses, and browsers report to `report_uri` what they stopped."""
        self._report = f"; report-uri {report_uri}" if report_uri else ""
        self._forms: tuple[str, ...] = ("'self'",)
        self.application = b""
        self.allow_forms_to(*authority_urls)

    def allow_forms_to(self, *urls: str) -> None:
        """Let forms lead to these addresses' origins too."""
        self._forms = tuple(dict.fromkeys((*self._forms, *map(origin, urls))))
        self.application = self._reported(APPLICATION.format(nonces="", forms=self.forms)).encode()

    def allow_sign_out_at(self, metadata: Metadata) -> None:
        """Let a sign-out form lead to the authority, as soon as its metadata say where that is."""
        if metadata.end_session_endpoint:
            self.allow_forms_to(metadata.end_session_endpoint)

    @property
    def forms(self) -> str:
        """The sources of `form-action`."""
        return " ".join(self._forms)

    def ours(self, nonce: str) -> str:
        """Return the policy of one of our own pages."""
        return self._reported(OURS.format(nonce=nonce, forms=self.forms))

    def calling_us(self, nonce: str) -> str:
        """Return the policy of a page of ours whose script asks this origin for what is new."""
        return self._reported(OURS.format(nonce=nonce, forms="'self'") + "; connect-src 'self'")

    def of_swagger(self, nonce: str, *, calls: Iterable[str]) -> str:
        """Return the policy of Swagger UI's page, which calls this origin and those of the given addresses."""
        callable_origins = dict.fromkeys(("'self'", *map(origin, calls)))
        return self._reported(SWAGGER.format(nonce=nonce, calls=" ".join(callable_origins)))

    def with_nonce(self, nonce: str) -> str:
        """Return the policy of an application's page that carries a nonce on its inline scripts and styles."""
        return self._reported(APPLICATION.format(nonces=NONCES.format(nonce=nonce), forms=self.forms))

    def _reported(self, policy: str) -> str:
        return policy + self._report
