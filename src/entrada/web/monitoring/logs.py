"""Where our lines go when the application has not said, and the cleaning of lines that others write about us.

An application with a logging configuration keeps it: our records reach its handlers like any other's. Without one they
go to standard error, as one JSON object each in production and as a readable line in development. The loggers of the
server, of MSAL and of the HTTP client, which know addresses and headers with secrets in them, are cleaned at source.
"""

import json
import logging
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from entrada.logs import NAME, load_logger, readable_traceback
from entrada.redaction import HIDDEN, clean, clean_lines
from entrada.web.middleware.headers import BrokenOff

GRANIAN = "_granian.utils"
SERVER_LINES = frozenset({"uvicorn.error", "asyncio", GRANIAN})  # tracebacks come as messages here, and stay readable
OTHERS = (
    "uvicorn.access",
    "uvicorn.error",
    "uvicorn.asgi",
    "gunicorn.access",
    "gunicorn.error",
    "hypercorn.access",
    "hypercorn.error",
    "granian.access",
    GRANIAN,
    "_granian.asgi.http",
    "_granian.asgi.io",
    "asyncio",
    "httpx",
    "httpx2",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.proxy",
    "requests",
    "urllib3.connectionpool",
    "msal.application",
    "msal.authority",
    "msal.token_cache",
    "msal.region",
    "msal.oauth2cli.oauth2",
    "msal.oauth2cli.oidc",
    "msal.oauth2cli.authcode",
    "msal.oauth2cli.assertion",
    "msal.managed_identity",
    "msal.throttled_http_client",
    "aiosqlite",
    "sqlalchemy.engine.Engine",
    "sqlalchemy.pool",
)
BROKE_OFF = "an answer broke off: upstream_broke_off or stream_closed, right before, says why"
FAMILIES = ("msal.", "httpx", "httpcore", "uvicorn.", "sqlalchemy.")


class Redaction(logging.Filter):
    """Cleans each record that passes; it never holds one back.

    It belongs on a logger or on a handler. `auth_paths` are the beginnings of paths whose query is hidden whole.
    """

    def __init__(self, auth_paths: Sequence[str] = ()) -> None:
        super().__init__()
        beginnings = "|".join(map(re.escape, auth_paths))
        self._query = re.compile(rf"""((?:{beginnings})[^\s?"']*)\?[^\s"']*""") if auth_paths else None

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record in place; one that cannot be read is replaced, for its parts may hold anything."""
        if hasattr(record, NAME):
            return True
        try:
            self._clean(record)
        except Exception:
            record.msg, record.args = "a log record that could not be read", None
        return True

    def _clean(self, record: logging.LogRecord) -> None:
        if _tells_of_break(record):  # which we meant, and have told: a traceback would look like a defect
            record.msg, record.args, record.exc_info, record.exc_text = BROKE_OFF, None, None, None
            return
        if record.exc_info and record.exc_info[0]:
            record.exc_text = readable_traceback(record.exc_info)
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            record.args = tuple(self._text(part) if isinstance(part, str) else part for part in record.args)
            return
        message = record.getMessage()
        cleaned = clean_lines(self._hide_query(message)) if record.name in SERVER_LINES else self._text(message)
        if cleaned != message:
            record.msg, record.args = cleaned, None
            record.__dict__.pop("color_message", None)

    def _text(self, text: str) -> str:
        return clean(self._hide_query(text))

    def _hide_query(self, text: str) -> str:
        return self._query.sub(rf"\1?{HIDDEN}", text) if self._query else text


class JsonLines(logging.Formatter):
    """One JSON object a line: when, how grave, who, what, and the values."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of ASCII."""
        known = {"at": _when(record).isoformat(), "level": record.levelname.lower(), "logger": record.name}
        return json.dumps({**known, **_values(record)}, default=str)


class ReadableLines(logging.Formatter):
    """One line for a person at a terminal; a traceback follows indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line that begins with time and level."""
        message = record.getMessage() if hasattr(record, NAME) else "\n    ".join(_values(record).values())
        return f"{_when(record):%H:%M:%S} {record.levelname.lower():<8} {message}"


class Fallback(logging.StreamHandler[Any]):
    """Writes to standard error as long as the application has no handler of its own at the root."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, unless an application's handler gets it too."""
        if not logging.getLogger().handlers:
            super().emit(record)


def set_up(*, as_json: bool, auth_paths: Sequence[str]) -> None:
    """Make lines go somewhere and be clean. Called again, it changes what depends on the arguments."""
    load_logger()  # now, and not while the first request that goes wrong waits
    logger = logging.getLogger(NAME)
    fallback = next((handler for handler in logger.handlers if isinstance(handler, Fallback)), None)
    if fallback is None:
        fallback = Fallback()
        logger.addHandler(fallback)
    fallback.setFormatter(JsonLines() if as_json else ReadableLines())
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    redaction = Redaction(auth_paths)
    for name in _others(logging.root.manager.loggerDict):
        _replace_filter(logging.getLogger(name), redaction)


def _others(known: Iterable[str]) -> set[str]:
    """Name the loggers whose lines can hold secrets of ours: those we know of, and their kin that exist by now."""
    return {*OTHERS, NAME, *(name for name in list(known) if name.startswith(FAMILIES))}


def _replace_filter(logger: logging.Logger, redaction: Redaction) -> None:
    for former in [each for each in logger.filters if isinstance(each, Redaction)]:
        logger.removeFilter(former)
    logger.addFilter(redaction)


def _tells_of_break(record: logging.LogRecord) -> bool:
    """Say whether a server tells that it was handed the end of an answer that has none; Granian does so in words."""
    if record.name == GRANIAN:
        return record.getMessage().rstrip(": \n").endswith(BrokenOff.__name__)
    return bool(record.exc_info and record.exc_info[0] is BrokenOff)


def _when(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _values(record: logging.LogRecord) -> dict[str, Any]:
    """Return event and values: ours as they were given, another's message and traceback."""
    if ours := getattr(record, NAME, None):
        return dict(ours)
    values = {"event": clean(record.getMessage())}
    if record.exc_info and record.exc_info[0]:
        values["exception"] = readable_traceback(record.exc_info)
    return values
