"""The command line: `entrada-emulator serve`."""

import asyncio
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from entrada_emulator.directory.model import Application
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.directory.world_checks import WorldError, with_redirect_uris
from entrada_emulator.directory.world_file import load_world
from entrada_emulator.inspector.views import FLOWS
from entrada_emulator.wire.environment import (
    as_lines,
    default_application,
    environment,
    refuse_to_lose,
    write_lines,
)
from entrada_emulator.wire.safety import RefusedToStart, refuse_production
from entrada_emulator.wire.serving import Address, Service, prepare, serve_until_signalled

REFUSED = 2
CA_ADVICE = "# Trust the certificate authority only in processes that talk to the emulator."

MOST_PORT = 65535
cli = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def _tell_version(wanted: bool) -> None:
    if wanted:
        try:
            installed = version("entrada-emulator")
        except PackageNotFoundError:
            installed = "from its source"
        typer.echo(f"entrada-emulator {installed}, Python {platform.python_version()}")
        raise typer.Exit


@cli.callback()
def about(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """An offline Microsoft Entra tenant that real MSAL clients accept. For development and tests only."""


@cli.command()
def serve(
    *,
    world: Annotated[Path | None, typer.Option(help="The directory, YAML; without it the built-in one.")] = None,
    https_port: Annotated[int, typer.Option(min=0, max=MOST_PORT, help="Port for clients; 0 takes a free one.")] = 8443,
    http_port: Annotated[int, typer.Option(min=0, max=MOST_PORT, help="Port for people; 0 takes a free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to bind.")] = "127.0.0.1",
    name: Annotated[str, typer.Option(help="Host name in every URL.")] = "localhost",
    data_dir: Annotated[Path, typer.Option(help="Keeps the certificate authority.")] = Path(".entrada-emulator"),
    env_file: Annotated[
        Path | None, typer.Option(help="Also write the environment lines here; other lines in it stay.")
    ] = None,
    client: Annotated[str | None, typer.Option(help="Client id of the application the lines are for.")] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Also registered for that application; may be repeated.")
    ] = None,
    dangerously_bind_any_address: Annotated[
        str | None, typer.Option(help="Why other machines may reach it, in your words.")
    ] = None,
) -> None:
    """Serve the emulator on https for clients and http for people until Ctrl-C."""
    address = Address(
        host=host,
        name=name,
        https_port=https_port,
        http_port=http_port,
        dangerously_bind_any_address=dangerously_bind_any_address,
    )
    try:
        refuse_production(os.environ)
        if env_file:
            refuse_to_lose(env_file)
        directory = load_world(world) if world else default_world()
        application = _chosen(directory, client)
        if redirect_uri:
            directory = with_redirect_uris(directory, application, tuple(redirect_uri))
        service = prepare(directory, address=address, data_dir=data_dir)
        variables = environment(service, application)
        if env_file:
            write_lines(env_file, variables)
    except (RefusedToStart, WorldError, OSError) as refused:
        typer.echo(f"entrada-emulator refuses to start:\n{refused}", err=True)
        raise typer.Exit(REFUSED) from None
    ready = _greeting(service, directory, as_lines(variables))
    asyncio.run(serve_until_signalled(service, on_ready=lambda: typer.echo(ready)))


def main() -> None:
    """The console script."""
    cli()


def _chosen(world: World, client_id: str | None) -> Application:
    if client_id is None:
        return default_application(world)
    application = world.application(client_id)
    if application is None:
        raise RefusedToStart(f"--client {client_id}: no application has this client id")
    return application


def _greeting(service: Service, world: World, lines: str) -> str:
    applications = "\n".join(
        f"  {one.client_id}  {one.display_name:<20} {one.kind:<6} {_directory_of(world, one)}"
        for one in world.applications
    )
    people = "\n".join(
        f"  {user.user_principal_name:<42} {user.password:<22} {user.note}" for user in world.users if not user.is_guest
    )
    return (
        "Entrada Emulator (not Microsoft) is ready: "
        f"{service.public_origin} for clients, {service.pages_origin} for people\n"
        f"Every sign-in drawn, each value explained: {service.pages_origin}{FLOWS}\n"
        f"\n{CA_ADVICE}\n{lines}\n"
        f"Applications ({service.pages_origin}/ shows their redirect URIs; --client ID prints the lines of another):\n"
        f"{applications}\n\nWho can sign in:\n{people}\n\nCtrl-C stops it."
    )


def _directory_of(world: World, application: Application) -> str:
    tenant = world.tenant(application.tenant_id)
    return tenant.display_name if tenant else application.tenant_id
