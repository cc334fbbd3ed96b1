"""Requests that nobody means: whatever is in a path, a query, a header or a body, the answer is a refusal (SEC-177)."""

import os
import time
from collections.abc import AsyncIterator
from random import Random

import pytest
from entrada_emulator.issuing.keys import SigningKey
from starlette.routing import Route

from entrada.settings import Settings
from entrada.web.routes.table import routes
from tests.administration.conftest import new_schema
from tests.administration.mutated_runs import Run, listening, part_of
from tests.administration.site import ADA, AdminSite, administered, promote

SEED = int(os.environ.get("MUTATIONS_SEED", "20260105"))
MANY = int(os.environ.get("MUTATIONS", "10000"))
EVERYTHING = {"console": True, "onboarding": "approval", "metrics_token": "a" * 40, "limits": False}
SEEN = {"API": {200, 400, 404, 405}, "console": {200, 303, 400, 404, 405}, "own": {200, 302, 403, 404, 405}}


def every_route(settings: Settings) -> list[Route]:
    """Return the routes; what reads much comes first, while there is little to read."""
    return sorted(
        routes(settings), key=lambda route: ("GET" not in (route.methods or ()), not route.path.endswith("/export"))
    )


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on the loop that servers have where there is one: a request goes through it fifty times."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def with_everything(
    request: pytest.FixtureRequest, entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AdminSite]:
    """The application with every route that it can have beside Entra; no limit keeps a request from them."""
    on_server = request.param == "postgresql"
    values = {"database_url": new_schema(request.getfixturevalue("postgresql"))} if on_server else {}
    async with administered(entra_keys, tmp_path_factory.mktemp("mutations"), **EVERYTHING, **values) as found:
        await promote(found, ADA)
        yield found


@pytest.mark.parametrize("rounds", [8, pytest.param(MANY, marks=pytest.mark.long)], ids=["few", "many"])
@pytest.mark.parametrize("part", list(SEEN))
async def test_no_request_breaks_anything(with_everything: AdminSite, part: str, rounds: int) -> None:
    """SEC-142, SEC-146, SEC-177: each route, asked in ways that are nearly right, answers below 500, and nothing comes
    of it: no error, no script, no formula, no secret in any log."""
    broken = list[AssertionError]()
    with listening() as heard:
        run = Run(with_everything, Random(SEED), heard)
        for route in every_route(with_everything.site.entrada.settings):
            if part_of(route) == part:
                broken += [error async for error in told(run, route, rounds=rounds)]
        await run.look_after()
    assert broken == []
    assert run.found.keys() >= SEEN[part]


async def told(run: Run, route: Route, *, rounds: int) -> AsyncIterator[AssertionError]:
    """Go on with the next route after one that fails, and say what was done: of many, it takes hours."""
    before, begun = run.found.copy(), time.process_time()
    try:
        await run.against(route, rounds=rounds)
    except AssertionError as error:
        print(f"{route.path}: {error}", flush=True)
        yield error
    found, spent = run.found - before, time.process_time() - begun
    asked = f"{', '.join(sorted(route.methods or ()))} {route.path}: {found.total()} requests"
    print(f"{asked}, {dict(found)}, {spent:.0f} s of CPU", flush=True)
