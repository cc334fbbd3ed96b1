"""What a request asks of its upstream: where it goes, with which headers. Nothing is sent here."""

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import httpx2
from starlette.types import Scope

from entrada.errors import RequestRefused
from entrada.web.context import Context
from entrada.web.proxy import headers, paths
from entrada.web.proxy.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a request goes."""

    prefix: str
    """Where the browser has the upstream, as it wrote it."""
    base: str
    """Where the upstream is."""
    url: httpx2.URL

    @classmethod
    def of(cls, scope: Scope, base: str) -> "Asked":
        """Return where a request goes below `base`; RequestRefused for a path that might lead elsewhere."""
        prefix, rest = _split(scope)
        at = urlsplit(base)
        written = paths.target(at.path, rest, scope["query_string"])
        return cls(prefix, base, httpx2.URL(f"{at.scheme}://{at.netloc}{written}"))

    def lines(self, scope: Scope, context: Context, upstream: Upstream) -> list[headers.Header]:
        """Return the headers that go up, but for the token and how long the body is."""
        told = _told(context, self.prefix)
        return [(b"host", self.url.netloc), *headers.to_upstream(scope["headers"], cookies=upstream.cookies), *told]

    def lines_back(self, answer: httpx2.Response) -> list[headers.Header]:
        """Return the headers of its answer as the browser gets them."""
        back = headers.from_upstream(answer.headers.raw, status=answer.status_code)
        return [line for each in back if (line := headers.with_references(each, self.said_here)) is not None]

    def said_here(self, reference: str) -> str | None:
        """Return an address of the upstream's as the browser may have it; None for none."""
        return paths.said_here(reference, asked=str(self.url), base=self.base, prefix=self.prefix)


def _split(scope: Scope) -> tuple[str, str]:
    """Return the prefix, and what follows it as it goes on."""
    path, found = scope["path"], scope["path_params"].get("rest")
    rest = "" if found is None else f"/{found}"
    prefix = path.removesuffix(rest) if rest else path
    raw: bytes = (scope.get("raw_path") or quote(path).encode()).partition(b"?")[0]
    following = raw.removeprefix(prefix.encode())
    goes_on = paths.below(following)
    if not raw.startswith(prefix.encode()) or goes_on is None or unquote(goes_on) != rest:
        raise RequestRefused("a path that might lead elsewhere than below the upstream's address")
    return prefix, goes_on


def _told(context: Context, prefix: str) -> list[headers.Header]:
    """Return what we say of the request: from the settings, and what they let us believe."""
    here = urlsplit(context.house.settings.base_url)
    said = {
        "x-forwarded-for": context.address,
        "x-forwarded-proto": here.scheme,
        "x-forwarded-host": here.netloc,
        "x-forwarded-prefix": prefix,
        "x-correlation-id": context.correlation_id,
    }
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in said.items() if value]
