"""The tables of the users' database. A change here needs a migration beside it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    false,
    text,
)

metadata = MetaData()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


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


class Microseconds(TypeDecorator[datetime]):
    """An aware time as microseconds since 1970: eight bytes in each index, exact in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Count them."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Make a time of them."""
        return None if value is None else EPOCH + value * MICROSECOND


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
    Column("updated_at", UtcDateTime),  # by a sign-in or an administrator
    Column("email_folded", String),  # for look-ups, in whatever case it was written
    Column("given_name", String),
    Column("family_name", String),
    Column("department", String),
    Column("job_title", String),
    Column("photo", String),  # what changes with their picture (users/photos.py); null when there is none
    Column("is_admin", Boolean, nullable=False, server_default=false()),
    Column("version", Integer, nullable=False, server_default="1"),  # counts what administrators have changed
    Column("edited", String, nullable=False, server_default=""),  # what they wrote, and sign-in leaves alone
    Index("entrada_user_by_age", "created_at", "id"),
    Index("entrada_user_by_name", "name", "id"),
    Index("entrada_user_by_last_sign_in", "last_sign_in_at", "id"),
    Index("entrada_user_by_email", "email_folded"),
    Index("entrada_user_admins", "is_admin", "is_active"),
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

photos = Table(
    "entrada_photo",
    metadata,
    Column("user_id", Uuid, ForeignKey("entrada_user.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String, nullable=False),  # its media type
    Column("data", LargeBinary, nullable=False),
)

role_grants = Table(
    "entrada_role_grant",
    metadata,
    Column("user_id", Uuid, ForeignKey("entrada_user.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String, primary_key=True),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("granted_by", String),  # a label to read
)

# What each row means, and how the rows hang together: docs/audit.md. `person` is no foreign key, so that the row stays
# as it was written when the person is deleted.
audit = Table(
    "entrada_audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("stream", String, nullable=False),
    Column("at", Microseconds, nullable=False),
    Column("action", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("reason", String),
    Column("tenant_id", String),
    Column("person", Uuid),
    Column("resource", String),
    Column("correlation_id", String),
    Column("uti", String),
    Column("user_key", String),
    Column("label", String),
    Column("address", String),
    Column("user_agent", String),
    Column("details", Text),
    Column("who_seal", LargeBinary, nullable=False),
    Column("what_seal", LargeBinary, nullable=False),
    Column("key_id", String, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Index("entrada_audit_by_time", "at", "id"),
    Index("entrada_audit_by_person", "person", "at", "id"),
    Index("entrada_audit_by_action", "action", "at", "id"),
    Index("entrada_audit_by_outcome", "outcome", "at", "id"),
    Index("entrada_audit_by_resource", "resource", "at", "id"),
    Index("entrada_audit_by_address", "address", "at", "id"),
    Index("entrada_audit_by_tenant", "tenant_id", "at", "id"),
    Index("entrada_audit_by_correlation", "correlation_id", "at", "id"),
    Index(
        "entrada_audit_of_administrators",  # few among many; the other stream is nearly all of the table
        "at",
        "id",
        sqlite_where=text("stream = 'administration'"),
        postgresql_where=text("stream = 'administration'"),
    ),
)

tallies = Table(
    "entrada_tally",
    metadata,
    Column("hour", UtcDateTime, primary_key=True),
    Column("name", String, primary_key=True),  # users/tallies.py names them
    Column("count", BigInteger, nullable=False),
)

audit_streams = Table(
    "entrada_audit_stream",
    metadata,
    Column("name", String, primary_key=True),
    Column("last_id", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("pruned_to", BigInteger, nullable=False),
    Column("pruned_hash", LargeBinary, nullable=False),
    Column("key_id", String, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)

audit_deliveries = Table(
    "entrada_audit_delivery",
    metadata,
    Column("receiver", String, primary_key=True),
    Column("last_id", BigInteger, nullable=False),
)
