"""The tables of the users' database. A change here needs a migration beside it."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    Uuid,
    text,
)

metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC without its zone: SQLite has no zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Take the zone off, after the time was turned to UTC."""
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Put UTC back."""
        return value.replace(tzinfo=UTC) if value else None


users = Table(
    "entrada_user",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", String),
    Column("object_id", String),
    Column("issuer", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("name", String, nullable=False),
    Column("username", String, nullable=False),
    Column("email", String),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_sign_in_at", UtcDateTime, nullable=False),
    # One person, one row: at Entra by tenant and object id, elsewhere by issuer and subject; never by a name (SEC-120).
    Index(
        "entrada_user_in_tenant",
        "tenant_id",
        "object_id",
        unique=True,
        sqlite_where=text("object_id IS NOT NULL"),
        postgresql_where=text("object_id IS NOT NULL"),
    ),
    Index(
        "entrada_user_at_issuer",
        "issuer",
        "subject",
        unique=True,
        sqlite_where=text("object_id IS NULL"),
        postgresql_where=text("object_id IS NULL"),
    ),
)

ended_sessions = Table(
    "entrada_ended_session",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("until", UtcDateTime, nullable=False),
    # By the clock of the database, which all workers share.
    Column("noted_at", Double, nullable=False),
    Index("entrada_ended_session_by_note", "noted_at"),
    Index("entrada_ended_session_by_end", "until"),
)

tenants = Table(
    "entrada_tenant",
    metadata,
    Column("tenant_id", String, primary_key=True),  # a GUID in lower case
    Column("status", String, nullable=False),  # users/tenants.py names them
    Column("contact", String),
    Column("onboarded_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
)

devices = Table(
    "entrada_device",
    metadata,
    Column("user_id", Uuid, ForeignKey("entrada_user.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),  # a keyed hash of person and device (users/devices.py)
    Column("user_agent", String),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
)
