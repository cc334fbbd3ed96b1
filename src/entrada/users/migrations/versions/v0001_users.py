"""The users."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of users and its two keys."""
    op.create_table(
        "entrada_user",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.String),
        sa.Column("object_id", sa.String),
        sa.Column("issuer", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("username", sa.String, nullable=False),
        sa.Column("email", sa.String),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("last_sign_in_at", sa.DateTime, nullable=False),
    )
    in_tenant, elsewhere = sa.text("object_id IS NOT NULL"), sa.text("object_id IS NULL")
    op.create_index(
        "entrada_user_in_tenant",
        "entrada_user",
        ["tenant_id", "object_id"],
        unique=True,
        sqlite_where=in_tenant,
        postgresql_where=in_tenant,
    )
    op.create_index(
        "entrada_user_at_issuer",
        "entrada_user",
        ["issuer", "subject"],
        unique=True,
        sqlite_where=elsewhere,
        postgresql_where=elsewhere,
    )


def downgrade() -> None:
    """Forget the users."""
    op.drop_table("entrada_user")
