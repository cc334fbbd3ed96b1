"""The application's own token for one resource, by client credentials (RFC 6749 section 4.4), while it lasts."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from entrada.clock import Clock
from entrada.errors import AuthorityRefused, AuthorityUnavailable
from entrada.provider import aadsts
from entrada.provider.authority import Authority
from entrada.provider.credentials import Credentials, Proof
from entrada.provider.egress import Answer, Egress
from entrada.provider.metadata import Metadata
from entrada.provider.token_answer import GrantRefused, TokensGranted, read

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523
BEFORE_ITS_END = timedelta(minutes=5)
MOST_TENANTS = 1000  # whose tokens are held at a time


class ApplicationToken:
    """Gives tokens of this application for one resource, in whichever tenant a person belongs to."""

    def __init__(
        self,
        *,
        client_id: str,
        scope: str,
        authority: Authority,
        credentials: Credentials,
        egress: Egress,
        metadata: Callable[[], Awaitable[Metadata]],
        clock: Clock,
    ) -> None:
        self._client_id = client_id
        self._scope = scope
        self._authority = authority
        self._credentials = credentials
        self._egress = egress
        self._metadata = metadata
        self._clock = clock
        self._held: dict[str, tuple[str, datetime]] = {}

    async def of(self, tenant_id: str) -> str:
        """Return a token in this tenant; AuthorityRefused when none is granted, AuthorityUnavailable without answer."""
        held = self._held.get(tenant_id)
        if held and self._clock() < held[1]:
            return held[0]
        granted = await self._ask(tenant_id)
        if len(self._held) >= MOST_TENANTS:
            self._held.clear()
        life = timedelta(seconds=granted.expires_in)
        self._held[tenant_id] = granted.access_token, self._clock() + max(life - BEFORE_ITS_END, life / 2)
        return granted.access_token

    async def _ask(self, tenant_id: str) -> TokensGranted:
        if self._credentials.public:
            raise AuthorityRefused("a public client has no token of its own: set a secret, certificate or assertion")
        endpoint = (await self._metadata()).token_endpoint
        if self._authority.many:
            endpoint = endpoint.replace(f"/{self._authority.tenant}/", f"/{tenant_id}/", 1)

        async def attempt(proof: Proof) -> Answer:
            return await self._egress.post_form(endpoint, self._form(proof), purpose="token")

        answer = read(await self._credentials.ask(attempt, audience=endpoint, error_of=_error_of))
        if isinstance(answer, GrantRefused):
            raise aadsts.refusal(answer.error, answer.description or "")
        return answer

    def _form(self, proof: Proof) -> dict[str, str]:
        form = {"grant_type": "client_credentials", "client_id": self._client_id, "scope": self._scope}
        if proof.assertion is not None:
            return form | {"client_assertion_type": JWT_BEARER, "client_assertion": proof.assertion}
        return form | {"client_secret": proof.secret or ""}


def _error_of(answer: Answer) -> str | None:
    try:
        error = answer.json_object().get("error")
    except AuthorityUnavailable:
        return None
    return error if isinstance(error, str) else None
