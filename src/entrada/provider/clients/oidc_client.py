"""The token client for any OpenID provider but Entra: the code and refresh grants of RFC 6749, and no more."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import msgspec

from entrada.errors import AuthorityUnavailable, InteractionRequired, TokenRefused
from entrada.provider import aadsts
from entrada.provider.clients.credentials import PUBLIC, Proof
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
from entrada.provider.egress import Answer, Purpose
from entrada.provider.metadata import Metadata

OK = 200
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 section 2.2
LONGEST_HINT = 6000  # characters: servers and proxies take addresses of 8 KiB


class SessionTokens(msgspec.Struct, frozen=True):
    """What one session holds; times in seconds since 1970."""

    access_token: str
    scopes: tuple[str, ...]
    since: float
    until: float
    refresh_token: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        return "SessionTokens(…)"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SessionTokens)


class OidcClient(TokenClient):
    """Gets tokens from an OpenID provider."""

    revokes = True

    async def redeem(self, grant: CodeGrant) -> Redeemed:
        """Exchange a code; the scope is the code's already, so none is sent."""
        answer = await self._ask(
            {
                "grant_type": "authorization_code",
                "code": grant.code,
                "redirect_uri": grant.redirect_uri,
                "code_verifier": grant.code_verifier,
            }
        )
        if isinstance(answer, GrantRefused):
            raise aadsts.refusal(answer.error, answer.description or "")
        if answer.id_token is None:
            raise TokenRefused("the answer to the code has no ID token")
        tokens = self._kept(answer, scopes=grant.scopes, before=None)
        return Redeemed(
            id_token=answer.id_token,
            access_token=answer.access_token,
            tokens=_encoder.encode(tokens),
            granted_scopes=tokens.scopes,
            access_expires_at=_moment(tokens.until),
        )

    def _held(self, tokens: bytes, scopes: Sequence[str]) -> Held | None:
        held = _decode(tokens)
        if held is None or not _covers(held.scopes, scopes):
            return None
        return Held(access_token=held.access_token, since=_moment(held.since), until=_moment(held.until))

    def _renewable(self, tokens: bytes) -> bool:
        held = _decode(tokens)
        return bool(held and held.refresh_token)

    def with_refresh_token_of(self, tokens: bytes, renewed: bytes) -> bytes:
        """Return a session's tokens with the refresh token of their successors."""
        held, successors = _decode(tokens), _decode(renewed)
        if held is None or successors is None:
            return tokens
        return _encoder.encode(msgspec.structs.replace(held, refresh_token=successors.refresh_token))

    async def _renew(self, tokens: bytes, scopes: Sequence[str], *, claims: str | None) -> Acquired:
        """Send no scope: repeating the wished ones is refused where fewer were granted, and more cannot be had."""
        held = _decode(tokens)
        if held is None or not held.refresh_token:
            raise NothingToRenewWith("the session holds no refresh token")
        if claims is not None:
            raise InteractionRequired("the API asks for claims, which a refresh cannot bring", claims=claims)
        if not _covers(held.scopes, scopes):
            raise InteractionRequired("a scope was not granted at sign-in, and a refresh cannot add it")
        answer = await self._ask({"grant_type": "refresh_token", "refresh_token": held.refresh_token})
        if isinstance(answer, GrantRefused):
            raise aadsts.renewal_refusal(answer.body)
        kept = self._kept(answer, scopes=held.scopes, before=held)
        return Acquired(
            access_token=answer.access_token,
            expires_at=_moment(kept.until),
            source="identity_provider",
            tokens=_encoder.encode(kept),
            id_token=answer.id_token,
        )

    async def for_itself(
        self,
        scopes: Sequence[str],
        *,
        tenant_id: str | None = None,  # noqa: ARG002 - Entra's, as the next
        claims: str | None = None,  # noqa: ARG002
    ) -> Acquired:
        """Ask with nothing but our own proof."""
        self._must_prove_itself("the client credentials grant")
        answer = await self._ask({"grant_type": "client_credentials", "scope": " ".join(scopes)})
        if isinstance(answer, GrantRefused):
            raise aadsts.renewal_refusal(answer.body)
        expires_at = _moment(self._clock().timestamp() + answer.expires_in)
        return Acquired(access_token=answer.access_token, expires_at=expires_at, source="identity_provider")

    def id_token(self, tokens: bytes, /) -> str | None:
        """Return the session's last ID token, unless it is too long for an address."""
        held = _decode(tokens)
        return held.id_token if held and held.id_token and len(held.id_token) <= LONGEST_HINT else None

    async def revoke(self, tokens: bytes, /) -> bool:
        """Revoke the refresh token, and with it at most providers all that came from it."""
        held, metadata = _decode(tokens), await self._metadata()
        if held is None or not held.refresh_token or not metadata.revocation_endpoint:
            return False
        form = {"token": held.refresh_token, "token_type_hint": "refresh_token"}
        answer = await self._post(metadata.revocation_endpoint, form, metadata, purpose="revocation")
        if answer.status != OK:
            raise AuthorityUnavailable(f"the revocation endpoint answered {answer.status}")
        return True

    async def introspect(self, token: str, /) -> Mapping[str, Any] | None:
        """Ask with our own credentials; who has none, or is refused, gets no answer."""
        metadata = await self._metadata()
        if not metadata.introspection_endpoint or self._credentials.public:
            return None
        form = {"token": token, "token_type_hint": "access_token"}
        answer = await self._post(metadata.introspection_endpoint, form, metadata, purpose="introspection")
        if answer.status != OK:
            raise AuthorityUnavailable(f"the introspection endpoint answered {answer.status}")
        return answer.json_object()

    async def _ask(self, form: Mapping[str, str]) -> TokensGranted | GrantRefused:
        metadata = await self._metadata()
        return read(await self._post(metadata.token_endpoint, form, metadata, purpose="token"))

    async def _post(self, url: str, form: Mapping[str, str], metadata: Metadata, *, purpose: Purpose) -> Answer:
        """Post a form with a proof of who we are; its audience is the token endpoint also elsewhere (RFC 7009)."""

        async def attempt(proof: Proof) -> Answer:
            proving, headers = self._proving(proof, metadata.token_endpoint_auth_methods)
            return await self._egress.post_form(url, {**form, **proving}, purpose=purpose, headers=headers)

        return await self._credentials.ask(attempt, audience=metadata.token_endpoint, error_of=_error_of)

    def _proving(self, proof: Proof, methods: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return what proves who we are, in the form or in a header: one of them, never both (SEC-025)."""
        identity = {"client_id": self._client_id}
        if proof == PUBLIC:
            return identity, {}
        if proof.assertion is not None:
            if "private_key_jwt" not in methods:
                raise AuthorityUnavailable("the token endpoint takes no client assertion, by its metadata")
            return {**identity, "client_assertion_type": JWT_BEARER, "client_assertion": proof.assertion}, {}
        secret = proof.secret or ""
        if "client_secret_basic" in methods:
            pair = f"{quote_plus(self._client_id)}:{quote_plus(secret)}"
            return {}, {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        if "client_secret_post" in methods:
            return {**identity, "client_secret": secret}, {}
        raise AuthorityUnavailable("the token endpoint takes no client secret, by its metadata")

    def _kept(self, answer: TokensGranted, *, scopes: Sequence[str], before: SessionTokens | None) -> SessionTokens:
        """Return what the session holds from now on; what the answer leaves out stays as it was."""
        now = self._clock().timestamp()
        return SessionTokens(
            access_token=answer.access_token,
            scopes=tuple(scopes) if answer.scopes is None else answer.scopes,
            since=now,
            until=now + answer.expires_in,
            refresh_token=answer.refresh_token or (before.refresh_token if before else None),
            id_token=answer.id_token or (before.id_token if before else None),
        )


def _error_of(answer: Answer) -> str | None:
    try:
        refused = None if answer.status == OK else read(answer)
    except AuthorityUnavailable:
        return None
    return refused.error if isinstance(refused, GrantRefused) else None


def _decode(tokens: bytes) -> SessionTokens | None:
    try:
        return _decoder.decode(tokens)
    except msgspec.DecodeError:
        return None


def _covers(granted: Sequence[str], wanted: Sequence[str]) -> bool:
    return set(wanted) - RESERVED_SCOPES <= set(granted)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
