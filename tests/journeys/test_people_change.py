"""An administrator changes somebody who is signed in, and the next request is another (USR-3, SEC-134, SEC-145)."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import Settings, User, requires, role
from entrada.flows.admin.administration import Actor
from entrada.web.context import House
from tests.browser import Browser
from tests.front_door import AUTH, BASE, FrontDoor, routes, running

ROOT = Actor(label="Root")


def house_of(app: FastAPI) -> House:
    """Return what the application built."""
    gate = next(layer for layer in app.user_middleware if "house" in layer.kwargs)
    house: House = gate.kwargs["house"]
    return house


def with_editors(app: FastAPI) -> None:
    routes(app)

    @app.get("/edit")
    async def edit(user: Annotated[User, requires(role("Editor"))]) -> dict[str, str]:
        return {"editor": user.name}


async def status(browser: Browser, path: str) -> int:
    return (await browser.fetch(BASE + path, headers={"accept": "application/json"})).status_code


async def test_a_granted_role_works_on_the_next_request(entra: Entra, tmp_path: Path) -> None:
    """Who was refused is let in by the next click after the grant, and refused again after it is taken back."""
    async with running(entra, tmp_path, build=with_editors) as door:
        browser, house = await door.signed_in(), house_of(door.app)
        (mia,) = (await house.administration.people.page()).people
        assert await status(browser, "/edit") == 403
        await house.administration.grant(mia.id, "Editor", by=ROOT)
        assert await status(browser, "/edit") == 200
        await house.administration.revoke(mia.id, "Editor", by=ROOT)
        assert await status(browser, "/edit") == 403
        denied = [row for row in (await house.audit.log.page()).rows if row.action == "access_denied"]
        assert [(row.person, row.resource, row.reason) for row in denied] == [
            (mia.id, "GET /edit", "insufficient_scope")
        ] * 2


async def test_who_is_deactivated_is_out_at_once(entra: Entra, tmp_path: Path) -> None:
    """The next request of every browser of theirs is nobody's, and a new sign-in is refused and written down."""
    async with running(entra, tmp_path) as door:
        first, second, house = await door.signed_in(), await door.signed_in(), house_of(door.app)
        (mia,) = (await house.administration.people.page()).people
        await house.administration.deactivate(mia.id, by=ROOT)
        assert [await status(each, "/private") for each in (first, second)] == [401, 401]
        third = await door.signed_in()
        assert await status(third, "/private") == 401
        actions = [row.action for row in (await house.audit.log.page()).rows]
        assert actions[:2] == ["sign_in_failed", "user_deactivated"]
        assert actions.count("sign_in") == 2


async def test_each_step_of_a_visit_is_in_the_log(door: FrontDoor) -> None:
    """Sign-in with Entra's `uti`, failure and sign-out are there, with the ids to find them elsewhere (BEY-9)."""
    browser = await door.signed_in()
    await browser.press("Sign out")
    await door.browser().open(f"{AUTH}/callback?state=invented&code=x")
    rows = (await house_of(door.app).audit.log.page()).rows
    assert [row.action for row in rows] == [
        "sign_in_failed",
        "sign_out",
        "sign_in",
        "keys_changed",
        "configuration_changed",
    ]
    failed, out, came, *_ = rows
    assert came.uti
    assert came.user
    assert came.label
    assert (came.person, came.correlation_id is not None) == (out.person, True)
    assert (failed.outcome, failed.reason, failed.person) == ("failure", "invalid_state", None)


async def test_what_the_application_runs_with_is_written_down_when_it_changes(entra: Entra, tmp_path: Path) -> None:
    """A start with other settings writes what has changed, and no secret; with the same, nothing (SEC-145)."""
    for idle in (60, 60, 30):
        async with running(entra, tmp_path, session_idle_minutes=idle) as door:
            rows = (await house_of(door.app).audit.log.page()).rows
    changed = [row for row in rows if row.action == "configuration_changed"]
    assert [row.details["changed"] for row in changed] == [{"session_idle_minutes": [60, 30]}, {}]
    assert door.entrada.settings.client_secret
    assert door.entrada.settings.client_secret.get_secret_value() not in repr(changed)
    assert isinstance(door.entrada.settings, Settings)


async def test_no_role_of_ours_comes_from_the_authority() -> None:
    """A token that claims the administrator's role gives none; only what was granted here does (SEC-138)."""
    user = User(issuer="https://x.example", subject="s", roles=frozenset({"entrada:admin", "Reader"}))
    assert user.with_grants(frozenset()).roles == {"Reader"}
    granted = user.with_grants(frozenset({"entrada:admin", "Reader"}))
    assert (granted.roles, granted.granted) == ({"entrada:admin", "Reader"}, {"entrada:admin"})
    assert granted.with_grants(frozenset()) == replace(user, roles=frozenset({"Reader"}))


async def test_who_is_deleted_while_they_sign_in_has_no_session(entra: Entra, tmp_path: Path) -> None:
    """A session of somebody whom the directory does not know any more would be in no list and end by nobody's hand."""
    async with running(entra, tmp_path) as door:
        house = house_of(door.app)
        async with house.database.unit_of_work() as connection:
            await connection.exec_driver_sql(  # between the sign-in's first word to the directory and its last
                "CREATE TRIGGER deleted AFTER INSERT ON entrada_device BEGIN "
                "DELETE FROM entrada_user WHERE id = NEW.user_id; END"
            )
        browser = await door.signed_in()
        assert await status(browser, "/private") == 401
        assert [event.name for event in door.events] == ["sign_in_failed"]
        async with house.database.unit_of_work() as connection:
            await connection.exec_driver_sql("DROP TRIGGER deleted")
        assert await status(await door.signed_in(), "/private") == 200
