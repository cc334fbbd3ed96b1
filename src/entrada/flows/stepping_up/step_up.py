"""Step-up: a person who is signed in proves more, and comes back to what they were doing.

    a rule lacks proof ──► {prefix}/step-up?for=SEALED ──► the authority, asked for the proof ──► a new session ──► back
                                 who · what · where to                                                  │
                                                          the same proof lacks again: `in_vain`, a page ◄┘

What is asked follows the authority: Entra takes authentication contexts by the `claims` parameter, other providers take
`acr_values` (OpenID Connect Core section 3.1.2.1); both take `max_age`. Whether it was proven, the rule decides anew by
the next ID token, where absence means the weakest (SEC-047).
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from entrada.clock import Clock
from entrada.errors import StepUpRequired
from entrada.flows.stepping_up.interruptions import Interruptions
from entrada.keyring import Purpose
from entrada.requirements import MULTI_FACTOR_ACRS
from entrada.sessions.sealing import Sealer
from entrada.sessions.session import Session

PURPOSE: Purpose = "step-up"
LIFETIME = timedelta(minutes=10)  # as long as an attempt to sign in; who comes later is refused by the rule again
JUST_NOW = timedelta(seconds=60)  # a proof that was asked for so lately and is not there will not come by asking again
LONGEST = 4096


class Proof(msgspec.Struct, frozen=True, array_like=True):
    """What a sign-in is to prove beyond who it is; nothing of it when the authority itself has said what it wants."""

    contexts: tuple[str, ...] = ()
    max_age: int | None = None
    """How old the sign-in may be, in seconds."""
    mfa: bool = False

    @property
    def name(self) -> str:
        """What tells this proof from others."""
        age = "" if self.max_age is None else f"within {self.max_age} s"
        return " ".join(part for part in (*self.contexts, "mfa" if self.mfa else "", age) if part)

    def parameters(self, *, at_entra: bool) -> dict[str, str]:
        """Return what asks for it in an authorization request, `claims` apart."""
        asked = {} if self.max_age is None else {"max_age": str(self.max_age)}
        if self.mfa and not at_entra:
            asked["acr_values"] = " ".join(sorted(MULTI_FACTOR_ACRS))
        return asked

    def claims(self, *, at_entra: bool) -> Mapping[str, Any]:
        """Return what asks for it in the `claims` parameter (OpenID Connect Core section 5.5)."""
        wanted: dict[str, Any] = {}
        if self.contexts:
            values: dict[str, Any] = {"values": list(self.contexts)}
            wanted["acrs"] = {"essential": True, **(values if self.contexts[1:] else {"value": self.contexts[0]})}
        elif self.mfa and at_entra:
            wanted["amr"] = {"essential": True, "values": ["mfa"]}
        if self.max_age is not None or self.mfa:
            wanted["auth_time"] = {"essential": True}
        return {"id_token": wanted} if wanted else {}


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A step-up that was asked of one person, in the address that begins it."""

    at: datetime
    user_key: str
    proof: Proof
    return_to: str | None
    """Where they come back to; None where only the page knows that asks."""


class StepUps:
    """Seals what was asked into addresses and opens it again."""

    def __init__(self, sealer: Sealer, on_hold: Interruptions, *, clock: Clock) -> None:
        self.on_hold = on_hold
        """The requests that wait meanwhile."""
        self._sealer = sealer
        self._clock = clock

    def seal(self, session: Session, proof: Proof, *, return_to: str | None) -> str:
        """Return what is asked of a session's person as the value of a parameter."""
        asked = Asked(self._clock(), session.user.key, proof, return_to)
        return self._sealer.seal_text(msgspec.msgpack.encode(asked), purpose=PURPOSE, bound_to=())

    def open(self, text: str) -> Asked | None:
        """Return what was asked; None when it was not sealed here, or is too old."""
        plain = self._sealer.open_text(text, purpose=PURPOSE, bound_to=()) if len(text) <= LONGEST else None
        if plain is None:
            return None
        try:
            asked = msgspec.msgpack.decode(plain, type=Asked)
        except msgspec.MsgspecError:
            return None
        return asked if self._clock() - asked.at < LIFETIME else None

    def in_vain(self, session: Session, proof: Proof) -> bool:
        """Say whether the session's sign-in was asked for this a moment ago: to ask again would be a loop."""
        patience = JUST_NOW if proof.max_age is None else min(JUST_NOW, timedelta(seconds=proof.max_age))
        return proof.name in session.record.asked and self._clock() - session.created_at < patience

    def asked_before(self, session: Session | None) -> tuple[str, ...]:
        """Return what the sign-ins of the last moments were asked for."""
        lately = session is not None and self._clock() - session.created_at < JUST_NOW
        return session.record.asked if session and lately else ()


def proof_of(error: StepUpRequired) -> Proof:
    """Return what would meet the rule that was not met."""
    return Proof(error.contexts, error.max_age, error.mfa)


def both(challenge: str | None, proof: Mapping[str, Any]) -> str | None:
    """Return the `claims` parameter for a challenge that waits and a proof; the challenge has precedence."""
    wanted: dict[str, Any] = json.loads(challenge) if challenge else {}
    for token, claims in proof.items():
        before = wanted.get(token)
        wanted[token] = {**claims, **before} if isinstance(before, dict) else claims
    return json.dumps(wanted, separators=(",", ":")) if wanted else None
