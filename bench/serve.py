"""One contender under uvicorn with uvloop and httptools, in a process of its own: `python -m bench.serve NAME FOLDER`.

Prints one JSON line with the port and the headers of the signed-in callers, then serves until its input ends.
"""

import asyncio
import json
import os
import sys
import threading

import uvicorn
import uvloop

from bench.contender import CONTENDERS


async def serve(name: str, folder: str) -> None:
    """Serve the contender of this name."""
    contender = next(contender for contender in CONTENDERS if contender.name == name)
    prepared = await contender.prepare(folder)
    server = uvicorn.Server(uvicorn.Config(prepared.app, port=0, http="httptools", log_level="warning"))

    def stop_with_parent() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=stop_with_parent, daemon=True).start()
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    if server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        print(json.dumps({"port": port, "callers": prepared.callers}), flush=True)
    await task
    if prepared.close:
        await prepared.close()


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the load generator has the other core
    uvloop.run(serve(sys.argv[1], sys.argv[2]))
