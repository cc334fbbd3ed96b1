"""The user flows of Azure AD B2C beside that of signing in: a forgotten password, and editing one's profile.

Their answers are signals only. No code of theirs is redeemed and nothing in them is believed: what the person changed
is learnt by signing in again, which B2C answers without asking while the person is signed in there.
"""

from dataclasses import dataclass, replace

from entrada.errors import NotFound
from entrada.flows.signing_in.callback import AuthorizationResponse
from entrada.flows.signing_in.transaction import Transaction
from entrada.provider.b2c import CANCELLED, RESET_WANTED, at_policy
from entrada.provider.metadata import Metadata
from entrada.settings import Settings

RESET, EDIT = "password-reset", "profile-edit"


@dataclass(frozen=True, slots=True)
class Onward:
    """Where an answer leads that neither signs anybody in nor refuses: another user flow, a sign-in, or back."""

    return_to: str
    remember: bool = False
    flow: str | None = None
    """The user flow to go through next."""
    sign_in: bool = True
    """Whether anything is to be begun at all."""


class UserFlows:
    """Knows the flows that the settings name."""

    def __init__(self, settings: Settings) -> None:
        flows = {RESET: settings.b2c_reset_policy, EDIT: settings.b2c_edit_policy}
        self._policies = {flow: policy for flow, policy in flows.items() if policy}
        self._first = settings.b2c_policy or ""

    def metadata(self, known: Metadata, flow: str | None) -> Metadata:
        """Return the metadata with the flow's own page to authorize; NotFound when there is no such flow here."""
        if flow is None:
            return known
        if flow not in self._policies:
            raise NotFound("no such user flow is set up")
        at_flow = at_policy(known.authorization_endpoint, of=self._first, wanted=self._policies[flow])
        return replace(known, authorization_endpoint=at_flow)

    def onward(self, transaction: Transaction, answer: AuthorizationResponse) -> Onward | None:
        """Return where the answer leads; None when it is one to a sign-in, good or bad."""
        back = Onward(transaction.return_to, transaction.remember)
        said = answer.error_description or ""
        if transaction.flow is None:
            wanted = said.startswith(RESET_WANTED) and RESET in self._policies
            return replace(back, flow=RESET) if wanted else None
        if answer.error is None:
            return back
        if said.startswith(CANCELLED):
            return replace(back, sign_in=transaction.flow == RESET)
        return None
