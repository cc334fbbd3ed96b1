"""Orders, read and written by session or by token: what Swagger UI is tried on."""

from typing import Annotated

from fastapi import FastAPI

from entrada import CurrentUser, Entrada, User, any_of, in_session, requires, scope

app = FastAPI(title="Orders", redoc_url=None)
Entrada().install(app)


@app.get("/")
async def home(user: CurrentUser) -> dict[str, str]:
    return {"hello": user.name}


@app.post("/orders")
async def order(user: Annotated[User, requires(any_of(in_session(), scope("access_as_user")))]) -> dict[str, str]:
    return {"for": user.name, "by": user.way}
