"""What the next requests shall suffer: a queue that tests fill through the control API."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

TransportFault = Literal["latency", "status", "garbage", "error"]
TokenFault = Literal[
    "wrong_nonce", "no_nonce", "wrong_issuer", "wrong_audience", "expired", "bad_signature", "alg_none", "unknown_kid"
]
FaultKind = TransportFault | TokenFault
TRANSPORT_FAULTS: tuple[TransportFault, ...] = get_args(TransportFault)
TOKEN_FAULTS: tuple[TokenFault, ...] = get_args(TokenFault)
EndpointName = Literal[
    "metadata",
    "keys",
    "instance",
    "userrealm",
    "authorize",
    "token",
    "logout",
    "adminconsent",
    "devicecode",
    "graph",
    "other",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing to go wrong at one endpoint, so many times."""

    endpoint: EndpointName
    kind: FaultKind
    times: int = 1
    seconds: float = 0.0
    """How long `latency` waits."""
    status: int = 503
    """What `status` and `garbage` answer with."""
    retry_after: int | None = None
    """Seconds in the Retry-After header of `status`."""
    code: int = 50173
    """The AADSTS code of `error`."""


class Faults:
    """Faults in the order they were asked for; each is used up after its number of times."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Puts a fault at the end."""
        self._waiting.append(fault)

    def take(self, endpoint: EndpointName, kinds: Collection[str]) -> tuple[Fault, ...]:
        """The faults of these kinds that this request suffers; each counts down by one."""
        hit = tuple(f for f in self._waiting if f.endpoint == endpoint and f.kind in kinds)
        self._waiting = [replace(f, times=f.times - 1) if f in hit else f for f in self._waiting]
        self._waiting = [f for f in self._waiting if f.times > 0]
        return hit

    def waiting(self) -> tuple[Fault, ...]:
        """What is still to come."""
        return tuple(self._waiting)

    def clear(self) -> None:
        """Nothing shall go wrong any more."""
        self._waiting.clear()
