"""The log of many rows, as administrators look for few of them: pages that end before the log does say so."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from entrada_emulator.issuing.keys import SigningKey
from sqlalchemy import insert

from entrada.audit.rows import row_of
from entrada.events import Event
from entrada.users.tables import audit
from tests.administration.conftest import new_schema
from tests.administration.site import ADA, ADMIN, AdminSite, administered, promote
from tests.administration.test_console import opens

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
ROWS = 25_600  # some more than a page looks at
AT_ONCE = 3_200
RARE, OFTEN = "192.0.2.9", "192.0.2.8"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def far(
    request: pytest.FixtureRequest, entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AdminSite]:
    """The application, with many rows of long ago; of the two oldest one is a failure at a rare address."""
    on_server = request.param == "postgresql"
    values = {"database_url": new_schema(request.getfixturevalue("postgresql"))} if on_server else {}
    data_dir = tmp_path_factory.mktemp("far")
    async with administered(entra_keys, data_dir, console=True, limits=False, **values) as site:
        await promote(site, ADA)
        for first in range(0, ROWS, AT_ONCE):
            rows = [_row(number) for number in range(first, first + AT_ONCE)]
            await site.house.database.run_at_once(lambda connection, rows=rows: connection.execute(insert(audit), rows))
        yield site


def _row(number: int) -> dict[str, Any]:
    event = Event("sign_in_failed" if number == 0 else "sign_in", at=BEGIN, reason="needle" if number == 1 else None)
    at, address = BEGIN + timedelta(seconds=number), RARE if number < 2 else OFTEN
    chain = {"id": 10_000_000 + number, "key_id": "k", "hash": b"h" * 32, "mac": b"m" * 32}
    return row_of(event, person=None, label=None) | {"at": at, "address": address} | chain


async def test_a_page_says_how_far_it_has_looked(far: AdminSite) -> None:
    """ADM-2, REL-071: by the API; `next` goes on there, and what was far back is on the page after."""
    ada = await far.of(ADA)

    async def page(**asked: str) -> dict[str, Any]:
        answer = await ada.get(f"{ADMIN}/audit-logs", params={"until": "2020-12-31", **asked})
        found: dict[str, Any] = answer.json()
        return found

    first = await page(q="needle")
    assert (first["logs"], first["total"], first["total_is_least"]) == ([], 0, True)
    until = datetime.fromisoformat(first["looked_until"])
    assert BEGIN < until < BEGIN + timedelta(seconds=ROWS)
    second = await page(q="needle", after=first["next"])
    assert [row["reason"] for row in second["logs"]] == ["needle"]
    assert (second["next"], second["looked_until"]) == (None, None)
    rare = await page(action="sign_in", address=RARE)
    assert [row["reason"] for row in rare["logs"]] == ["needle"], "the rare one of both leads there at once"
    assert (rare["total"], rare["total_is_least"], rare["looked_until"]) == (1, False, None)


async def test_the_console_says_how_far_it_has_looked(far: AdminSite) -> None:
    """ADM-3: nothing was found yet, until when was looked, and a link that looks further back."""
    ada = await far.of(ADA)
    first = await opens(ada, "/admin/audit?q=needle&until=2020-12-31")
    assert "Nothing fits since 1 Jan 2020" in first.text
    assert "Entries not counted" in first.text
    assert "Next page" not in first.text
    second = await opens(ada, first.link("Look further back"))
    assert "needle" in second.text
    assert "Look further back" not in second.text
