"""The ledger of sessions that have ended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the ledger, and its two orders: as it is read, and as it is forgotten."""
    op.create_table(
        "entrada_ended_session",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("until", sa.DateTime, nullable=False),
        sa.Column("noted_at", sa.Double, nullable=False),
    )
    op.create_index("entrada_ended_session_by_note", "entrada_ended_session", ["noted_at"])
    op.create_index("entrada_ended_session_by_end", "entrada_ended_session", ["until"])


def downgrade() -> None:
    """Forget the ledger."""
    op.drop_table("entrada_ended_session")
