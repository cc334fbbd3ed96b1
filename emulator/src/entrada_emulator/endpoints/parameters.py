"""Reads a request's parameters, each at most once."""

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request

from entrada_emulator.errors import EntraError

FIELDS = 100
FIELD_SIZE = 64 * 1024  # an authorization request may carry long claims and states

Parameters = dict[str, str]


async def parameters_of(request: Request) -> Parameters:
    """The query, or the form of a POST. Raises 9000411 for a repeated parameter."""
    return single(await _form(request) if request.method == "POST" else request.query_params)


async def form_of(request: Request) -> Parameters:
    """The fields of one of our own forms; of a repeated one the first counts."""
    form = await _form(request)
    return {name: form.getlist(name)[0] for name in form}


def single(given: "ImmutableMultiDict[str, str]") -> Parameters:
    """The parameters as a plain mapping. Raises 9000411 for a repeated one."""
    for name in given:
        if len(given.getlist(name)) > 1:
            raise EntraError(9000411, parameter=name)
    return dict(given)


async def _form(request: Request) -> "ImmutableMultiDict[str, str]":
    form = await request.form(max_files=0, max_fields=FIELDS, max_part_size=FIELD_SIZE)
    return ImmutableMultiDict([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
