"""MSAL, Microsoft's own client, for Entra: the one file that knows it. Importing it takes 0.15 s, so import it on use.

MSAL is synchronous and believes what it is told, therefore:

- an application is built per operation, on one session's cache, and never shared between threads;
- it runs in worker threads of its own number and reaches the network through our `Egress` only;
- it sees answers that `token_answer` has read, and the metadata that `Discovery` has verified;
- it starts with an empty memory of refusals: its own would repeat one for 60 s to a person who has signed in again;
- our clock decides what has expired, and our gauntlet what an ID token is worth.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import msal

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable, TokenRefused, Unsupported
from entrada.provider import aadsts
from entrada.provider.authority import Authority
from entrada.provider.clients.credentials import PUBLIC, Credentials, Proof
from entrada.provider.clients.msal_cache import canonical, view_of
from entrada.provider.clients.token_answer import GrantRefused, TokensGranted, read
from entrada.provider.clients.token_client import (
    RESERVED_SCOPES,
    Acquired,
    CodeGrant,
    Held,
    NothingToRenewWith,
    Redeemed,
    TokenClient,
)
from entrada.provider.egress import Egress
from entrada.provider.metadata import Metadata
from entrada.versions import version_of

THREADS = 20  # as many as Egress calls one host at a time; a slow authority then starves nobody else's threads
ADDED_BY_MSAL = frozenset({"openid", "profile", "offline_access"})  # it adds them, and refuses to be given them
MATCHED = "matched"  # stands for `state`, which was checked long before a code comes here
UNUSABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)  # MSAL, over a malformed token or client_info


class MsalClient(TokenClient):
    """Gets tokens from Entra.

    `authority` is one that MSAL has a name for; the rest is as for every `TokenClient`.
    """

    def __init__(
        self,
        *,
        authority: Authority,
        client_id: str,
        credentials: Credentials,
        egress: Egress,
        metadata: Callable[[], Awaitable[Metadata]],
        clock: Clock,
        refresh_buffer: timedelta,
    ) -> None:
        super().__init__(
            client_id=client_id,
            credentials=credentials,
            egress=egress,
            metadata=metadata,
            clock=clock,
            refresh_buffer=refresh_buffer,
        )
        self._authority = authority
        self._limiter = anyio.CapacityLimiter(THREADS)

    async def redeem(self, grant: CodeGrant) -> Redeemed:
        """Exchange a code; MSAL compares the ID token's nonce, our verifier does so again and everything else."""
        flow = {
            "state": MATCHED,
            "code_verifier": grant.code_verifier,
            "redirect_uri": grant.redirect_uri,
            "scope": list(grant.scopes),
            "nonce": grant.nonce,
        }
        result, tokens = await self._ask(
            b"{}", lambda app: app.acquire_token_by_auth_code_flow(flow, {"state": MATCHED, "code": grant.code})
        )
        if "error" in result:
            raise aadsts.refusal(result["error"], result.get("error_description") or "")
        if "id_token" not in result:
            raise TokenRefused("the answer to the code has no ID token")
        return Redeemed(
            id_token=result["id_token"],
            access_token=result["access_token"],
            tokens=tokens,
            granted_scopes=tuple(result["scope"].split()) if "scope" in result else tuple(grant.scopes),
            access_expires_at=self._after(result["expires_in"]),
        )

    def _held(self, tokens: bytes, scopes: Sequence[str]) -> Held | None:
        return view_of(tokens).newest(scopes)

    def _renewable(self, tokens: bytes) -> bool:
        return view_of(tokens).renewable

    def with_refresh_token_of(self, tokens: bytes, renewed: bytes) -> bytes:
        """Return a session's tokens with the refresh tokens of their successors."""
        kind = SessionCache.CredentialType.REFRESH_TOKEN
        return json.dumps(json.loads(tokens) | {kind: json.loads(renewed).get(kind, {})}).encode()

    async def _renew(self, tokens: bytes, scopes: Sequence[str], *, claims: str | None) -> Acquired:
        if not self._renewable(tokens):
            raise NothingToRenewWith("the session holds no refresh token")
        result, changed = await self._ask(tokens, partial(_renewed, scopes=scopes, claims=claims))
        if "error" in result:
            raise aadsts.renewal_refusal(result)
        return Acquired(
            access_token=result["access_token"],
            expires_at=self._after(result["expires_in"]),
            source="identity_provider",
            tokens=changed,
            id_token=result.get("id_token"),
        )

    async def on_behalf_of(
        self, assertion: str, scopes: Sequence[str], *, tenant_id: str | None, claims: str | None = None
    ) -> Acquired:
        """Ask with the person's token; what MSAL would keep is left alone, refresh token included."""
        self._must_prove_itself("on-behalf-of")
        wanted = [scope for scope in scopes if scope not in ADDED_BY_MSAL]
        return await self._fresh(
            lambda app: app.acquire_token_on_behalf_of(assertion, wanted, claims_challenge=claims), tenant_id
        )

    async def for_itself(
        self, scopes: Sequence[str], *, tenant_id: str | None = None, claims: str | None = None
    ) -> Acquired:
        """Ask with nothing but our own proof."""
        self._must_prove_itself("the client credentials grant")
        return await self._fresh(
            lambda app: app.acquire_token_for_client(list(scopes), claims_challenge=claims), tenant_id
        )

    async def _fresh(self, question: Callable[[Any], Any], tenant_id: str | None) -> Acquired:
        if self._authority.many and tenant_id is None:
            raise Unsupported("this authority is for several tenants: which of them the token is for must be said")
        result, _ = await self._ask(b"{}", question, tenant_id=tenant_id)
        if "error" in result:
            raise aadsts.renewal_refusal(result)
        expires_at = self._after(result["expires_in"])
        return Acquired(access_token=result["access_token"], expires_at=expires_at, source="identity_provider")

    async def _ask(
        self, tokens: bytes, question: Callable[[Any], Any], *, tenant_id: str | None = None
    ) -> tuple[dict[str, Any], bytes]:
        """Put a question to MSAL in a worker thread; return its answer and the session's tokens afterwards.

        It goes to the authority, or to one tenant of several.
        """
        place = await self._place(tenant_id)

        async def attempt(proof: Proof) -> tuple[dict[str, Any], bytes]:
            ask = partial(self._ask_in_thread, tokens, question, place, proof)
            return await anyio.to_thread.run_sync(ask, limiter=self._limiter)

        return await self._credentials.ask(
            attempt, audience=place.metadata.token_endpoint, error_of=lambda answer: answer[0].get("error")
        )

    async def _place(self, tenant_id: str | None) -> "Place":
        metadata, address = await self._metadata(), self._authority.msal_authority or ""
        if tenant_id is None or not self._authority.many:
            return Place(address, metadata)
        own = metadata.in_tenant(tenant_id, self._authority)
        return Place(self._authority.in_tenant(address, tenant_id), own)

    def _ask_in_thread(
        self, tokens: bytes, question: Callable[[Any], Any], place: "Place", proof: Proof
    ) -> tuple[dict[str, Any], bytes]:
        cache = SessionCache(self._clock)
        cache.deserialize(tokens.decode())
        try:
            result = question(self._application(cache, place, proof))
        except UNUSABLE as error:  # its text may quote the answer
            raise AuthorityUnavailable(f"MSAL cannot use the answer: {type(error).__name__}") from None
        except RuntimeError:
            raise TokenRefused("nonce: the ID token is not for this sign-in") from None
        if result is None:
            raise NothingToRenewWith("MSAL finds no refresh token for this session")
        return result, cache.serialize().encode()

    def _application(self, cache: "SessionCache", place: "Place", proof: Proof) -> Any:
        common = {
            "client_id": self._client_id,
            "authority": place.authority,
            "token_cache": cache,
            "http_client": MsalHttp(self._egress, place.metadata),
            "instance_discovery": False,
            "azure_region": False,  # else two variables of the environment could choose another host
            "app_name": "entrada",
            "app_version": version_of("entrada"),
        }
        if proof == PUBLIC:
            return msal.PublicClientApplication(**common)
        credential = proof.secret or {"client_assertion": lambda: proof.assertion}
        return msal.ConfidentialClientApplication(**common, client_credential=credential)

    def _after(self, seconds: int) -> datetime:
        return self._clock() + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question goes."""

    authority: str
    """`https://{host}/{tenant}`, as MSAL wants it."""
    metadata: Metadata
    """Verified; of the same tenant."""


class SessionCache(msal.SerializableTokenCache):  # type: ignore[misc]  # MSAL has no types
    """One session's tokens in MSAL's form. Our clock tells the time, and no code gets as far as MSAL's log."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def add(self, event: Mapping[str, Any], now: float | None = None) -> None:
        """Keep the tokens of one answer, and no older access token for the same scopes.

        A scope counts as granted in the words in which it was asked for, too: an answer never names
        `{resource}/.default`, and may call a resource by another of its names.
        """
        data, granted = event.get("data", {}), event.get("scope") or ()
        scopes = [*granted, *_in_words_asked(data.get("scope") or (), granted)]
        for entry in list(self.search(self.CredentialType.ACCESS_TOKEN)):
            if canonical(entry["target"].split()) <= canonical(scopes):
                self.remove_at(entry)
        data = {name: value for name, value in data.items() if name not in {"code", "code_verifier"}}
        super().add({**event, "scope": scopes, "data": data}, now=self._clock().timestamp() if now is None else now)

    def search(
        self, credential_type: str, target: Any = None, query: Any = None, *, now: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield what matches and has not expired."""
        moment = self._clock().timestamp() if now is None else now
        found: Iterator[dict[str, Any]] = super().search(credential_type, target, query, now=moment)
        return found


@dataclass(frozen=True, slots=True)
class MsalAnswer:
    """An HTTP answer as MSAL wants it."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Do nothing: an answer that is neither tokens nor a refusal has already been raised."""


class MsalHttp:
    """The little of an HTTP client that MSAL uses, on top of our one door out. To be called in a worker thread."""

    def __init__(self, egress: Egress, metadata: Metadata) -> None:
        self._egress = egress
        self._metadata = metadata

    def get(self, url: str, **_kwargs: Any) -> MsalAnswer:
        """Answer the one GET that MSAL makes with the metadata that we have verified; nothing else is fetched."""
        if not url.endswith("/v2.0/.well-known/openid-configuration"):
            raise AuthorityUnavailable("MSAL wants more than metadata")
        document = {
            "issuer": self._metadata.issuer,
            "authorization_endpoint": self._metadata.authorization_endpoint,
            "token_endpoint": self._metadata.token_endpoint,
        }
        return MsalAnswer(status_code=200, text=json.dumps(document))

    def post(
        self, url: str, *, headers: Mapping[str, str], data: Mapping[str, Any], params: None = None, **_kwargs: Any
    ) -> MsalAnswer:
        """Post a form and hand on what could be read of the answer; secrets go into the body only (SEC-023)."""
        if url != self._metadata.token_endpoint or params:
            raise AuthorityUnavailable("MSAL wants another endpoint than the token endpoint")
        form = {name: str(value) for name, value in data.items()}
        ask = partial(self._egress.post_form, url, form, purpose="token", headers=headers)
        answer = read(anyio.from_thread.run(ask))
        if isinstance(answer, GrantRefused):
            return MsalAnswer(status_code=400, text=json.dumps(answer.body))
        return MsalAnswer(status_code=200, text=json.dumps(_in_words_of_oauth(answer)))

    def close(self) -> None:
        """Do nothing: the connections are the Egress's."""


def _in_words_asked(asked: Sequence[str], granted: Sequence[str]) -> list[str]:
    """Return those of the scopes asked for that were granted, by the last part of their names; of one resource only.

    Of several that were asked together, the token is good for one, and nothing but its own name says for which.
    """
    wanted = [scope for scope in asked if scope not in RESERVED_SCOPES]
    one_resource = len({scope.rpartition("/")[0] for scope in wanted}) == 1
    names = {".default", *(_last_part(scope) for scope in granted if one_resource)}
    return [scope for scope in wanted if "/" in scope and _last_part(scope) in names]


def _last_part(scope: str) -> str:
    return scope.rpartition("/")[2].lower()


def _renewed(application: Any, *, scopes: Sequence[str], claims: str | None) -> Any:
    """Ask with the refresh token, never with the cache: what is fresh enough was decided before."""
    return application.acquire_token_silent_with_error(
        [scope for scope in scopes if scope not in ADDED_BY_MSAL],
        application.get_accounts()[0],
        force_refresh=True,
        claims_challenge=claims,
    )


def _in_words_of_oauth(granted: TokensGranted) -> dict[str, Any]:
    answer = {
        "token_type": "Bearer",
        "access_token": granted.access_token,
        "expires_in": granted.expires_in,
        "scope": None if granted.scopes is None else " ".join(granted.scopes),
        "refresh_token": granted.refresh_token,
        "id_token": granted.id_token,
        "client_info": granted.client_info,
    }
    return {name: value for name, value in answer.items() if value is not None}
