"""A secret is not shown by the object that carries it: not in a traceback's values, a debugger's log, an assertion."""

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator

import msgspec
import pytest

import entrada

SECRET = re.compile(
    r"(^|_)(state|nonce|code|code_verifier|verifier|tokens?|id_token|access_token|refresh_token|secret|password|sealed|"
    r"session_id|blob|signature|signing_input|payload|login_hint|sid|client_info|assertion)$"
)
NOTHING_SECRET = {
    ("Explanation", "code"),
    ("MsalAnswer", "status_code"),
    ("House", "tokens"),
    ("Census", "tokens"),
    ("Progress", "tokens"),
}
"""An error's code, a status, the part that gives tokens, and how many there are."""


def carriers() -> Iterator[tuple[type, str, bool]]:
    """Yield each field with a secret's name, and whether its class shows it."""
    for module in pkgutil.walk_packages(entrada.__path__, "entrada."):
        if ".migrations" in module.name:
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if not isinstance(kind, type) or kind.__module__ != module.name:
                continue
            if dataclasses.is_dataclass(kind):
                yield from ((kind, each.name, each.repr) for each in dataclasses.fields(kind))
            elif issubclass(kind, msgspec.Struct):
                own = "__repr__" in vars(kind)
                yield from ((kind, each.name, not own) for each in msgspec.structs.fields(kind))


FIELDS = [(kind, name, shown) for kind, name, shown in carriers() if SECRET.search(name)]


@pytest.mark.parametrize(("kind", "name", "shown"), FIELDS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_repr(kind: type, name: str, shown: bool) -> None:
    """SEC-146, SEC-173: a field with a secret's name is left out of its object's repr."""
    assert not shown or (kind.__name__, name) in NOTHING_SECRET, f"{kind.__name__}.{name} is shown"


def test_there_are_such_fields() -> None:
    """The control: the search finds the known ones."""
    found = {(kind.__name__, name) for kind, name, _ in FIELDS}
    assert found >= {
        ("Transaction", "state"),
        ("CodeGrant", "code"),
        ("User", "login_hint"),
        ("SignedIn", "session_id"),
    }
