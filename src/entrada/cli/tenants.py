"""`entrada tenants`: which organisations have been on-boarded, and the operator's word on each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

import typer

from entrada.clock import system_clock
from entrada.errors import SettingsRefused
from entrada.flows.suspension import TenantSessions
from entrada.sessions.ended import EndedSessions
from entrada.sessions.keyfile import load_or_create_ring
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.opening import may_forget, open_store, visible
from entrada.sessions.sealing import Sealer
from entrada.settings import Settings
from entrada.settings_faults import GUID, MANY_TENANTS
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.ended_sessions import EndedSessionLedger
from entrada.users.tenants import Tenant, TenantTable

tenants = typer.Typer(help="The organisations whose people may sign in.", no_args_is_help=True)
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's GUID.")]
T = TypeVar("T")


@tenants.command(name="list")
def show() -> None:
    """Show every tenant that was on-boarded, approved or suspended, and those that the settings let in."""
    settings = _settings()
    for tenant_id in settings.tenants:
        typer.echo(f"{tenant_id.lower()}  in settings")
    if settings.any_tenant:
        typer.echo("every organisation is let in by any_tenant, but for those that are suspended here")
    found = _with_database(settings, lambda database: TenantTable(database).all())
    for tenant in found:
        typer.echo(_line(tenant))
    if not found:
        typer.echo("no tenant has been on-boarded yet")


@tenants.command()
def approve(tenant: TenantId) -> None:
    """Let the people of a tenant sign in, also one that was suspended or has not been on-boarded yet."""
    settings, tenant_id = _settings(), _guid(tenant)
    _decide(settings, tenant_id, "approved")
    typer.echo(f"{tenant_id} is approved: its people can sign in.")
    if settings.onboarding == "off" and tenant_id not in map(str.lower, settings.tenants) and not settings.any_tenant:
        typer.echo("It is not let in all the same: ENTRADA_ONBOARDING is off, and ENTRADA_TENANTS does not name it.")


@tenants.command()
def suspend(tenant: TenantId) -> None:
    """Let nobody of a tenant sign in, and end what its people have open."""
    settings, tenant_id = _settings(), _guid(tenant)
    _decide(settings, tenant_id, "suspended")
    typer.echo(f"{tenant_id} is suspended: none of its people can sign in.")
    if not visible(settings.store, data_dir=settings.data_dir):
        typer.echo("What its people have open ends within seconds, in the running application.")
        return
    ended = _with_database(settings, lambda database: _end_sessions(settings, database, tenant_id))
    typer.echo(f"{ended} sessions were ended. Bearer tokens are refused within seconds.")


def _settings() -> Settings:
    settings = Settings.load()
    if (settings.tenant_id or "").lower() not in MANY_TENANTS:
        raise SettingsRefused(["tenant_id: names one tenant; these commands are for organizations or common"])
    return settings


def _guid(text: str) -> str:
    tenant_id = text.strip().lower()
    if not GUID.fullmatch(tenant_id):
        raise SettingsRefused(["TENANT: must be the tenant's GUID; a domain can change hands"])
    return tenant_id


def _line(tenant: Tenant) -> str:
    contact = tenant.contact or "-"
    shown = contact if contact.isprintable() else repr(contact)
    return f"{tenant.tenant_id}  {tenant.status:<9}  {tenant.changed_at:%Y-%m-%d %H:%M} UTC  {shown}"


def _decide(settings: Settings, tenant_id: str, status: Literal["approved", "suspended"]) -> None:
    _with_database(settings, lambda database: TenantTable(database).decide(tenant_id, status, at=system_clock()))


async def _end_sessions(settings: Settings, database: Database, tenant_id: str) -> int:
    """End the tenant's sessions in the store of all workers."""
    ring = load_or_create_ring(settings)
    ended = EndedSessions(EndedSessionLedger(database), clock=system_clock) if may_forget(settings.store) else None
    store = open_store(settings.store, data_dir=settings.data_dir, clock=system_clock, ended=ended)
    try:
        if ended is not None:
            await ended.refresh()
        await store.prepare()
        sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=system_clock)
        return await TenantSessions(Directory(database), sessions.end_all_of, clock=system_clock).end(tenant_id)
    finally:
        await store.close()


def _with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do the work on the users' database of the settings, and let go of it."""

    async def run() -> T:
        database = Database(settings.database_url, data_dir=settings.data_dir)
        try:
            await database.bring_up()
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
