"""The resource API of example B: it knows no cookie and no session, only access tokens, and verifies each."""

from typing import Annotated, Any

from fastapi import FastAPI

from entrada import Entrada, User, requires, scope

app = FastAPI(title="Orders", openapi_url=None)
Entrada().install(app)


@app.get("/protected")
async def protected(user: Annotated[User, requires(scope("Orders.Read"))]) -> dict[str, Any]:
    """Return what is only for this person, and who asked for it in their name."""
    return {"orders": ["2 × oak desk", "1 × reading lamp"], "for": user.name, "with": sorted(user.scopes)}
