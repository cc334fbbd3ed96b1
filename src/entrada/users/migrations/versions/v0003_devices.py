"""The devices that people have signed in from."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of devices."""
    op.create_table(
        "entrada_device",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("entrada_user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("user_agent", sa.String),
        sa.Column("first_seen_at", sa.DateTime, nullable=False),
        sa.Column("last_seen_at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Forget the devices."""
    op.drop_table("entrada_device")
