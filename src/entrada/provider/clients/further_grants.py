"""The grants for which nobody comes back to the application: client credentials and the device code (RFC 8628).

They need none of what MSAL keeps, so the same client serves Entra and every other provider.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from entrada.errors import AuthorityRefused, AuthorityUnavailable
from entrada.provider import aadsts
from entrada.provider.clients.oidc_client import OidcClient
from entrada.provider.clients.token_answer import GrantRefused, TokensGranted, read
from entrada.provider.egress import Answer

OK = 200
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
DEFAULT_INTERVAL = 5  # seconds; RFC 8628 section 3.2
SLOWER = 5  # seconds that `slow_down` adds; section 3.5
LONGEST_INTERVAL = 60  # seconds
LONGEST_LIFE = 1800  # seconds for which anybody waits; Entra's codes live for 900
LONGEST_TEXT = 2048
PENDING, SLOW_DOWN = "authorization_pending", "slow_down"


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a device shows to the person, and what it asks with meanwhile; times in seconds."""

    user_code: str = field(repr=False)
    verification_uri: str
    interval: int
    expires_in: int
    device_code: str = field(repr=False)

    def slower(self) -> "DeviceCode":
        """Return the same with the longer interval that the authority wants."""
        return DeviceCode(
            self.user_code, self.verification_uri, self.interval + SLOWER, self.expires_in, self.device_code
        )


class FurtherGrants(OidcClient):
    """Gets tokens by client credentials or a device code; the credentials are those of every `TokenClient`."""

    async def for_the_application(self, scopes: Sequence[str]) -> TokensGranted:
        """Return the application's own token; AuthorityRefused without a credential, or when none is granted."""
        if self._credentials.public:
            raise AuthorityRefused("a public client has no token of its own: set a secret, certificate or assertion")
        return _granted(await self._ask({"grant_type": "client_credentials", "scope": " ".join(scopes)}))

    async def begin_device(self, scopes: Sequence[str]) -> DeviceCode:
        """Return a new device code; AuthorityRefused where the authority has no such grant."""
        metadata = await self._metadata()
        if metadata.device_authorization_endpoint is None:
            raise AuthorityRefused("the authority has no device_authorization_endpoint, by its metadata")
        form = {"client_id": self._client_id, "scope": " ".join(scopes)}
        answer = await self._post(metadata.device_authorization_endpoint, form, metadata, purpose="other")
        if answer.status == OK:
            return _device_code(answer)
        refused = read(answer)
        if isinstance(refused, GrantRefused):
            raise aadsts.refusal(refused.error, refused.description or "")
        raise AuthorityUnavailable(f"device_authorization_endpoint: answer {answer.status}")

    async def poll_device(self, device: DeviceCode) -> TokensGranted | DeviceCode:
        """Ask once; return the device code, perhaps slower, while the person has not finished."""
        answer = await self._ask({"grant_type": DEVICE_CODE, "device_code": device.device_code})
        if isinstance(answer, GrantRefused) and answer.error in {PENDING, SLOW_DOWN}:
            return device.slower() if answer.error == SLOW_DOWN else device
        return _granted(answer)


def _granted(answer: TokensGranted | GrantRefused) -> TokensGranted:
    if isinstance(answer, GrantRefused):
        raise aadsts.refusal(answer.error, answer.description or "")
    return answer


def _device_code(answer: Answer) -> DeviceCode:
    """Read the answer strictly: two of its members are shown to a person who will believe them."""
    body = answer.json_object()
    address, user_code, code = (body.get(name) for name in ("verification_uri", "user_code", "device_code"))
    for text in (address, user_code, code):
        if not isinstance(text, str) or not text or len(text) > LONGEST_TEXT or not text.isascii():
            raise AuthorityUnavailable("device_authorization_endpoint: a member is missing or not a text")
        if not text.isprintable():
            raise AuthorityUnavailable("device_authorization_endpoint: a member has characters that it may not have")
    if urlsplit(str(address)).scheme not in {"https", "http"}:
        raise AuthorityUnavailable("device_authorization_endpoint: verification_uri is not an address")
    return DeviceCode(
        user_code=str(user_code),
        verification_uri=str(address),
        interval=_seconds(body.get("interval"), default=DEFAULT_INTERVAL, most=LONGEST_INTERVAL),
        expires_in=_seconds(body.get("expires_in"), default=LONGEST_LIFE, most=LONGEST_LIFE),
        device_code=str(code),
    )


def _seconds(value: object, *, default: int, most: int) -> int:
    return max(1, min(value, most)) if type(value) is int else default
