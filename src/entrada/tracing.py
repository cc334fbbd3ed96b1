"""Spans for OpenTelemetry, where the setting `traces` asks for them; nothing at all, at no cost, where it does not.

No attribute holds a secret, an id of anybody, a path or a query: they say what is done, at which host, how it ended.
The switch is the process's, as OpenTelemetry's own provider and the log are.
"""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar

from entrada.redaction import HIDDEN

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

P = ParamSpec("P")
T = TypeVar("T")
NAME = "entrada"
QUERIES = frozenset({"url.query", "url.full", "http.target", "http.url"})  # of the present conventions, and before

_tracer: "Tracer | None" = None
_unseen: ContextVar[bool] = ContextVar("entrada_unseen", default=False)


def turn_on() -> None:
    """Make spans from now on, for whatever the application has configured."""
    global _tracer  # noqa: PLW0603 one switch for the process
    from opentelemetry import trace

    _tracer = trace.get_tracer(NAME)


def turn_off() -> None:
    """Make none any more."""
    global _tracer  # noqa: PLW0603
    _tracer = None


def is_on() -> bool:
    """Say whether spans are made."""
    return _tracer is not None


@contextmanager
def span(name: str, *, kind: Literal["internal", "client"] = "internal", **attributes: str) -> "Iterator[Span | None]":
    """Put what the block does into a span; give the span, None where there are none. An error is told by its class."""
    if _tracer is None or _unseen.get():
        yield None
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode

    kinds = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}
    shown = {key.replace("__", "."): value for key, value in attributes.items()}
    with _tracer.start_as_current_span(
        name, kind=kinds[kind], attributes=shown, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield made
        except BaseException as error:
            made.set_attribute("error.type", type(error).__name__)
            made.set_status(Status(StatusCode.ERROR))
            raise


@contextmanager
def unseen() -> "Iterator[None]":
    """Make no spans of what the block does: it is done again and again, and nobody waits for it."""
    token = _unseen.set(True)
    try:
        yield
    finally:
        _unseen.reset(token)


def traced(name: str) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Return a decorator that has each call in a span of this name."""

    def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @wraps(function)
        async def inside(*args: P.args, **kwargs: P.kwargs) -> T:
            with span(name):
                return await function(*args, **kwargs)

        return inside

    return decorate


def hand_on(headers: MutableMapping[str, str]) -> None:
    """Let who is called go on with this trace: W3C `traceparent` and `tracestate`, never baggage."""
    if _tracer is None:
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    TraceContextTextMapPropagator().inject(headers)


def hide_query() -> None:
    """Take the query out of the present span, whoever made it: FastAPI's own has it, and a callback's holds a code."""
    from opentelemetry import trace

    made = trace.get_current_span()
    for name in QUERIES & set(getattr(made, "attributes", None) or ()):
        made.set_attribute(name, HIDDEN)


def present() -> dict[str, str]:
    """Return the ids of the present trace and span, as a log line carries them; nothing where there is none."""
    if _tracer is None:
        return {}
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}
