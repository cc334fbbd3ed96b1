"""The base: the same endpoint in FastAPI without any protection."""

from fastapi import FastAPI

from bench.contender import PATH, Prepared


async def build(_folder: str) -> Prepared:
    """Return an application that greets anybody."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get(PATH)
    async def hello() -> dict[str, str]:
        return {"hello": "Ada"}

    return Prepared(app)
