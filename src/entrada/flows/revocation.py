"""Telling the provider that a session's refresh token is no longer wanted (RFC 7009), after the session has ended."""

import asyncio

from entrada.errors import EntradaError
from entrada.logs import log
from entrada.provider.token_client import TokenClient

AT_ONCE = 4  # calls to the provider, which may take ten seconds each
MOST_WAITING = 5000
AT_THE_END = 2.0  # seconds that a stopping application waits for what is under way


class Revocation:
    """Revokes beside the requests: nobody waits for it, and its failure is only logged."""

    def __init__(self, client: TokenClient) -> None:
        self._client = client
        self._under_way: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)

    def begin(self, tokens: bytes) -> None:
        """Revoke the refresh token in `tokens`, where there is one and the provider takes it back."""
        if len(self._under_way) >= MOST_WAITING:
            log.warning("refresh_token_not_revoked", reason="too many are waiting")
            return
        task = asyncio.get_running_loop().create_task(self._revoke(tokens))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def aclose(self) -> None:
        """Let what is under way end, or stop it."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=AT_THE_END)
            for task in late:
                task.cancel()

    async def _revoke(self, tokens: bytes) -> None:
        try:
            async with self._places:
                await self._client.revoke(tokens)
        except EntradaError as error:
            log.warning("refresh_token_not_revoked", reason=str(error))
