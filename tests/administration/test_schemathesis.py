"""What schemathesis makes of the OpenAPI document is answered as the document says, whoever asks (API-7)."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import anyio
import httpx2
import pytest
import requests
import schemathesis
from anyio import from_thread
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.administration.site import ADA, MIA, AdminSite, somebody

# the application's own chores draw from `random` in another thread while a request is made up
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = [2, pytest.param(100, marks=pytest.mark.long)]
WHO = {"cookie", "authorization"}
BASE = "http://localhost"
Ask = Callable[[requests.PreparedRequest], Awaitable[httpx2.Response]]


def asking(client: httpx2.AsyncClient, *, known: bool) -> Ask:
    """Return what sends a request as it was made; who is known, with their own session in place of an invented one."""

    async def ask(request: requests.PreparedRequest) -> httpx2.Response:
        assert request.method
        assert request.url
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {name: value for name, value in request.headers.items() if not known or name.lower() not in WHO}
        return await client.request(request.method, request.url, headers=headers, content=body)

    return ask


def explore(operation: APIOperation, asks: Sequence[Ask], *, known: str, examples: int) -> Counter[int]:
    """Ask in as many ways that fit the document, and in as many that do not; return what came how often."""
    came = Counter[int]()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), about_somebody=st.booleans())
        def conforms(case: Case, about_somebody: bool) -> None:
            if about_somebody and "user_id" in case.path_parameters:
                case.path_parameters["user_id"] = known
            request = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
            for ask in asks:
                answer = from_thread.run(ask, request)
                case.validate_response(answer, checks=CHECKS)
                came[answer.status_code] += 1

        with suppress(Unsatisfiable):  # an address without parameters and body: nothing about it can be wrong
            conforms()
    return came


@pytest.mark.parametrize("examples", EXAMPLES)
async def test_every_answer_is_in_the_document(console: AdminSite, examples: int) -> None:
    """API-7, SEC-177: whether a request fits or not, a stranger, a person and an administrator get what is declared.

    No answer is 5xx; its status, its kind and all that is in it are in the document.
    """
    mia, ada = asking(await console.of(MIA), known=True), asking(await console.of(ADA), known=True)
    asks, came = (asking(await console.site.stranger(), known=False), mia, ada), Counter[int]()
    for found in schemathesis.openapi.from_dict(console.site.app.openapi()).get_all_operations():
        known = str((await somebody(console)).id)
        looked = partial(explore, found.ok(), asks, known=known, examples=examples)
        came += await anyio.to_thread.run_sync(looked)
    assert came.keys() >= {200, 400, 401, 403, 404}
    print(f"{came.total()} requests: {dict(came)}")
