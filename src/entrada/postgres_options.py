"""How PostgreSQL is connected to, by sessions and users alike: what an address means, how long anything may take."""

import ssl
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from entrada.store_url import StoreUrl

IDLE_IN_TRANSACTION = 30.0  # seconds; then the server gives up a transaction that its worker has forgotten


def connect_options(url: StoreUrl, *, connect: float, statement: float) -> dict[str, Any]:
    """Return the arguments of asyncpg's connect; `connect` and `statement` are patience in seconds.

    Behind pgbouncer (`statement_cache_size=0`) statements have no names that outlive a transaction, and a connection
    may not carry settings: there only the client's own patience bounds a statement.
    """
    options = dict(url.options)
    cached = options.pop("statement_cache_size", None)
    arguments: dict[str, Any] = {"timeout": connect, "command_timeout": statement}
    if options.get("sslmode") == "verify-full" and "sslrootcert" not in options:
        del options["sslmode"]
        arguments["ssl"] = ssl.create_default_context()
    if cached is not None:
        arguments["statement_cache_size"] = int(cached)
    if cached != "0":
        arguments["server_settings"] = {
            "application_name": "entrada",
            "lock_timeout": _milliseconds(statement),
            "idle_in_transaction_session_timeout": _milliseconds(IDLE_IN_TRANSACTION),
        }
    arguments["dsn"] = urlunsplit(urlsplit(url.text)._replace(query=urlencode(options)))
    return arguments


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
