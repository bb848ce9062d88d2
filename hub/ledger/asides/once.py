"""Changes a row only where it still is as this process knows it."""

from sqlalchemy import Connection, Update

from hub.errors import LedgerError

MEANWHILE = "somebody else has changed the same meanwhile: ask again"


def change_one(connection: Connection, changed: Update) -> None:
    """Change exactly one row.

    Raises:
        LedgerError: it is not there as it was.
    """
    if connection.execute(changed).rowcount != 1:
        raise LedgerError(MEANWHILE)
