"""People's pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of pictures."""
    op.create_table(
        "entrada_photo",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("entrada_user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Forget the pictures."""
    op.drop_table("entrada_photo")
