"""MSAL's token cache, read without MSAL, so that a cache hit costs microseconds and builds no application (TOK-1)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from entrada.provider.clients.token_client import RESERVED_SCOPES, Held

NAMES_A_RESOURCE = re.compile("/|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""A scope in full, or the id of an application, which is how B2C names an API that is its own client."""
GRAPH = ("https://graph.microsoft.com/", "https://graph.microsoft.us/", "https://microsoftgraph.chinacloudapi.cn/")


class CachedToken(msgspec.Struct, frozen=True):
    """An access token as MSAL keeps it, numbers as text."""

    secret: str
    target: str
    """The scopes, separated by blanks."""
    cached_at: str
    expires_on: str

    def __repr__(self) -> str:
        return f"CachedToken(target={self.target!r})"

    def serves(self, scopes: Sequence[str]) -> bool:
        """Whether it was granted for all of these scopes.

        `openid` and its like are Graph's alone, and no other API's token will do for them (SEC-114). Without a scope
        none will.
        """
        target = self.target.split()
        granted, wanted = canonical(target), canonical(scopes)
        if wanted:
            return wanted <= granted
        return bool(scopes) and set(scopes) <= set(target) and not any(map(NAMES_A_RESOURCE.search, granted))

    def held(self) -> Held:
        """Return it in our words."""
        return Held(access_token=self.secret, since=_moment(self.cached_at), until=_moment(self.expires_on))


class CacheView(msgspec.Struct, frozen=True):
    """The parts of a session's cache that we read ourselves."""

    access_tokens: dict[str, CachedToken] = msgspec.field(name="AccessToken", default_factory=dict)
    refresh_tokens: dict[str, msgspec.Raw] = msgspec.field(name="RefreshToken", default_factory=dict)
    accounts: dict[str, msgspec.Raw] = msgspec.field(name="Account", default_factory=dict)

    def __repr__(self) -> str:
        return f"CacheView({list(self.access_tokens.values())!r})"

    @property
    def renewable(self) -> bool:
        """Whether MSAL has all that it needs to ask for a new token."""
        return bool(self.refresh_tokens and self.accounts)

    def newest(self, scopes: Sequence[str]) -> Held | None:
        """Return the newest access token that serves `scopes`; None when there is none."""
        fitting = [token.held() for token in self.access_tokens.values() if token.serves(scopes)]
        return max(fitting, key=lambda held: held.since, default=None)


_decoder = msgspec.json.Decoder(CacheView)


def view_of(tokens: bytes) -> CacheView:
    """Return what can be read of a session's tokens; nothing, when they are not MSAL's."""
    try:
        return _decoder.decode(tokens)
    except msgspec.DecodeError:
        return CacheView()


def canonical(scopes: Sequence[str]) -> frozenset[str]:
    """Return scopes as Entra compares them: without case, Graph's without their resource, no reserved ones."""
    names = {scope.lower() for scope in scopes if scope not in RESERVED_SCOPES}
    for graph in GRAPH:
        names = {name.removeprefix(graph) for name in names}
    return frozenset(names)


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
