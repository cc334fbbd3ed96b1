"""Links to sign in that say how: only the application can make them, and nobody can change one (SEC-006)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import HTTPConnection

from entrada.flows.signing_in import wishes
from entrada.flows.signing_in.wishes import Prompt
from entrada.web.context import Context, context_of


class LinkMaker:
    """Makes links for one request: `sign_in_link(prompt="select_account", return_to="/reports")`."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def __call__(
        self,
        *,
        return_to: str | None = None,
        prompt: Prompt | None = None,
        max_age: timedelta | None = None,
        claims: Mapping[str, Any] | None = None,
        login_hint: str | None = None,
        domain_hint: str | None = None,
    ) -> str:
        """Return an address of ours that begins a sign-in so, good for a day; ValueError for what cannot be asked.

        `max_age` is held against `auth_time` of the ID token: an older sign-in is refused, as is a token without it.
        """
        house = self._context.house
        wish = wishes.made(
            prompt=prompt, max_age=max_age, claims=claims, login_hint=login_hint, domain_hint=domain_hint
        )
        query = {"return_to": return_to} if return_to else {}
        return f"{house.path('login')}?{urlencode({**query, 'with': house.sign_in.wishes.seal(wish)})}"


async def link_maker(connection: HTTPConnection) -> LinkMaker:
    """Return what makes links for this request."""
    return LinkMaker(context_of(connection.scope))


SignInLink = Annotated[LinkMaker, Depends(link_maker)]
"""Makes a link to sign in with `prompt`, `max_age`, `claims`, `login_hint` and `domain_hint` of the application's."""
