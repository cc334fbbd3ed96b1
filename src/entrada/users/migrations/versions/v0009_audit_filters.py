"""The audit log is found by tenant, by correlation id and by stream as well, without going through all of it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEXES = {
    "entrada_audit_by_tenant": ["tenant_id", "at", "id"],
    "entrada_audit_by_correlation": ["correlation_id", "at", "id"],
}
OF_ADMINISTRATORS = "entrada_audit_of_administrators"
FEW = sa.text("stream = 'administration'")


def upgrade() -> None:
    """Make the indexes."""
    for name, columns in INDEXES.items():
        op.create_index(name, "entrada_audit", columns)
    op.create_index(OF_ADMINISTRATORS, "entrada_audit", ["at", "id"], sqlite_where=FEW, postgresql_where=FEW)


def downgrade() -> None:
    """Drop them."""
    for name in (*INDEXES, OF_ADMINISTRATORS):
        op.drop_index(name, "entrada_audit")
