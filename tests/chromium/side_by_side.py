"""Example B with a clock to move; its routes, pages and scripts are the example's own."""

import os

from fastapi import FastAPI

from entrada import Entrada
from examples.bff_and_spa import app as example
from tests.moved_clock import shared_clock

app = FastAPI(openapi_url=None)
Entrada(clock=shared_clock(os.environ["PORTAL_CLOCK"]), templates=[example.HERE / "templates"]).install(app)
app.router.routes.extend(example.app.router.routes)
