"""Run migrations on the connection that ``hub.ledger.schema`` hands over."""

from alembic import context

from hub.ledger.schema import VERSION_TABLE
from hub.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
