"""Our logger: named events with values, through the standard library's `logging` under the name "entrada".

The application's logging configuration governs where lines go. Each line is cleaned before any handler sees it,
tracebacks included, and carries the correlation id of the request. Whoever formats records finds the values in
`record.entrada`.

    log.warning("sign_in_refused", error=error.code)

Values named `code`, `state`, `session` and the like are hidden whatever they hold: call an error's code `error`.
"""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from entrada.redaction import clean, clean_fields, clean_lines

NAME = "entrada"

correlation_id: ContextVar[str | None] = ContextVar("entrada_correlation_id", default=None)
"""The id of the request being answered, given to the person on an error page; set by the outermost layer."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class Log:
    """Writes named events with their values; nothing is done for a level that nobody listens to."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **values: Any) -> None:
        """Write what a developer may look for."""
        self._write(logging.DEBUG, event, values)

    def info(self, event: str, **values: Any) -> None:
        """Write what went as it should."""
        self._write(logging.INFO, event, values)

    def warning(self, event: str, **values: Any) -> None:
        """Write what was refused or is not as it should be."""
        self._write(logging.WARNING, event, values)

    def error(self, event: str, *, exc_info: BaseException | None = None, **values: Any) -> None:
        """Write what somebody has to mend, with the traceback of an exception if one is given."""
        self._write(logging.ERROR, event, values, trouble=exc_info)

    def exception(self, event: str, **values: Any) -> None:
        """Write what somebody has to mend, with the traceback of the exception being handled."""
        self._write(logging.ERROR, event, values, trouble=sys.exception())

    def _write(self, level: int, event: str, values: dict[str, Any], *, trouble: BaseException | None = None) -> None:
        """Give the standard library one readable message, and the values beside it."""
        if not self._logger.isEnabledFor(level):
            return
        if (known := correlation_id.get()) is not None:
            values.setdefault("correlation_id", known)
        cleaned: dict[str, Any] = {"event": clean(event), **clean_fields(values)}
        message = _readable(cleaned)
        if trouble is not None:
            cleaned["exception"] = readable_traceback((type(trouble), trouble, trouble.__traceback__))
            message += f"\n    {cleaned['exception']}"
        # no exc_info, or logging would add its own traceback; the caller is two frames up
        self._logger.log(level, message, extra={NAME: cleaned}, stacklevel=3)


log = Log(logging.getLogger(NAME))
"""The one logger of the library."""


def readable_traceback(trouble: ExcInfo) -> str:
    """Return a traceback with every secret hidden and every line but the first indented."""
    return clean_lines("".join(traceback.format_exception(*trouble)))


def _readable(fields: dict[str, Any]) -> str:
    """Return `event name=value …`; a value that a blank or quote would make ambiguous is quoted."""
    return " ".join([fields["event"], *(f"{name}={_quoted(fields[name])}" for name in fields if name != "event")])


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if not text or any(mark in text for mark in ' "=') else text
