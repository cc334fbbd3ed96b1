"""The person as the authority tells them at a renewal: from the next request on that counts (SEC-134).

A session lasts for days, and the roles of its sign-in would last as long. A renewed ID token names those of today; and
whoever the application's rule, the directory or the table of tenants lets in no more is out.
"""

from dataclasses import replace
from typing import Any

from entrada.errors import SignInRefused, StoreUnavailable
from entrada.flows.signing_in.provisioning import Provisioning
from entrada.logs import log
from entrada.principal import User
from entrada.provider.tokens.identity import user_from
from entrada.provider.tokens.validate import Claims
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.session import Session

PROVEN = ("auth_time", "amr", "acrs", "acr", "sid", "login_hint")
NAMES = ("name", "username", "email")
MOST_COLLISIONS = 5  # with other changes of the session; the next renewal follows too


class PersonNow:
    """Follows what is said of people who are signed in."""

    def __init__(self, sessions: Sessions, provisioning: Provisioning) -> None:
        self._sessions = sessions
        self._provisioning = provisioning

    async def follow(self, session: Session, told: Claims) -> None:
        """Let the session's person be as they are told now; what their sign-in has proven stays as it was.

        SignInRefused when they may not come in any more. What cannot be found out now changes nothing: who is in stays
        in while the users' database is down.
        """
        for _ in range(MOST_COLLISIONS):
            present = await self._sessions.by_key(session.key)
            admitted = await self._admitted(present.user, told) if present else None
            if present is None or admitted is None or await self._sessions.retell(present, admitted):
                return

    async def _admitted(self, before: User, told: Claims) -> User | None:
        """Return the person as they are admitted now; None when that cannot be found out."""
        try:
            return await self._provisioning.readmit(as_told(before, told))
        except SignInRefused:
            raise
        except StoreUnavailable as error:
            log.warning("person_not_followed", reason=str(error))
        except Exception:  # the application's rule, which must not cost anybody a renewal
            log.exception("person_not_followed")
        return None


def as_told(before: User, claims: Claims) -> User:
    """Return the person of a session as the claims of a renewal tell them.

    What the sign-in has proven stays, and so does a name that is not told again. At Entra a claim that is not there
    says that there are no roles and no groups; other providers may tell less at a renewal than at a sign-in.
    """
    told = user_from(claims)
    kept: dict[str, Any] = {name: getattr(before, name) for name in PROVEN}
    kept |= {name: getattr(before, name) for name in NAMES if not getattr(told, name)}
    if claims.tenant_id is None:
        claimed = {"roles": before.roles - before.granted, "groups": before.groups}
        kept |= {name: value for name, value in claimed.items() if name not in claims.values}
    return replace(told, **kept)
