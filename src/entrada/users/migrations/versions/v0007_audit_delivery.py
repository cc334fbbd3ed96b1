"""How far the audit log has been delivered to another system."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, with a row for each receiver."""
    op.create_table(
        "entrada_audit_delivery",
        sa.Column("receiver", sa.String, primary_key=True),
        sa.Column("last_id", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Forget it: the log would be delivered again."""
    op.drop_table("entrada_audit_delivery")
