"""How often things happened in each hour that the audit log has no rows for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "entrada_tally",
        sa.Column("hour", sa.DateTime, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Forget the numbers."""
    op.drop_table("entrada_tally")
