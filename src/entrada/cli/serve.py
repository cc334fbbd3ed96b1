"""`entrada serve`: the application under uvicorn, as production wants it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

DRAIN_SECONDS = 3.0  # what a load balancer takes to hear of it; of the ten seconds that `docker stop` gives
FINISH_SECONDS = 30
HEAD_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 5  # alone on the internet; idle connections cost memory
MISSING = 'The server needs one more package: pip install "entrada[server]"'


def serve(
    app: Annotated[str, typer.Argument(help="Where the application is: module:name.")],
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)] = 8000,
    drain_seconds: Annotated[
        float, typer.Option(help="After SIGTERM, serve on for so long while /ready says no.", min=0)
    ] = DRAIN_SECONDS,
    finish_seconds: Annotated[
        int, typer.Option(help="Then wait at most so long for requests under way.", min=1)
    ] = FINISH_SECONDS,
    head_seconds: Annotated[
        float, typer.Option(help="Close connections that send no whole request head in so long.", min=0.1)
    ] = HEAD_SECONDS,
    keep_alive_seconds: Annotated[
        int,
        typer.Option(help="Close connections idle for so long; behind a proxy, longer than its own.", min=1),
    ] = KEEP_ALIVE_SECONDS,
) -> None:
    """Serve the application: one process, until SIGTERM; then drain, finish what is under way, and exit with 0."""
    try:
        from entrada.cli import serving
    except ModuleNotFoundError as error:
        if error.name != "uvicorn":
            raise
        sys.exit(MISSING)
    sys.path.insert(0, str(Path.cwd()))
    patience = serving.Patience(
        drain=drain_seconds, finish=finish_seconds, head=head_seconds, keep_alive=keep_alive_seconds
    )
    serving.serve(app, host=host, port=port, patience=patience)
