"""Device codes: a device without a browser waits while the person signs in on another one."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from entrada_emulator.clock import Clock
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, skipped
from entrada_emulator.issuing.codes import CodeGrant

DEVICE_CODE_LIFE = timedelta(minutes=15)
INTERVAL = 5  # seconds between two polls
USER_CODE_LENGTH = 9
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowels: no words; no letter that looks like a digit
WAITING = 1_000  # bounds the memory that strangers can take


@dataclass(slots=True)
class DeviceRequest:
    """One device that waits."""

    client_id: str
    path_name: str
    """The tenant path it asked at; the person signs in there."""
    scope: str
    user_code: str = field(repr=False)
    expires_at: datetime
    answer: Literal["waiting", "approved", "declined", "redeemed"] = "waiting"
    grant: CodeGrant | None = field(default=None, repr=False)


class DeviceCodes:
    """The devices that wait, by what they poll with and by what the person types."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_device_code: dict[str, DeviceRequest] = {}

    def issue(self, client_id: str, *, path_name: str, scope: str) -> tuple[str, DeviceRequest]:
        """A device code, and the request with its user code."""
        while len(self._by_device_code) >= WAITING:
            del self._by_device_code[next(iter(self._by_device_code))]
        user_code = "".join(secrets.choice(USER_CODE_LETTERS) for _ in range(USER_CODE_LENGTH))
        expires_at = self._clock.now() + DEVICE_CODE_LIFE
        device_code = "1.emulator-dc-" + secrets.token_urlsafe(48)
        request = DeviceRequest(client_id, path_name, scope, user_code, expires_at)
        self._by_device_code[device_code] = request
        return device_code, request

    def find(self, user_code: str) -> DeviceRequest | None:
        """The request that a person means, while it waits; spaces, hyphens and case are forgiven."""
        typed = user_code.replace("-", "").replace(" ", "").upper()
        waiting = (one for one in self._by_device_code.values() if one.answer == "waiting" and not self._is_over(one))
        return next((one for one in waiting if secrets.compare_digest(one.user_code.encode(), typed.encode())), None)

    def approve(self, user_code: str, grant: CodeGrant) -> None:
        """The person signed in and confirmed. Raises 70019 where that came too late."""
        self._waiting(user_code).grant = grant
        self._waiting(user_code).answer = "approved"

    def decline(self, user_code: str) -> None:
        """The person does not want it."""
        self._waiting(user_code).answer = "declined"

    @checking("device_code")
    def read(self, device_code: str, *, client_id: str) -> CodeGrant:
        """What the device may have now.

        Raises 70018 for a code that is none of the client's, 70019 past its time, 65004 as `authorization_declined`,
        70016 while nobody has answered, 54005 for a second redemption.
        """
        request = self._by_device_code.get(device_code)
        if request is None or request.client_id != client_id:
            raise EntraError(70018)
        if self._is_over(request):
            raise EntraError(70019)
        if request.answer == "declined":
            raise EntraError(65004, error="authorization_declined")
        if request.answer == "redeemed":
            raise EntraError(54005)
        if request.grant is None:
            skipped("device_code", "It is known and in its time; the person has not confirmed yet.")
            raise EntraError(70016)
        return request.grant

    def spend(self, device_code: str) -> None:
        """Marks the code as redeemed."""
        self._by_device_code[device_code].answer = "redeemed"

    def _waiting(self, user_code: str) -> DeviceRequest:
        found = self.find(user_code)
        if found is None:
            raise EntraError(70019)
        return found

    def _is_over(self, request: DeviceRequest) -> bool:
        return self._clock.now() >= request.expires_at
