"""What Alembic runs; the connection, already in a transaction, is given by `users.database`."""

from alembic import context

from entrada.users.tables import metadata
from entrada.users.upgrade import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    on_version_apply=context.config.attributes["applied"],
)
with context.begin_transaction():
    context.run_migrations()
