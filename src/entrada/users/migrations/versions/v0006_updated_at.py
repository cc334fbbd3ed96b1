"""When a person's row changed last."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; until now rows changed at sign-ins."""
    op.add_column("entrada_user", sa.Column("updated_at", sa.DateTime))
    op.execute("UPDATE entrada_user SET updated_at = last_sign_in_at")


def downgrade() -> None:
    """Forget it."""
    op.drop_column("entrada_user", "updated_at")
