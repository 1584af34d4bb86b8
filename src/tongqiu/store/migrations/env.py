"""What Alembic runs: it uses the connection, and the transaction, that the store hands over."""

from alembic import context

from tongqiu.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
