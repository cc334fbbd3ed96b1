"""The address of a store: what the settings `store` and `database_url` may be, read before anything connects.

memory:                                        this process, for development
sqlite:                sqlite:PATH             one file of this machine
redis://HOST           rediss://HOST           one server; unix:///PATH for one on this machine
redis+sentinel://HOST,HOST/SERVICE             the primary that the sentinels name (rediss+sentinel: with TLS)
redis+cluster://HOST,HOST                      a cluster (rediss+cluster: with TLS)
postgresql://HOST/DATABASE?sslmode=verify-full

The users' database may be the last one (postgresql+asyncpg:// is the same) or sqlite+aiosqlite:///PATH.
"""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from entrada.errors import SettingsRefused

Kind = Literal["memory", "sqlite", "redis", "sentinel", "cluster", "postgresql"]
FORMS = (
    "memory:, sqlite:, sqlite:PATH, redis://, redis+sentinel://, redis+cluster://, rediss… for TLS, or postgresql://"
)
DATABASE_FORMS = "sqlite+aiosqlite:///PATH or postgresql://HOST/DATABASE, or left out for a file in data_dir"
DATABASE_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})
SCHEMES: dict[str, tuple[Kind, bool]] = {
    "redis": ("redis", False),
    "rediss": ("redis", True),
    "unix": ("redis", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
    "postgresql": ("postgresql", False),
    "postgres": ("postgresql", False),
}
PORTS = {"redis": 6379, "sentinel": 26379, "cluster": 6379, "postgresql": 5432}
REDIS_OPTIONS = frozenset({"prefix", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
VERIFIED = frozenset({"verify-ca", "verify-full"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """One address, taken apart."""

    text: str = field(repr=False)
    kind: Kind
    setting: str = "store"
    """The setting that it comes from, for what is said about it."""
    tls: bool = False
    """Whether the servers must prove who they are before they are told anything."""
    hosts: tuple[tuple[str, int], ...] = ()
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    path: str = ""
    """A file, a socket, a database or a service, as the kind has it."""
    options: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def local(self) -> bool:
        """Whether nothing of it leaves this machine."""
        return all(host in LOOPBACK or host.startswith("/") for host, _ in self.hosts)

    def faults(self, *, production: bool) -> list[str]:
        """Say what keeps this address from being used in this profile, with the mend."""
        if not production:
            return []
        if self.kind == "memory":
            return ["store: memory: is lost at each restart and seen by one worker only; use sqlite:"]
        if not self.tls and not self.local:
            mend = "sslmode=verify-full" if self.kind == "postgresql" else "rediss"
            return [f"{self.setting}: production needs TLS to a server on another machine; use {mend}"]
        return []


def parse(text: str) -> StoreUrl:
    """Take a session store's address apart; SettingsRefused says what may stand there, never what stood."""
    kind, colon, where = text.partition(":")
    if text == "memory:":
        return StoreUrl(text=text, kind="memory")
    if kind + colon == "sqlite:" and where.startswith("//"):  # SQLAlchemy's three slashes are a path below this folder
        raise SettingsRefused(["store: sqlite: is followed by the path itself, such as sqlite:/srv/app/sessions.db"])
    if kind + colon == "sqlite:":
        return StoreUrl(text=text, kind="sqlite", path=where)
    if kind not in SCHEMES or not where.startswith("//"):
        raise SettingsRefused([f"store: must be {FORMS}"])
    return _readable(text, kind, setting="store")


def parse_database(text: str) -> StoreUrl:
    """Take the address of a users' database apart; SettingsRefused like `parse`."""
    scheme, _, where = text.partition("://")
    if scheme == "sqlite+aiosqlite" and where[:1] == "/" and where not in {"/", "/:memory:"} and "?" not in where:
        return StoreUrl(text=text, kind="sqlite", setting="database_url", path=where[1:])
    if scheme not in DATABASE_SCHEMES:
        raise SettingsRefused([f"database_url: must be {DATABASE_FORMS}"])
    return _readable(f"postgresql://{where}", "postgresql", setting="database_url")


def _readable(text: str, scheme: str, *, setting: str) -> StoreUrl:
    try:
        return _server(text, scheme, setting)
    except ValueError:
        raise SettingsRefused([f"{setting}: cannot be read; in names and passwords write : / @ ? # % as %XX"]) from None


def _server(text: str, scheme: str, setting: str) -> StoreUrl:
    kind, tls = SCHEMES[scheme]
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    user, _, hosts = parts.netloc.rpartition("@")
    username, _, password = user.partition(":")
    if kind != "postgresql" and (unknown := sorted(options.keys() - REDIS_OPTIONS)):
        raise SettingsRefused(
            [f"store: {', '.join(unknown)}: no such option; there are {', '.join(sorted(REDIS_OPTIONS))}"]
        )
    found = _hosts(hosts, kind, socket=options.get("host") if kind == "postgresql" else None)
    if scheme == "unix":
        found = ((unquote(parts.path), 0),)
    path = unquote(parts.path.lstrip("/"))
    if kind == "sentinel" and not path:
        raise SettingsRefused(["store: redis+sentinel:// needs the service's name after the hosts, such as /mymaster"])
    if kind in {"redis", "cluster"} and scheme != "unix" and path and not path.isdecimal():
        raise SettingsRefused(["store: after the host only the number of a database may stand"])
    return StoreUrl(
        text=text,
        kind=kind,
        setting=setting,
        tls=tls or (kind == "postgresql" and options.get("sslmode") in VERIFIED),
        hosts=found,
        username=unquote(username) or None,
        password=unquote(password) or None,
        path=path,
        options=options,
    )


def _hosts(text: str, kind: Kind, *, socket: str | None) -> tuple[tuple[str, int], ...]:
    """Return each host with its port; ValueError when one is malformed."""
    if not text:
        return ((socket or "localhost", PORTS[kind]),)
    found = [urlsplit(f"//{host}") for host in text.split(",")]
    if not all(parts.hostname for parts in found):
        raise ValueError("a host is missing")
    return tuple([(parts.hostname or "", parts.port or PORTS[kind]) for parts in found])
