"""The benches of `make bench` still start: each part once, with few sessions and tokens; no time is looked at."""

import asyncio
import logging
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import cycle
from pathlib import Path

import pytest

import bench
from bench.contender import CONTENDERS, Contender


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """Have the benches take few of everything; what they log of is silenced, and later tests want it."""
    level = logging.getLogger("entrada").level
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BENCH_SMALL", "1")
        yield
    logging.getLogger("entrada").setLevel(level)


def there(work: Callable[[], object]) -> object:
    """Do what needs packages of others; where they are not installed, the test is skipped and says which."""
    try:
        return work()
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] in {"bench", "entrada", "entrada_emulator", "tests"}:
            raise
        pytest.skip(f"{error.name} is not installed; requirements/bench.txt has it")


@pytest.mark.parametrize("name", sorted(module.name for module in pkgutil.iter_modules(bench.__path__)))
def test_every_file_can_be_imported(name: str) -> None:
    """What they take from the library is still there, under these names."""
    there(lambda: import_module(f"bench.{name}"))


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_every_row_answers(contender: Contender, tmp_path: Path) -> None:
    """Each application is built, starts, and lets its callers in."""
    from bench.in_process import _round

    if not contender.possible:
        pytest.skip(f"{contender.needs} is not installed")

    async def called() -> None:
        prepared = await contender.prepare(str(tmp_path))
        async with prepared.app.router.lifespan_context(prepared.app):
            await _round(prepared, cycle(prepared.callers))  # RuntimeError when not each answer was 200
        if prepared.close:
            await prepared.close()

    there(lambda: asyncio.run(called()))


def test_every_part_is_measured() -> None:
    """What a request is made of, each beside its floor or peer."""
    from bench import authority_parts, bearer_parts, limit_parts, parts

    measured = (parts.verification, bearer_parts.verification, bearer_parts.remembered, authority_parts.held_token,
                authority_parts.emulator, limit_parts.decisions, lambda: asyncio.run(parts.session()))  # fmt: skip
    assert all(part() for part in measured)


def test_a_store_is_filled_and_measured() -> None:
    """A file that is filled by hand has what the store makes, is looked up, searched and swept."""
    from bench import places, stores

    seen, clock = stores.Seen(), places.Clock()

    async def measured() -> None:
        async with places.sqlite(clock) as place:
            measuring = stores._Measuring(place, clock=clock, seen=seen)
            await measuring.fill(stores.SIZES[0])
            await measuring.look_ups()
            await measuring.due()
            await measuring.sweep()

    asyncio.run(measured())
    assert [row[2] for row in seen.sweeps] == ["3"]
