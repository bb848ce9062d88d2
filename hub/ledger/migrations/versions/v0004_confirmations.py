"""Bindings of residents to their numbers, and the messages that wait for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables; nobody is bound yet, and nothing waits."""
    big = sa.Integer().with_variant(sa.BigInteger, "postgresql")
    op.create_table(
        "ledger_bindings",
        sa.Column("resident", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_confirmations",
        sa.Column("id", big, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        *_texts("sender", "message_id", "message_type", "resident", "code", "bucket", "state"),
        sa.Column("decided", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=True),
    )
    op.create_index(
        "ledger_confirmations_kept",
        "ledger_confirmations",
        ["state"],
        sqlite_where=sa.text("body IS NOT NULL"),
        postgresql_where=sa.text("body IS NOT NULL"),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
