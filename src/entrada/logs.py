"""Our logger: named events with values, through the standard library's `logging` under the name "entrada".

The application's logging configuration governs where lines go; structlog's global configuration is neither read nor
changed. Each line is cleaned before any handler sees it, tracebacks included, and carries the correlation id of the
request. Whoever formats records finds the values in `record.entrada`.

    log.warning("sign_in_refused", error=error.code)

Values named `code`, `state`, `session` and the like are hidden whatever they hold: call an error's code `error`.
"""

import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from contextvars import ContextVar
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from entrada import tracing
from entrada.redaction import clean, clean_fields, clean_lines

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

NAME = "entrada"

correlation_id: ContextVar[str | None] = ContextVar("entrada_correlation_id", default=None)
"""The id of the request being answered, given to the person on an error page; set by the outermost layer."""

Fields = MutableMapping[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def _correlate(_logger: Any, _method: str, fields: Fields) -> Fields:
    if (known := correlation_id.get()) is not None:
        fields.setdefault("correlation_id", known)
    fields.update(tracing.present())
    return fields


def _hand_over(_logger: Any, _method: str, fields: Fields) -> tuple[tuple[str], dict[str, Any]]:
    """Make the standard library's call: one readable message, and the values beside it."""
    event = clean(str(fields.pop("event", "")))
    trouble = _exc_info(fields.pop("exc_info", None))
    cleaned: dict[str, Any] = {"event": event, **clean_fields(fields)}
    message = _readable(cleaned)
    if trouble:
        cleaned["exception"] = readable_traceback(trouble)
        message += f"\n    {cleaned['exception']}"
    return (message,), {"extra": {NAME: cleaned}, "exc_info": False}  # or logging would add its own traceback


def _exc_info(given: Any) -> ExcInfo | None:
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if isinstance(given, tuple):
        return cast("ExcInfo", given) if given[0] else None
    if given:
        kind, error, trace = sys.exc_info()
        return (kind, error, trace) if kind and error else None
    return None


def readable_traceback(trouble: ExcInfo) -> str:
    """Return a traceback with every secret hidden and every line but the first indented."""
    return clean_lines("".join(traceback.format_exception(*trouble)))


def _readable(fields: dict[str, Any]) -> str:
    """Return `event name=value …`; a value that a blank or quote would make ambiguous is quoted."""
    return " ".join([fields["event"], *(f"{name}={_quoted(fields[name])}" for name in fields if name != "event")])


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if not text or any(mark in text for mark in ' "=') else text


@cache
def load_logger() -> "BoundLogger":
    """Return the logger; structlog, which loads rich where that is installed, is loaded by the first who asks."""
    import structlog

    made: BoundLogger = structlog.wrap_logger(
        logging.getLogger(NAME),
        processors=[structlog.stdlib.filter_by_level, _correlate, _hand_over],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
    )
    return made


class _LoadedLater:
    def __getattr__(self, name: str) -> Any:
        return getattr(load_logger(), name)


log = cast("BoundLogger", _LoadedLater())
"""The one logger of the library."""
