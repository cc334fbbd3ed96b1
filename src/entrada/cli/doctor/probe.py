"""A question to the authority that signs nobody in: an authorization request with `prompt=none`, and no browser.

Whoever asks so has no session there, so a good request comes back at once with `login_required` to the redirect URI
(OpenID Connect Core 3.1.2.6); a redirect URI that is not registered is never sent anything, and the authority shows
a page with its error code instead.
"""

import secrets
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from entrada.flows.signing_in.signin import scopes_of
from entrada.provider.aadsts import NUMBER, number_in
from entrada.provider.authorization import authorize_url, code_challenge
from entrada.provider.egress import Egress
from entrada.provider.metadata import Metadata
from entrada.settings import Settings

RANDOM_BYTES = 32
NOBODY_THERE = frozenset({"login_required", "interaction_required", "account_selection_required", "consent_required"})
REDIRECTS, REFUSALS = range(300, 400), range(400, 500)


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of it."""

    outcome: Literal["came back", "page", "elsewhere"]
    error: str = ""
    """The OAuth error that came back; empty where nothing did."""
    number: str | None = None
    """The authority's code, such as AADSTS50011."""
    status: int = 0

    @property
    def request_is_good(self) -> bool:
        """Whether all that was missing is a person."""
        return self.outcome == "came back" and self.error in NOBODY_THERE


async def probe(egress: Egress, metadata: Metadata, settings: Settings, *, redirect_uri: str) -> Probed:
    """Ask once; AuthorityUnavailable when there is no answer."""
    state = secrets.token_urlsafe(RANDOM_BYTES)
    address = authorize_url(
        metadata,
        client_id=settings.client_id,
        redirect_uri=redirect_uri,
        scopes=scopes_of(settings),
        state=state,
        nonce=secrets.token_urlsafe(RANDOM_BYTES),
        code_challenge=code_challenge(secrets.token_urlsafe(RANDOM_BYTES)),
        extra={"prompt": "none"},
    )
    answer = await egress.get(address, headers={"Accept": "text/html"})
    if answer.status in REDIRECTS:
        return _of_redirect(answer.headers.get("location", ""), redirect_uri, answer.status)
    match = NUMBER.search(answer.body.decode("utf-8", "replace"))
    return Probed("page", number=match[0] if match else None, status=answer.status)


def _of_redirect(location: str, redirect_uri: str, status: int) -> Probed:
    if not _leads_to(location, redirect_uri):
        return Probed("elsewhere", status=status)
    given = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    number = number_in(given.get("error_description", ""))
    return Probed("came back", error=given.get("error", ""), number=number, status=status)


def _leads_to(location: str, redirect_uri: str) -> bool:
    """Say whether this is the redirect URI with an answer behind it; Entra adds a slash where it has no path."""
    bare = location.partition("?")[0].partition("#")[0]
    return bare in {redirect_uri.partition("?")[0], f"{redirect_uri}/"}
