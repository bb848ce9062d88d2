"""What an entry's code is about, and a short way to the changes of the catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty in what is there, and the index."""
    detail = sa.Column("detail", sa.Text, nullable=False, server_default="")
    op.add_column("ledger_entries", detail)
    op.create_index(
        "ledger_entries_catalogue",
        "ledger_entries",
        ["seq"],
        sqlite_where=sa.text("kind = 'catalogue-change'"),
        postgresql_where=sa.text("kind = 'catalogue-change'"),
    )
