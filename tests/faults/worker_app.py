"""The application of one worker process, for uvicorn: the small portal, with a clock that all workers share.

`FAULTS_CLOCK` names a file of eight bytes, the seconds to add to the machine's time. `FAULTS_POINTS`, if set, names a
file that arms it: the process sends itself the signal that it names at the point that it names (`points.py`), once.
"""

import asyncio
import os
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI

from entrada import ApiClient, CurrentUser, Entrada, Event, api_client
from tests.faults.points import obey
from tests.moved_clock import shared_clock

Graph = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "User.Read")]

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


@app.get("/slow")
async def slow(user: CurrentUser, seconds: float) -> dict[str, str]:
    await asyncio.sleep(seconds)
    return {"name": user.name or ""}


if points := os.environ.get("FAULTS_POINTS"):
    obey(Path(points))
