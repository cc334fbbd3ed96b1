"""The base: the same endpoint in FastAPI without any protection."""

from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from bench.contender import PATH, Prepared
from bench.signed_in import PERSON
from entrada import User


async def build(_folder: str) -> Prepared:
    """Return an application that greets anybody."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get(PATH)
    async def hello() -> dict[str, str]:
        return {"hello": "Ada"}

    return Prepared(app)


async def with_dependency(_folder: str) -> Prepared:
    """Return the same with the least that a protected endpoint takes: FastAPI's own share of the rows below."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def somebody(_connection: HTTPConnection) -> User:
        return PERSON

    @app.get(PATH)
    async def hello(user: Annotated[User, Depends(somebody)]) -> dict[str, str]:
        return {"hello": user.name}

    return Prepared(app, [{"cookie": "entrada=" + "a" * 43}])
