"""Whatever the provider calls somebody, they can sign in, and look like nobody else (USR-1, SEC-131)."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra

from tests.front_door import BASE, running
from tests.servers import postgres_server

MIA = "mia@birch.example"
LONG = "".join(map(chr, range(0x4E00, 0x4E00 + 1000)))
NAMES = {
    "a NUL": ("Mia\0Member", "Mia Member"),
    "lines and escapes": ("Mia\r\n\x1b[31mMember\x85", "Mia   [31mMember "),
    "turned around": ("Mia \u202egro.elpmaxe\u2066", "Mia  gro.elpmaxe "),
    "joiners that names have": ("می\u200cنا", "می\u200cنا"),
    "a thousand characters": (
        "".join(map(chr, range(0x4E00, 0x4E00 + 1000))),
        "".join(map(chr, range(0x4E00, 0x4F00))),
    ),
    "an apostrophe and a tag": ("Mia O'<b>Member", "Mia O'<b>Member"),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    with ExitStack() as stack:
        yield stack.enter_context(postgres_server()).url if request.param == "postgresql" else None


def named(keys: tuple[SigningKey, ...], name: str) -> Entra:
    """A tenant in which Mia has this name."""
    known = default_world()
    users = tuple(replace(each, display_name=name) if each.user_principal_name == MIA else each for each in known.users)
    return new_entra(World(known.tenants, users, known.groups, known.applications), keys=keys)


async def test_usr_1_any_name_signs_in(
    entra_keys: tuple[SigningKey, ...], tmp_path: Path, database: str | None
) -> None:
    """USR-1, SEC-131: no name keeps its person out; what would break a line or a database is a blank."""
    for number, (name, expected) in enumerate(NAMES.values()):
        entra = named(entra_keys, name)
        async with running(entra, tmp_path / str(number), database_url=database) as door:
            browser = await door.signed_in(MIA)
            told: dict[str, Any] = (await browser.fetch(f"{BASE}/api/auth/me")).json()
            assert (told["name"], told["username"]) == (expected, MIA)
