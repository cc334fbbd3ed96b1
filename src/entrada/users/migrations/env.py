"""What Alembic runs; the connection, already in a transaction, is given by `users.database`."""

from alembic import context

from entrada.users.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="entrada_schema",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
