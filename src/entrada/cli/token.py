"""`entrada token`: an access token for trying an API, kept in a file that only its owner reads."""

import asyncio
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from entrada.cli.grants import Got, grants, without_credentials
from entrada.clock import system_clock
from entrada.errors import AuthorityRefused, SettingsRefused
from entrada.files import own_directory, own_file, write_anew
from entrada.settings import Settings

FILE = "authorization"
PREFIX = "Authorization: Bearer "
"""The file is a header as curl reads it from a file, so that no list of processes shows the token."""

Scopes = Annotated[list[str] | None, typer.Argument(help="Scopes of one API, such as api://CLIENT-ID/access_as_user.")]
DeviceCode = Annotated[bool, typer.Option("--device-code", help="Sign in on another device.")]
ClientCredentials = Annotated[bool, typer.Option("--client-credentials", help="Get the application's own token.")]
ClientId = Annotated[str | None, typer.Option(help="The client that asks; by default the application itself.")]
Confidential = Annotated[
    bool, typer.Option("--confidential", help="Send the application's secret, for a redirect URI of the web platform.")
]
RedirectUri = Annotated[str, typer.Option(help="Where the browser comes back to; without a port a free one is taken.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Whether to open a browser.")]
File = Annotated[Path | None, typer.Option("--file", help="The file; by default `authorization` in data_dir.")]
Url = Annotated[str | None, typer.Option(help="What the curl line calls; by default the application.")]
Show = Annotated[bool, typer.Option("--show", help="Print the token; whoever sees it can use it.")]


def token(  # noqa: PLR0917 - each is an option
    scopes: Scopes = None,
    device_code: DeviceCode = False,
    client_credentials: ClientCredentials = False,
    client_id: ClientId = None,
    confidential: Confidential = False,
    redirect_uri: RedirectUri = "http://localhost",
    browser: Browser = True,
    file: File = None,
    url: Url = None,
    show: Show = False,
) -> None:
    """Get an access token and print the curl line that uses it; the settings are the application's."""
    if device_code and client_credentials:
        raise SettingsRefused(["--device-code: is another way than --client-credentials; choose one"])
    settings = Settings.load(**({"client_id": client_id} if client_id else {}))
    wanted = tuple(scopes or ()) or _scopes_of(settings, for_application=client_credentials)
    if not (confidential or client_credentials):
        settings = without_credentials(settings)

    async def get() -> Got:
        async with grants(settings, say=_say) as ways:
            if client_credentials:
                return await ways.for_the_application(wanted)
            if device_code:
                return await ways.by_device_code(wanted)
            return await ways.by_browser(wanted, redirect_uri=redirect_uri, open_browser=browser)

    try:
        got = asyncio.run(get())
    except AuthorityRefused as refused:
        raise SettingsRefused([f"the authority refused: {refused}"]) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    path = _save(got, file, settings)
    _tell(got, path, url or _url_of(settings, wanted), show=show)


def _scopes_of(settings: Settings, *, for_application: bool) -> tuple[str, ...]:
    """Return what is asked for where no scope is named."""
    if not for_application:
        return settings.sign_in_scopes
    return () if settings.issuer else (f"{settings.api_identifiers[0]}/.default",)


def _url_of(settings: Settings, scopes: tuple[str, ...]) -> str:
    """Return what the token is good for calling: at Entra a scope without an address is one of Microsoft Graph."""
    bare = (each for each in scopes if "/" not in each or each.startswith(settings.graph_url))
    at_graph = settings.tenant_id is not None and any(bare)
    return f"{settings.graph_url}/v1.0/me" if at_graph else f"{settings.base_url}/"


def _save(got: Got, file: Path | None, settings: Settings) -> Path:
    """Write the token whole or not at all, for its owner only (SEC-176)."""
    path = file or settings.data_dir / FILE
    own_directory(path.parent, setting="--file" if file else "data_dir")
    own_file(path, setting="--file")
    try:
        write_anew(path, f"{PREFIX}{got.access_token}\n".encode())
    except OSError as error:
        raise SettingsRefused([f"--file: {path}: {error.strerror}; nothing was written"]) from None
    return path


def _tell(got: Got, path: Path, url: str, *, show: bool) -> None:
    if got.username:
        _say(f"Signed in as {''.join(each for each in got.username if each.isprintable())}.")
    until = system_clock() + timedelta(seconds=got.seconds)
    _say(f"The token is in {path}, for its owner only; it is good until {until:%H:%M} UTC.")
    line = f"curl -H {shlex.quote(f'@{path}')} {shlex.quote(url)}"
    typer.echo(line, err=show)
    if show:
        typer.echo(got.access_token)


def _say(text: str) -> None:
    typer.echo(text, err=True)
