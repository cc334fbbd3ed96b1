"""Reading a form that came as a request's body, within bounds."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from entrada.errors import MediaTypeRefused, RequestRefused

FORM = "application/x-www-form-urlencoded"
MOST_BYTES = 64 * 1024  # an answer has a code of 1.5 kB and a state; nothing of an honest one comes near
MOST_PARAMETERS = 50


async def read_form(request: Request) -> list[tuple[str, str]]:
    """Return the body's fields in their order; MediaTypeRefused for no form, RequestRefused for one over 64 KiB."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise MediaTypeRefused("this address takes forms")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise RequestRefused("the form is larger than 64 KiB")
    return parse(body)


def parse(text: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a form or a query; RequestRefused for more than anybody honest sends."""
    try:
        return parse_qsl(
            text.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS, encoding="utf-8"
        )
    except ValueError:
        raise RequestRefused("too many parameters") from None


def only(parameters: list[tuple[str, str]], name: str) -> str | None:
    """Return the one value of a parameter, None when it is not there; RequestRefused when it is repeated."""
    values = [value for given, value in parameters if given == name]
    if len(values) > 1:
        raise RequestRefused(f"{name} is repeated")
    return values[0] if values else None
