"""The audit log is found by tenant, by correlation id and by stream as well, without going through all of it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ON_LARGE_TABLES = {
    "entrada_audit_by_tenant": "entrada_audit (tenant_id, at, id)",
    "entrada_audit_by_correlation": "entrada_audit (correlation_id, at, id)",
    "entrada_audit_of_administrators": "entrada_audit (at, id) WHERE stream = 'administration'",
}


def upgrade() -> None:
    """Make the indexes, unless they were made beforehand."""
    for name, columns in ON_LARGE_TABLES.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")


def downgrade() -> None:
    """Drop them."""
    for name in ON_LARGE_TABLES:
        op.drop_index(name, "entrada_audit")
