"""A session store whose calls are spans: for stores on a server, and only where traces are wanted."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from entrada import tracing
from entrada.sessions.stores.store import SessionStore

TRACED = frozenset(
    {"get", "get_tokens", "insert", "replace", "replace_tokens", "delete", "by_user", "by_sid", "add_if_absent"}
)


def traced_store(store: SessionStore, *, kind: str) -> SessionStore:
    """Return the store with a span around each call that a request waits for; `kind` names the server's."""
    return cast("SessionStore", _Traced(store, kind))


class _Traced:
    def __init__(self, store: SessionStore, kind: str) -> None:
        self._store = store
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name in TRACED:
            found = self._spanned(name, found)
            self.__dict__[name] = found
        return found

    def _spanned(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def spanned(*args: Any, **kwargs: Any) -> Any:
            with tracing.span(f"session store {name}", kind="client", db__system__name=self._kind):
                return await call(*args, **kwargs)

        return spanned
