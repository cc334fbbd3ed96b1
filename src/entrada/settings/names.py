"""The names in the environment and in `.env` that settings are read from, and those that are nearly one of them."""

import difflib
import os
import re
from collections.abc import Collection, Iterator
from typing import get_args

from pydantic import AliasChoices, SecretStr

from entrada.settings import env_file
from entrada.settings.values import PREFIX, Values

NEAR = 0.9  # a letter or two wrong, missing or too many, as names are long
OF_OTHERS = frozenset({"AZURE_FEDERATED_TOKEN"})
"""Names of other tools that are that near."""
OF_A_SERVICE = re.compile(
    rf"({PREFIX[:-1]}(?:_[A-Z0-9]+)*?)"
    r"_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)
"""What Kubernetes puts into every container of a namespace for a Service called `entrada`, or `entrada-…`."""


IN_FILE = "_FILE"
"""What follows a name where it is a file that says it; see `secret_files`."""
MAY_HOLD_A_SECRET = frozenset({"store", "database_url"})
"""Settings that are addresses, in which a password may be."""


def settings_by_name() -> dict[str, str]:
    """Map every name that a setting is read from, in upper case, to the setting's own."""
    names: dict[str, str] = {}
    for name, field in Values.model_fields.items():
        names[PREFIX + name.upper()] = name
        if isinstance(field.validation_alias, AliasChoices):
            names |= {str(choice).upper(): name for choice in field.validation_alias.choices}
    return names


def names_of(setting: str) -> list[str]:
    """Return every name that a setting is read from, ours first."""
    return [name for name, each in settings_by_name().items() if each == setting]


def secret_settings() -> frozenset[str]:
    """Return the settings that may be in a file of their own; the key ring has a setting for its file."""
    kinds = {name: {field.annotation, *get_args(field.annotation)} for name, field in Values.model_fields.items()}
    return frozenset(name for name, kind in kinds.items() if SecretStr in kind and name != "keys") | MAY_HOLD_A_SECRET


def known_names() -> frozenset[str]:
    """Return every name in the environment that a setting, or the file with it, is read from."""
    in_files = {name + IN_FILE for setting in secret_settings() for name in names_of(setting)}
    return frozenset(settings_by_name()) | in_files


def given_names() -> frozenset[str]:
    """Return every name in the environment and in `.env`, in upper case, whoever reads it."""
    lines = env_file.bindings()
    return frozenset(name.upper() for name in (*os.environ, *(line.key or "" for line in lines)))


def unknown() -> Iterator[str]:
    """Name each of ours that no setting reads, with the nearest that one does (SEC-184)."""
    known = known_names()
    given = given_names()
    for name in sorted(given - known):
        if name.startswith(PREFIX) and not _is_of_a_service(name, given):
            near = difflib.get_close_matches(name, known, n=1)
            yield f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else "")


def near_misses(given: Collection[str]) -> Iterator[str]:
    """Name each that is nearly a customary one, such as AZURE_CLIENTSECRET, where that setting is not in `given`.

    The customary names are not ours alone, so whoever means another tool by it is refused nothing.
    """
    settings = settings_by_name()
    customary = {_bare(name): name for name in settings if not name.startswith(PREFIX)}
    for name in sorted(given_names() - known_names() - OF_OTHERS):
        near = difflib.get_close_matches(_bare(name), customary, n=1, cutoff=NEAR)
        if near and settings[customary[near[0]]] not in given and not name.startswith(PREFIX):
            yield f"{name}: no setting is read from it; did you mean {customary[near[0]]}?"


def _is_of_a_service(name: str, given: Collection[str]) -> bool:
    found = OF_A_SERVICE.fullmatch(name)
    return found is not None and f"{found[1]}_SERVICE_HOST" in given


def _bare(name: str) -> str:
    return name.replace("_", "")
