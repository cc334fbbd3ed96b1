"""Telling the provider that a session's refresh token is no longer wanted (RFC 7009), after the session has ended."""

from functools import partial

from entrada.errors import EntradaError
from entrada.flows.errands import Errands
from entrada.logs import log
from entrada.provider.clients.token_client import TokenClient

AT_ONCE = 4  # calls to the provider, which may take ten seconds each
MOST_WAITING = 5000
AT_THE_END = 2.0  # seconds


class Revocation:
    """Revokes beside the requests: nobody waits for it, and its failure is only logged."""

    def __init__(self, client: TokenClient) -> None:
        self._client = client
        self._errands = Errands("revocation", at_once=AT_ONCE, most_waiting=MOST_WAITING, at_the_end=AT_THE_END)

    def begin(self, tokens: bytes) -> None:
        """Revoke the refresh token in `tokens`, where there is one and the provider takes it back."""
        if not self._errands.begin(partial(self._revoke, tokens)):
            log.warning("refresh_token_not_revoked", reason="too many are waiting")

    async def aclose(self) -> None:
        """Let what is under way end, or stop it."""
        await self._errands.aclose()

    async def _revoke(self, tokens: bytes) -> None:
        try:
            await self._client.revoke(tokens)
        except EntradaError as error:
            log.warning("refresh_token_not_revoked", reason=str(error))
