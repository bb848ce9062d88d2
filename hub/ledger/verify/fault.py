"""What verification finds wrong, and how a database that cannot be read becomes that."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from hub.errors import LedgerError

_OF_THE_MOMENT = frozenset({3, 5, 6, 7, 8, 9, 10, 13, 14, 15, 23})
"""SQLite's codes for what is no property of the file: locks, memory, permissions, the disk."""
_OF_THE_DATA = ("21", "22", "23", "42", "XX")
"""SQLSTATE classes for what is: values, missing tables and columns, damaged pages."""
_SQLITE_KIND = 0xFF


class Fault(Exception):
    """Something of the ledger is not as it was written.

    ``entry`` is the first entry that is concerned, where it is about entries. The text names
    tables, tiles and numbers, never a value.
    """

    def __init__(self, entry: int | None, text: str) -> None:
        super().__init__(entry, text)
        self.entry = entry
        self.text = text


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn what a damaged database answers into a fault.

    Raises:
        Fault: ``what`` cannot be read as it stands.
        LedgerError: the database cannot be read at this moment; nothing is known of the ledger.
    """
    try:
        yield
    except UnicodeDecodeError:
        raise Fault(None, f"{what}: a text is not UTF-8") from None
    except DBAPIError as error:
        code = _code(error.orig)
        if not _is_of_the_data(error.orig):
            message = f"the ledger could not be verified ({what}): the database says {code}"
            raise LedgerError(message) from None
        raise Fault(None, f"{what}: the database cannot read it ({code})") from None


def _is_of_the_data(cause: BaseException | None) -> bool:
    state = _state(cause)
    if state is not None:
        return state.startswith(_OF_THE_DATA)
    kind = getattr(cause, "sqlite_errorcode", None)
    # Python's driver gives no code for a text that is not UTF-8.
    return kind is None or kind & _SQLITE_KIND not in _OF_THE_MOMENT


def _code(cause: BaseException | None) -> str:
    # Not its sentence, which may quote a value.
    state = _state(cause)
    if state is not None:
        return f"SQLSTATE {state}"
    return str(getattr(cause, "sqlite_errorname", None) or type(cause).__name__)


def _state(cause: BaseException | None) -> str | None:
    """Give PostgreSQL's SQLSTATE; none for SQLite, empty where the server is gone."""
    answer = cause.args[0] if cause is not None and cause.args else None
    if isinstance(answer, dict):
        return str(answer.get("C", ""))
    return "" if type(cause).__module__.startswith("pg8000") else None
