"""What administrators see and change of people, the roles granted here, and the audit log."""

import sqlalchemy as sa
from alembic import op

from entrada.users.migrations.audit_guards import guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PROFILE = ("email_folded", "given_name", "family_name", "department", "job_title", "photo")
INDEXES = {
    "entrada_user_by_age": ["created_at", "id"],
    "entrada_user_by_name": ["name", "id"],
    "entrada_user_by_last_sign_in": ["last_sign_in_at", "id"],
    "entrada_user_by_email": ["email_folded"],
    "entrada_user_admins": ["is_admin", "is_active"],
}
AUDIT_INDEXES = {
    "time": ["at", "id"],
    "person": ["person", "at", "id"],
    "action": ["action", "at", "id"],
    "outcome": ["outcome", "at", "id"],
    "resource": ["resource", "at", "id"],
    "address": ["address", "at", "id"],
}


def upgrade() -> None:
    """Widen people, and make the tables."""
    _widen_people()
    op.create_table(
        "entrada_role_grant",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("entrada_user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("role", sa.String, primary_key=True),
        sa.Column("granted_at", sa.DateTime, nullable=False),
        sa.Column("granted_by", sa.String),
    )
    _make_audit()
    for statement in guards(op.get_bind().dialect.name):
        op.execute(statement)


def _widen_people() -> None:
    for name in PROFILE:
        op.add_column("entrada_user", sa.Column(name, sa.String))
    op.add_column("entrada_user", sa.Column("is_admin", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("entrada_user", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.add_column("entrada_user", sa.Column("edited", sa.String, nullable=False, server_default=""))
    op.execute("UPDATE entrada_user SET email_folded = lower(email)")
    for name, columns in INDEXES.items():
        op.create_index(name, "entrada_user", columns)


def _make_audit() -> None:
    integer = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    texts = ("reason", "tenant_id", "resource", "correlation_id", "uti", "user_key", "label", "address", "user_agent")
    op.create_table(
        "entrada_audit",
        sa.Column("id", integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("stream", "action", "outcome", "key_id")),
        *(sa.Column(name, sa.String) for name in texts),
        sa.Column("person", sa.Uuid),
        sa.Column("details", sa.Text),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("who_seal", "what_seal", "hash", "mac")),
    )
    for name, columns in AUDIT_INDEXES.items():
        op.create_index(f"entrada_audit_by_{name}", "entrada_audit", columns)
    streams = op.create_table(
        "entrada_audit_stream",
        sa.Column("name", sa.String, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("last_id", "rows", "pruned_to")),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("hash", "pruned_hash", "mac")),
        sa.Column("key_id", sa.String, nullable=False),
    )
    empty = {"last_id": 0, "rows": 0, "pruned_to": 0, "hash": b"", "pruned_hash": b"", "mac": b"", "key_id": ""}
    op.bulk_insert(streams, [{"name": name, **empty} for name in ("activity", "administration")])


def downgrade() -> None:
    """Forget all of it."""
    for table in ("entrada_audit", "entrada_audit_stream", "entrada_role_grant"):
        op.drop_table(table)
    for name in INDEXES:
        op.drop_index(name, "entrada_user")
    with op.batch_alter_table("entrada_user") as people:
        for name in (*PROFILE, "is_admin", "version", "edited"):
            people.drop_column(name)
