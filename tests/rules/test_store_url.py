"""What may stand in the setting `store`, and what production asks of it."""

import pytest

from entrada.errors import SettingsRefused
from entrada.store_url import parse, parse_database

GOOD = [
    ("memory:", "memory", False, (), ""),
    ("sqlite:", "sqlite", False, (), ""),
    ("sqlite:/var/lib/app/s.db", "sqlite", False, (), "/var/lib/app/s.db"),
    ("redis://cache.example", "redis", False, (("cache.example", 6379),), ""),
    ("rediss://u:p%40ss@cache.example:6380/2", "redis", True, (("cache.example", 6380),), "2"),
    ("redis://[::1]:7000", "redis", False, (("::1", 7000),), ""),
    ("unix:///run/redis.sock", "redis", False, (("/run/redis.sock", 0),), "run/redis.sock"),
    ("redis+sentinel://a,b:26380/main", "sentinel", False, (("a", 26379), ("b", 26380)), "main"),
    ("rediss+sentinel://a/main/1", "sentinel", True, (("a", 26379),), "main/1"),
    ("redis+cluster://a:7000,b:7001", "cluster", False, (("a", 7000), ("b", 7001)), ""),
    ("rediss+cluster://a?ssl_ca_certs=/ca.pem", "cluster", True, (("a", 6379),), ""),
    ("postgresql://u:p@db.example/app", "postgresql", False, (("db.example", 5432),), "app"),
    ("postgres://db.example/app?sslmode=require", "postgresql", False, (("db.example", 5432),), "app"),
    ("postgresql://db.example/app?sslmode=verify-full", "postgresql", True, (("db.example", 5432),), "app"),
    ("postgresql:///app?host=/run/postgresql", "postgresql", False, (("/run/postgresql", 5432),), "app"),
]


@pytest.mark.parametrize(("text", "kind", "tls", "hosts", "path"), GOOD)
def test_each_form_is_taken_apart(text: str, kind: str, tls: bool, hosts: tuple[object, ...], path: str) -> None:
    """Kind, TLS, hosts with their ports, and what follows them are read as they were written (SES-4)."""
    url = parse(text)
    assert (url.kind, url.tls, url.hosts, url.path) == (kind, tls, hosts, path)


def test_names_and_passwords_are_decoded_and_never_shown() -> None:
    """What %XX stands for is what is sent; nothing prints it."""
    url = parse("rediss://front%3Adoor:open%2Fsesame@cache.example")
    assert (url.username, url.password) == ("front:door", "open/sesame")
    assert "sesame" not in repr(url)
    assert "front" not in repr(url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "redis",
        "redis:",
        "http://x",
        "sqlit:",
        "redis://host:no",
        "redis://host:99999",
        "redis://a,,b",
        "redis://host/name",
        "redis+sentinel://host",
        "redis://host?ssl_cert_reqs=none",
        "redis://host?x",
        "redis://[::1",
    ],
)
def test_what_cannot_be_read_is_refused_plainly(text: str) -> None:
    """Each fault names the setting; what stood there, which may be a password, is not repeated (SEC-184)."""
    with pytest.raises(SettingsRefused, match=r"^- store: ") as refused:
        parse(text.replace("//", "//name:sesame@", 1))
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(("text", "mend"), [
    ("memory:", "use sqlite:"),
    ("redis://cache.example", "use rediss"),
    ("redis+cluster://localhost,cache.example", "use rediss"),
    ("redis+sentinel://cache.example/main", "use rediss"),
    ("postgresql://db.example/app", "use sslmode=verify-full"),
    ("postgresql://db.example/app?sslmode=require", "use sslmode=verify-full"),
])  # fmt: skip
def test_production_asks_for_proof_of_the_server(text: str, mend: str) -> None:
    """Without verified TLS no other machine is told anything; development may (SEC-176)."""
    (fault,) = parse(text).faults(production=True)
    assert mend in fault
    assert parse(text).faults(production=False) == []


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:",
        "rediss://cache.example",
        "redis://localhost",
        "unix:///run/redis.sock",
        "redis+cluster://127.0.0.1:7000,127.0.0.1:7001",
        "rediss+cluster://a,b",
        "postgresql:///app",
        "postgresql:///app?host=/run/postgresql",
        "postgresql://db.example/app?sslmode=verify-full",
    ],
)
def test_production_takes_what_is_safe(text: str) -> None:
    """TLS with proof, or nothing that leaves this machine."""
    assert parse(text).faults(production=True) == []


def test_the_users_database_is_held_to_the_same() -> None:
    """Its faults name its own setting; SQLAlchemy's spelling is taken; no password is repeated (SEC-173)."""
    remote = parse_database("postgresql+asyncpg://ada:hunter2@db.example/app")
    (fault,) = remote.faults(production=True)
    assert fault == "database_url: production needs TLS to a server on another machine; use sslmode=verify-full"
    assert parse_database("postgres://db.example/app?sslmode=verify-full").faults(production=True) == []
    assert parse_database("sqlite+aiosqlite:////var/users.db").path == "/var/users.db"
    with pytest.raises(SettingsRefused, match="database_url: cannot be read") as refused:
        parse_database("postgresql://ada:hunter2@[db/app")
    assert "hunter2" not in str(refused.value)
