"""How a token is got for the command line: by the browser of this machine, with a device code, or for the application.

What is done here by hand, an application has done for it by `flows.signin`; the checks are the same ones.
"""

import asyncio
import secrets
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from entrada.cli.loopback import listening
from entrada.clock import system_clock
from entrada.errors import AuthorityRefused, TokenRefused
from entrada.flows.signing_in.callback import AuthorizationResponse
from entrada.provider import aadsts
from entrada.provider.authority import names_issuer
from entrada.provider.authorization import authorize_url, code_challenge
from entrada.provider.clients.further_grants import DeviceCode, FurtherGrants
from entrada.provider.clients.token_client import CodeGrant, sent_nonce
from entrada.provider.metadata import Metadata
from entrada.provider.tokens.identity import user_from
from entrada.settings import Settings
from entrada.web.building.ways_out import WaysOut, lay_ways_out

RANDOM_BYTES = 32  # as for an application's sign-in (SEC-002)
IDENTITY = ("openid", "profile")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Got:
    """An access token for the command line."""

    access_token: str = field(repr=False)
    seconds: int
    """How long it is good for."""
    username: str = ""
    """Who signed in, from a verified ID token; empty where nobody did or the authority does not say."""


class Grants:
    """Gets tokens with these settings; `say` tells the person what to do."""

    def __init__(self, settings: Settings, outside: WaysOut, *, say: Say) -> None:
        self._settings = settings
        self._outside = outside
        self._say = say
        self._further = FurtherGrants(
            client_id=settings.client_id,
            credentials=outside.credentials,
            egress=outside.egress,
            metadata=outside.discovery.metadata,
            clock=system_clock,
            refresh_buffer=settings.token_refresh_buffer,
        )

    async def by_browser(self, scopes: Sequence[str], *, redirect_uri: str, open_browser: bool) -> Got:
        """Send a browser of this machine to the authority, and redeem the code that it brings back (RFC 8252)."""
        metadata = await self._outside.discovery.metadata()
        state, nonce, code_verifier = (secrets.token_urlsafe(RANDOM_BYTES) for _ in range(3))
        asked = (*IDENTITY, *scopes)
        async with listening(redirect_uri, state=state) as door:
            address = authorize_url(
                metadata,
                client_id=self._settings.client_id,
                redirect_uri=door.redirect_uri,
                scopes=asked,
                state=state,
                nonce=sent_nonce(nonce),
                code_challenge=code_challenge(code_verifier),
            )
            await self._send_to(address, open_browser=open_browser)
            answer = await door.answer(seconds=self._settings.sign_in_lifetime.total_seconds())
        grant = CodeGrant(_code(answer, metadata), code_verifier, door.redirect_uri, asked, nonce)
        return await self._redeem(grant)

    async def by_device_code(self, scopes: Sequence[str]) -> Got:
        """Have the person sign in on any device, and ask until they have (RFC 8628)."""
        device = await self._further.begin_device((*IDENTITY, *scopes))
        self._say(f"Open {device.verification_uri} on any device and enter the code {device.user_code}")
        try:
            async with asyncio.timeout(device.expires_in):
                return await self._wait_for(device)
        except TimeoutError:
            raise AuthorityRefused("nobody entered the code in time; begin again", error="expired_token") from None

    async def for_the_application(self, scopes: Sequence[str]) -> Got:
        """Get the application's own token, with the credentials of the settings."""
        granted = await self._further.for_the_application(scopes)
        return Got(granted.access_token, granted.expires_in)

    async def _wait_for(self, device: DeviceCode) -> Got:
        while True:
            await asyncio.sleep(device.interval)
            answer = await self._further.poll_device(device)
            if not isinstance(answer, DeviceCode):
                return Got(answer.access_token, answer.expires_in)
            device = answer

    async def _send_to(self, address: str, *, open_browser: bool) -> None:
        if open_browser and await asyncio.to_thread(webbrowser.open, address):
            self._say("A browser has been opened to sign in. If you do not see it, open this address:")
        else:
            self._say("Open this address in a browser of this machine to sign in:")
        self._say(address)

    async def _redeem(self, grant: CodeGrant) -> Got:
        redeemed = await self._outside.client.redeem(grant)
        claims = await self._outside.id_tokens.verify(
            redeemed.id_token, nonce=sent_nonce(grant.nonce), access_token=redeemed.access_token
        )
        if redeemed.access_token is None or redeemed.access_expires_at is None:
            raise TokenRefused("the answer to the code has no access token")
        seconds = int((redeemed.access_expires_at - system_clock()).total_seconds())
        return Got(redeemed.access_token, seconds, user_from(claims).username)


@asynccontextmanager
async def grants(settings: Settings, *, say: Say) -> AsyncIterator[Grants]:
    """Give what gets tokens, and close its connections at the end."""
    outside = lay_ways_out(settings, transport=None, client_assertion=None, clock=system_clock)
    try:
        yield Grants(settings, outside, say=say)
    finally:
        for discovery in outside.discoveries:
            await discovery.aclose()
        await outside.egress.aclose()
        await outside.to_apis.aclose()


def without_credentials(settings: Settings) -> Settings:
    """Return the settings as those of a public client: a loopback address is registered for one."""
    nothing = dict.fromkeys(("client_secret", "client_certificate", "client_assertion_file"))
    return settings.model_copy(update={**nothing, "client_secrets": (), "client_secret_expires": ()})


def _code(answer: AuthorizationResponse, metadata: Metadata) -> str:
    """Return the code of an answer whose state was right; AuthorityRefused for everything else (RFC 9207)."""
    named = answer.iss is not None and names_issuer(metadata.issuer, answer.iss)
    if not named and (answer.iss is not None or metadata.iss_parameter_supported):
        raise AuthorityRefused("iss is missing from the answer, or another's", error="invalid_issuer")
    if answer.code is None:
        raise aadsts.refusal(answer.error or "", answer.error_description or "")
    return answer.code
