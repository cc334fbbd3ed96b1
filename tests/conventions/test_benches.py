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
from bench import timing
from bench.contender import CONTENDERS, Contender

FEW = 3
FEW_SESSIONS = 450  # one of 200 is made to expire, ten are looked for as due


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have everything done a few times only; the benches silence our log, which later tests want."""
    level = logging.getLogger("entrada").level
    for module, name in (("bearer", "MORE_THAN_ARE_REMEMBERED"), ("flat", "MORE_THAN_ARE_REMEMBERED"),
                         ("floors", "MORE_THAN_ARE_REMEMBERED"), ("crowd", "CALLERS"), ("ours", "CALLERS"),
                         ("in_process", "CALLS")):  # fmt: skip
        monkeypatch.setattr(f"bench.{module}.{name}", FEW)
    monkeypatch.setattr("bench.ours.MANY", 2 * FEW)
    for function in (timing.micros, timing.micros_of):
        monkeypatch.setattr(function, "__kwdefaults__", {"calls": 1, "rounds": 1})
    monkeypatch.setattr(timing.beside, "__kwdefaults__", {"rounds": 4})
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


def test_a_store_is_filled_and_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is filled by hand has what the store makes, is looked up, searched and swept."""
    from bench import places, stores

    for name, value in (("CALLS", FEW), ("ROUNDS", 1), ("LOOK_UP_PAUSE", 0)):
        monkeypatch.setattr(f"bench.stores.{name}", value)
    monkeypatch.setattr("bench.population.BY_INSERT", FEW)
    seen, clock = stores.Seen(), places.Clock()

    async def measured() -> None:
        async with places.sqlite(clock) as place:
            measuring = stores._Measuring(place, clock=clock, seen=seen)
            await measuring.fill(FEW_SESSIONS)
            await measuring.look_ups()
            await measuring.due()
            await measuring.sweep()

    asyncio.run(measured())
    ((*_, swept, _batches, _half, _most, _meanwhile, _alone),) = seen.sweeps
    assert swept == "3"
