"""Nobody becomes a user by saying so in a request, whatever a route's author has written by mistake."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel

from entrada import App, CurrentUser, OptionalUser, User, current_user, requires, role


def _plain(user: User) -> str:
    return user.name


def _or_none(user: User | None = None) -> str:
    return user.name if user else ""


def _alias_or_none(user: CurrentUser | None = None) -> str:
    return user.name if user else ""


def _without_requires(user: Annotated[User, role("Admin")]) -> str:
    return user.name


def _depends(user: Annotated[User, Depends()]) -> str:
    return user.name


def _depends_by_default(user: User = Depends()) -> str:
    return user.name


def _several(users: list[User]) -> int:
    return len(users)


def _application(caller: App) -> str:
    return caller.client_id


def _application_depends(caller: Annotated[App, Depends()]) -> str:
    return caller.client_id


def _answered(user: CurrentUser) -> User:
    return user


@pytest.mark.parametrize(
    "route",
    [
        _plain,
        _or_none,
        _alias_or_none,
        _without_requires,
        _depends,
        _depends_by_default,
        _several,
        _application,
        _application_depends,
        _answered,
    ],
    ids=lambda route: route.__name__,
)
def test_a_route_that_would_read_who_calls_from_the_request(route: Callable[..., Any]) -> None:
    """SEC-165: it is refused where it is defined, with what to write instead (0366); else anybody could be anybody."""
    app = FastAPI()
    with pytest.raises(TypeError, match=r"annotate the parameter with Current(User|App)\b.*requires"):
        app.post("/")(route)
    assert not [each for each in app.routes if getattr(each, "path", None) == "/"]


def test_a_body_that_holds_who_calls() -> None:
    """SEC-165: nor is a person read out of a model of the application's."""
    with pytest.raises(TypeError, match="CurrentUser"):

        class Order(BaseModel):
            user: User


def test_routes_that_ask_the_gate() -> None:
    """What asks the gate is defined as ever."""
    app = FastAPI()

    @app.post("/")
    def home(
        user: CurrentUser,
        maybe: OptionalUser,
        admin: Annotated[User, requires(role("Admin"))],
        by_default: User = Depends(current_user),
    ) -> str:
        return user.name

    assert app.openapi()["paths"]["/"]["post"].get("requestBody") is None
