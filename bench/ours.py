"""Entrada with everything on, as `Entrada().install(app)` leaves it, and one person signed in."""

from pathlib import Path

from fastapi import FastAPI

from bench.contender import PATH, Prepared
from bench.signed_in import PERSON, opened
from entrada import CurrentUser, Entrada, Settings, keyring


def _application(settings: Settings) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    Entrada(settings).install(app)

    @app.get(PATH)
    async def hello(user: CurrentUser) -> dict[str, str]:
        return {"hello": user.name}

    return app


def _settings(folder: str, store: str) -> Settings:
    return Settings.load(
        tenant_id=PERSON.tenant_id,
        authority="https://localhost:1/" + str(PERSON.tenant_id),  # nobody is asked: a session needs no authority
        client_id="9c1b9a9e-0000-4000-8000-000000000003",
        keys=keyring.generate(),
        data_dir=folder,
        store=store,
    )


async def on_sqlite(folder: str) -> Prepared:
    """Prepare the default: sessions in a SQLite file."""
    store = f"sqlite:{folder}/sessions.db"
    settings = _settings(folder, store)
    async with opened(store, Path(folder), settings.keys_text()) as desk:
        session_id, _ = await desk.sessions.begin(PERSON, tokens=b"t" * 5500)
    return Prepared(_application(settings), {"cookie": f"entrada={session_id}"})


async def in_memory(folder: str) -> Prepared:
    """Prepare sessions in memory; the person is put there through the application's own sessions."""
    from entrada.web.middleware.gate import Gate

    app = _application(_settings(folder, "memory:"))
    gate = next(layer for layer in app.user_middleware if layer.cls is Gate)
    session_id, _ = await gate.kwargs["house"].sessions.begin(PERSON, tokens=b"t" * 5500)
    return Prepared(app, {"cookie": f"entrada={session_id}"})
