"""The tenants that were on-boarded, approved or suspended."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of tenants."""
    op.create_table(
        "entrada_tenant",
        sa.Column("tenant_id", sa.String, primary_key=True),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("contact", sa.String),
        sa.Column("onboarded_at", sa.DateTime),
        sa.Column("changed_at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Forget the tenants."""
    op.drop_table("entrada_tenant")
