"""One emulator: the directory, what changes, and where it is reached. Endpoints find it through the request."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from entrada_emulator.directory.model import Policy
from entrada_emulator.directory.world import World
from entrada_emulator.state import State
from entrada_emulator.wire.origins import Origins


@dataclass(frozen=True, slots=True)
class Emulator:
    """What every endpoint stands on."""

    world: World
    state: State
    origins: Origins

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The Conditional Access policies in force."""
        return (*self.world.policies, *self.state.policies.added)


def emulator_of(request: HTTPConnection) -> Emulator:
    """The emulator that received the request."""
    emulator: Emulator = request.app.state.emulator
    return emulator
