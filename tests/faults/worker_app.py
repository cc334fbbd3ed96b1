"""The application of one worker process, for uvicorn: the small portal, with a clock that all workers share.

`FAULTS_CLOCK` names a file of eight bytes, the seconds to add to the machine's time. `FAULTS_POINTS`, if set, names a
file that arms it: when it holds `POINT SIGNAL`, the process sends itself the signal at this point (`points.py`), once.
"""

import mmap
import os
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI

from entrada import ApiClient, CurrentUser, Entrada, Event, api_client
from tests.faults.points import obey

Graph = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "User.Read")]


def shared_clock(path: str) -> Callable[[], datetime]:
    """Return a clock that whoever writes the file moves."""
    with open(path, "r+b") as file:  # noqa: PTH123
        offset = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    return lambda: datetime.now(UTC) + timedelta(seconds=struct.unpack("d", offset[:8])[0])


app = FastAPI()
entrada = Entrada(clock=shared_clock(os.environ["FAULTS_CLOCK"]))
entrada.install(app)


@entrada.on("renewal_failed")
@entrada.on("session_ended")
def tell(event: Event) -> None:
    """Print it, for the test to read in this worker's log."""
    print(f"EVENT {event.name} {event.reason}", flush=True)


@app.get("/who")
async def who(user: CurrentUser) -> dict[str, str]:
    return {"name": user.name or ""}


@app.get("/token")
async def token(client: Graph) -> dict[str, str]:
    return {"source": client.token_source}


if points := os.environ.get("FAULTS_POINTS"):
    obey(Path(points))
