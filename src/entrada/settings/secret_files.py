"""Secrets in files, as containers and Kubernetes hand them out: NAME_FILE names the file with what NAME would say.

For settings that are secrets, or addresses that may have one in them (SEC-173). They are read at the start.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from entrada.settings import env_file
from entrada.settings.names import IN_FILE, given_names, names_of, secret_settings

MOST_BYTES = 64 * 1024  # a secret is some tens of bytes; whoever names a disk image has made a mistake


@dataclass(slots=True)
class FromFiles:
    """What files say, by setting, and what is wrong with them; no fault repeats a content, or a path."""

    values: dict[str, str] = field(default_factory=dict, repr=False)
    faults: list[str] = field(default_factory=list)


def read(*, without: Collection[str]) -> FromFiles:
    """Read what is named in the environment or in `.env`, but for the settings `without`, which have their value."""
    found, given = FromFiles(), given_names()
    for setting in sorted(secret_settings() - set(without)):
        named = [name for name in names_of(setting) if name + IN_FILE in given]
        if not named:
            continue
        said = [name for name in names_of(setting) if name in given]
        if said or len(named) > 1:
            both = " and ".join([*said, *(name + IN_FILE for name in named)])
            found.faults.append(f"{setting}: {both} are set; keep one of them")
            continue
        name = named[0] + IN_FILE
        try:
            found.values[setting] = _content(Path(_given(name)))
        except OSError as error:
            found.faults.append(f"{setting}: the file that {name} names cannot be read ({error.strerror})")
        except ValueError as error:
            found.faults.append(f"{setting}: the file that {name} names {error}")
    return found


def _given(name: str) -> str:
    """Return what a variable says: the environment's before `.env`'s, in whichever case."""
    environment = {each.upper(): value for each, value in os.environ.items()}
    return environment.get(name) or env_file.as_written(env_file.FILE).get(name.lower()) or ""


def _content(path: Path) -> str:
    """Return what the file says, without the line end that editors put there; ValueError says what is wrong with it."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("is over 64 KiB: no secret")
    try:
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    if not text.strip():
        raise ValueError("is empty")
    return text
