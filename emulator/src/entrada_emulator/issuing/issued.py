"""What the emulator remembers of access tokens for people: how the person had proved themselves."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from entrada_emulator.issuing.sign_in import SignIn

REMEMBERED = 20_000  # bounds the memory of an emulator that runs for weeks


@dataclass(frozen=True, slots=True)
class Proof:
    """When and how somebody signed in. Entra keeps it in claims that only it can read."""

    auth_time: datetime
    amr: tuple[str, ...]


class IssuedTokens:
    """Proofs by the `uti` of the token; the oldest make room."""

    def __init__(self) -> None:
        self._proofs: OrderedDict[str, Proof] = OrderedDict()

    def note(self, uti: str, sign_in: SignIn) -> None:
        """Remembers a token that was just issued."""
        self._proofs[uti] = Proof(sign_in.auth_time, sign_in.amr)
        if len(self._proofs) > REMEMBERED:
            self._proofs.popitem(last=False)

    def proof(self, uti: str) -> Proof | None:
        """How the token's person had proved themselves; None for a token that was forgotten or never issued."""
        return self._proofs.get(uti)
