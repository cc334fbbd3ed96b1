"""What our programs load: whoever imports this has it all, and what is forked from it loads its application only."""

import gc
from importlib import import_module
from pkgutil import walk_packages

import entrada_emulator

import entrada

OTHERS = (
    "fastapi",
    "jinja2.ext",
    "msal",
    "rich.markdown",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "typer.rich_utils",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.main",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
)
NOT_LOADED = {"__main__", "pytest_plugin", "migrations"}  # they do something, or want what runs nothing

for package in (entrada, entrada_emulator):
    for found in walk_packages(package.__path__, f"{package.__name__}."):
        if not set(found.name.split(".")) & NOT_LOADED:
            import_module(found.name)
for name in OTHERS:
    import_module(name)
gc.collect()
gc.freeze()  # what is here stays; a fork need not look through it, nor write to its pages
