"""The one door for outbound HTTP: bounded in time, size and number, never redirected (SEC-008, SEC-028, SEC-067)."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlencode

import anyio
import httpcore2
import httpx2

from entrada.errors import AuthorityUnavailable
from entrada.meters import Counts, Waits
from entrada.provider import untrusted
from entrada.provider.network import NetworkTransport, trusted_certificates
from entrada.provider.strict_json import NotStrict, json_object
from entrada.tracing import span

MIB = 1024 * 1024  # the most that any answer may have, in bytes (SEC-028)
TOTAL_SECONDS = 10.0  # waiting for a place, connecting, sending and reading together (REL-002, REL-040)
CONNECT_SECONDS = 3.0
CALLS_PER_HOST = 20  # at the same time; more wait, within their total
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_RETRY_AFTER = 300  # a longer wait than five minutes is not taken from a stranger
SERVER_FAULT = 500

Purpose = Literal["token", "revocation", "introspection", "metadata", "keys", "graph", "audit", "other"]
"""What a call is for; by it calls are counted."""
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, whole; redirects included, which nobody follows."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; repeated ones joined by a comma."""
    body: bytes = field(repr=False)

    @property
    def retry_after(self) -> int:
        """The seconds of Retry-After, at most 300; 5 when it has none or a date."""
        text = self.headers.get("retry-after", "")
        return min(int(text), LONGEST_RETRY_AFTER) if text.isascii() and text.isdigit() and len(text) < 10 else 5  # noqa: PLR2004

    def json_object(self) -> dict[str, Any]:
        """Return the body as one strict JSON object (SEC-029); AuthorityUnavailable when it is anything else."""
        media_type, _, parameters = self.headers.get("content-type", "").lower().partition(";")
        media_type = media_type.strip()
        if media_type != "application/json" and not (
            media_type.startswith("application/") and media_type.endswith("+json")
        ):
            raise AuthorityUnavailable(
                f"answer {self.status} is not JSON by its content type", retry_after=self.retry_after
            )
        if "charset" in parameters and "utf-8" not in parameters and "utf8" not in parameters:
            raise AuthorityUnavailable(f"answer {self.status} is not in UTF-8 by its content type")
        try:
            return json_object(self.body)
        except NotStrict as fault:
            raise AuthorityUnavailable(f"answer {self.status} is not one JSON object: {fault}") from None


class Egress:
    """Calls out, for the whole library. Close it with `aclose`.

    `transport` replaces the network, where the system's authorities are trusted and private addresses (and http to
    this machine) are called only when allowed, link-local ones never.
    """

    def __init__(
        self,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        private_addresses_allowed: bool,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.waits = {purpose: Waits() for purpose in PURPOSES}
        """How long calls took, by what they were for."""
        self.failures = Counts(PURPOSES)
        """How many had no answer, or the fault of a server."""
        self._http_allowed = private_addresses_allowed
        self._total_seconds = total_seconds
        self._places: defaultdict[str, anyio.Semaphore] = defaultdict(lambda: anyio.Semaphore(CALLS_PER_HOST))
        self._client = httpx2.AsyncClient(
            transport=transport
            or NetworkTransport(trust=trusted_certificates(), private_addresses_allowed=private_addresses_allowed),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(total_seconds, connect=min(CONNECT_SECONDS, total_seconds)),
            # Encoded answers are refused below: a small one could unfold to gigabytes.
            headers={"Accept-Encoding": "identity", "Accept": "application/json", "User-Agent": "entrada"},
        )

    async def get(
        self, url: str, *, purpose: Purpose = "other", headers: Mapping[str, str] | None = None, limit: int = MIB
    ) -> Answer:
        """GET the whole answer; AuthorityUnavailable when there is none within limits of time and size (bytes)."""
        return await self._counted(purpose, self._request("GET", url, headers=headers), limit=limit)

    async def post_form(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        purpose: Purpose = "other",
        headers: Mapping[str, str] | None = None,
        limit: int = MIB,
    ) -> Answer:
        """POST a form; otherwise like `get`."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return await self.post(url, urlencode(form).encode(), purpose=purpose, headers=sent, limit=limit)

    async def post_json(
        self,
        url: str,
        document: Mapping[str, Any],
        *,
        purpose: Purpose = "other",
        headers: Mapping[str, str] | None = None,
        limit: int = MIB,
    ) -> Answer:
        """POST a JSON document; otherwise like `get`."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return await self.post(url, json.dumps(document).encode(), purpose=purpose, headers=sent, limit=limit)

    async def post(
        self, url: str, content: bytes, *, purpose: Purpose = "other", headers: Mapping[str, str], limit: int = MIB
    ) -> Answer:
        """POST these bytes with these headers; otherwise like `get`."""
        return await self._counted(purpose, self._request("POST", url, headers=headers, content=content), limit=limit)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _counted(self, purpose: Purpose, request: httpx2.Request, *, limit: int) -> Answer:
        called = span(f"{purpose} request", kind="client", server__address=request.url.host)
        with self.waits[purpose].timed(), called as made:
            try:
                answer = await self._call(request, limit=limit)
            except AuthorityUnavailable:
                self.failures.add(purpose)
                raise
            if made is not None:
                made.set_attribute("http.response.status_code", answer.status)
        if answer.status >= SERVER_FAULT:
            self.failures.add(purpose)
        return answer

    async def _call(self, request: httpx2.Request, *, limit: int) -> Answer:
        host = request.url.host
        try:
            with anyio.fail_after(self._total_seconds):
                async with self._places[f"{host}:{request.url.port}"]:
                    return await self._exchange(request, limit=limit)
        except TimeoutError:
            raise AuthorityUnavailable(f"{host}: no whole answer within {self._total_seconds:g} s") from None
        except (httpx2.HTTPError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise AuthorityUnavailable(f"{host}: {_cause(error)}") from None

    async def _exchange(self, request: httpx2.Request, *, limit: int) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise AuthorityUnavailable(f"{request.url.host}: the answer is compressed, which was not asked for")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > limit:
                    raise AuthorityUnavailable(f"{request.url.host}: the answer is larger than {limit} bytes")
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=bytes(body))

    def _request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None, content: bytes | None = None
    ) -> httpx2.Request:
        """Return the request; AuthorityUnavailable for an address that is none, or that is not safe to call."""
        try:
            request = self._client.build_request(method, url, headers=headers, content=content)
        except (httpx2.InvalidURL, UnicodeError):
            raise AuthorityUnavailable("an address that is none is not called") from None
        address = request.url
        if address.userinfo:
            raise AuthorityUnavailable(f"{address.host}: an address with a user name is not called")
        if address.scheme != "https" and not (
            address.scheme == "http" and address.host in LOOPBACK and self._http_allowed
        ):
            raise AuthorityUnavailable(f"{address.host}: only https is called")
        return request


def _cause(error: Exception) -> str:
    """Say what failed in an operator's words; never the address's query or a header."""
    kind = type(error).__name__
    if refused := untrusted.reason(error):
        return f"{kind}: {refused}"
    return f"{kind}: {str(error)[:120]}" if "Connect" in kind else kind
