"""By which certificate a process logs in to the ledger's database: it stands in the URL.

Whoever opens the ledger anew, in another process too, comes with the same certificate so.
"""

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import LedgerError
from hub.tls import Identity

PORT = 5432
"""PostgreSQL's, where the URL has none."""
FOLDER, PROCESS, VERSION = "renkei_tls", "renkei_process", "renkei_tls_version"


def with_identity(url: str, identity: Identity) -> str:
    """Say in the URL of a ledger in PostgreSQL by which certificate to log in; SQLite needs none.

    Raises:
        LedgerError: the URL cannot be read.
    """
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError):
        raise LedgerError("the URL of the ledger cannot be read") from None
    if parsed.drivername == "sqlite":
        return url
    said = {
        FOLDER: str(identity.folder),
        PROCESS: identity.process,
        VERSION: identity.min_version,
    }
    return parsed.update_query_dict(said).render_as_string(hide_password=False)
