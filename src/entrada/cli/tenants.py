"""`entrada tenants`: which organisations have been on-boarded, and the operator's word on each."""

import asyncio
from typing import Annotated

import typer

from entrada.cli.opened import actor, with_all
from entrada.errors import SettingsRefused
from entrada.flows.admin.tenancy import Decision
from entrada.sessions.stores.opening import visible
from entrada.settings import Settings
from entrada.users.database import Database
from entrada.users.tenants import Tenant, TenantTable
from entrada.well_known import GUID, MANY_TENANTS

tenants = typer.Typer(help="The organisations whose people may sign in.", no_args_is_help=True)
TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's GUID.")]


@tenants.command(name="list")
def show() -> None:
    """Show every tenant that was on-boarded, approved or suspended, and those that the settings let in."""
    settings = _settings()
    for tenant_id in settings.tenants:
        typer.echo(f"{tenant_id.lower()}  in settings")
    if settings.any_tenant:
        typer.echo("every organisation is let in by any_tenant, but for those that are suspended here")
    found = asyncio.run(_found(settings))
    for tenant in found:
        typer.echo(_line(tenant))
    if not found:
        typer.echo("no tenant has been on-boarded yet")


@tenants.command()
def approve(tenant: TenantId) -> None:
    """Let the people of a tenant sign in, also one that was suspended or has not been on-boarded yet."""
    settings, tenant_id = _settings(), _guid(tenant)
    _decide(tenant_id, "approved")
    typer.echo(f"{tenant_id} is approved: its people can sign in.")
    if settings.onboarding == "off" and tenant_id not in map(str.lower, settings.tenants) and not settings.any_tenant:
        typer.echo("It is not let in all the same: ENTRADA_ONBOARDING is off, and ENTRADA_TENANTS does not name it.")


@tenants.command()
def suspend(tenant: TenantId) -> None:
    """Let nobody of a tenant sign in, and end what its people have open."""
    settings, tenant_id = _settings(), _guid(tenant)
    ended = _decide(tenant_id, "suspended")
    typer.echo(f"{tenant_id} is suspended: none of its people can sign in.")
    if not visible(settings.store, data_dir=settings.data_dir):
        typer.echo("What its people have open ends within seconds, in the running application.")
        return
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


def _decide(tenant_id: str, decision: Decision) -> int:
    """Decide as the console does, with a row of the audit log about who runs this; return how many sessions ended."""
    return with_all(lambda opened: opened.tenancy.decide(tenant_id, decision, by=actor()), may_be_first=True)


async def _found(settings: Settings) -> list[Tenant]:
    """Return the tenants of the users' database; nothing else is opened, and no key is made."""
    database = Database(settings.database_url, data_dir=settings.data_dir)
    try:
        await database.bring_up()
        return await TenantTable(database).all()
    finally:
        await database.close()
