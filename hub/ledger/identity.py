"""Who logs in to the ledger's database, by which password or certificate: it stands in the URL.

Whoever opens the ledger anew, in another process too, comes with the same certificate so.
"""

from pydantic import SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import LedgerError
from hub.tls import Identity

PORT = 5432
"""PostgreSQL's, where the URL has none."""
FOLDER, PROCESS, VERSION = "renkei_tls", "renkei_process", "renkei_tls_version"


def read_url(url: str) -> URL:
    """Read a ledger's URL.

    Raises:
        LedgerError: it cannot be read. The text is without it, which may have a password in it.
    """
    try:
        return make_url(url)
    except (SQLAlchemyError, ValueError):
        raise LedgerError("the URL of the ledger cannot be read") from None


def with_password(url: str, password: SecretStr) -> str:
    """Put a password into a ledger's URL.

    Raises:
        LedgerError: the URL cannot be read.
    """
    whole = read_url(url).set(password=password.get_secret_value())
    return whole.render_as_string(hide_password=False)


def with_identity(url: str, identity: Identity) -> str:
    """Say in the URL of a ledger in PostgreSQL by which certificate to log in; SQLite needs none.

    Raises:
        LedgerError: the URL cannot be read.
    """
    parsed = read_url(url)
    if parsed.drivername == "sqlite":
        return url
    said = {
        FOLDER: str(identity.folder),
        PROCESS: identity.process,
        VERSION: identity.min_version,
    }
    return parsed.update_query_dict(said).render_as_string(hide_password=False)
