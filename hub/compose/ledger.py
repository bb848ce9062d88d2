"""Opens the ledger of a site."""

import datetime as dt
import os
from functools import lru_cache
from pathlib import Path

from hub.clock import JST
from hub.errors import LedgerError, SiteError
from hub.ledger.identity import with_identity, with_password
from hub.ledger.keyfile import PseudonymKeys, pseudonym_keys
from hub.ledger.model import Pseudonyms
from hub.ledger.rotated import open_keyed
from hub.ledger.schema import (
    ANSWER_SECONDS,
    check_schema,
    is_empty,
    migrate,
    open_engine,
)
from hub.ledger.store import DatabaseLedger
from hub.pki.names import OPERATOR, database_host
from hub.secret import read_secret
from hub.site import Site
from hub.tls import identity_of
from schemas.evidence.note import CosignerVerifier, NoteError, SignedNote, Signer

_UPDATE = (
    "nothing was started: an update has an order, which begins with a backup and 'renkei broker "
    "apply' (docs/operations/install.md)"
)


def pseudonyms(site: Site) -> Pseudonyms:
    """Give the keyed digests of this site: the same object to all that ask, for the same keys.

    Raises:
        SiteError: the key is missing, readable by others, or none.
    """
    source = site.hub.pseudonym_key_file
    return _keyed(pseudonym_keys(source, read_secret(source)))


@lru_cache(maxsize=4)
def _keyed(keys: PseudonymKeys) -> Pseudonyms:
    # Whoever looks up has to know what the same digests have learnt where they were made.
    return keys.pseudonyms()


def ledger_url(site: Site, process: str = OPERATOR) -> str:
    """Give the ledger's URL with its password, and with the certificate of a process.

    Raises:
        SiteError: the password cannot be read.
        LedgerError: the URL cannot be read.
    """
    url = site.hub.ledger
    if site.hub.ledger_password_file is not None:
        url = with_password(url, read_secret(site.hub.ledger_password_file))
    identity = identity_of(site, process) if database_host(site) else None
    return url if identity is None else with_identity(url, identity)


def prepare_ledger(site: Site, *, anew: bool = False) -> None:
    """Make the ledger of a new site, or bring its schema up to date.

    Raises:
        LedgerError: it cannot be done, or there is none although the site's adapters have
            worked: an empty one (``anew``) would have forgotten what was sent to whom.
    """
    url = ledger_url(site)
    worked = [name for name, system in site.systems.items() if system.journal.exists()]
    if worked and not anew and is_empty(url):
        message = (
            f"there is no ledger, but the adapters of {', '.join(worked)} have worked: restore "
            "its newest backup; 'renkei ledger migrate --anew' begins with an empty one"
        )
        raise LedgerError(message)
    if anew and is_empty(url):
        put_aside(site.hub.ledger_witness_file)
    migrate(url)


def begin_ledger(site: Site) -> bool:
    """Make the ledger of a new site, which is said; else see that it is one of this program's.

    Raises:
        LedgerError: as for ``prepare_ledger``; or its schema is an older one. Nobody brings that
            up to date unasked: the program before could not read it any more.
    """
    url = ledger_url(site)
    if is_empty(url):
        prepare_ledger(site)
        return True
    engine = open_engine(url)
    try:
        check_schema(engine)
    except LedgerError as error:
        raise LedgerError(f"{error}; {_UPDATE}") from error
    finally:
        engine.dispose()
    return False


def put_aside(witness: Path) -> None:
    """Keep what was known of the ledger before: the new one is another."""
    if witness.exists():
        stamp = dt.datetime.now(JST).strftime("%Y%m%d-%H%M%S")
        witness.rename(witness.with_name(f"{witness.name}.before-{stamp}"))


def ledger_signer(site: Site) -> Signer:
    """Give the key that signs the ledger.

    Raises:
        SiteError: it is missing, readable by others, or no signing key.
    """
    path = site.hub.ledger_key_file
    try:
        return Signer(read_secret(path).get_secret_value())
    except NoteError as error:
        raise SiteError(f"the secret {path} is no signing key: {error}") from None


def open_ledger(
    site: Site, answer_seconds: float = ANSWER_SECONDS, process: str = OPERATOR
) -> DatabaseLedger:
    """Open the ledger, to add to it and to read it.

    ``answer_seconds`` is how long the database may take for one answer; ``process`` is whose
    certificate it sees.

    Raises:
        SiteError: a secret cannot be read.
        LedgerError: it cannot be reached, or its schema is not this program's.
    """
    url, signer = ledger_url(site, process), ledger_signer(site)
    return open_keyed(url, signer, pseudonyms(site), answer_seconds)


def known_cosigners(site: Site) -> tuple[CosignerVerifier, ...]:
    """Give the second parties whose signatures may stand under checkpoints."""
    return tuple(CosignerVerifier.parse(text) for text in site.hub.ledger_cosigners)


def read_witness(site: Site) -> SignedNote | None:
    """Give the newest sealed head that was kept outside the database; none where none was.

    Raises:
        LedgerError: the file cannot be read, or holds something else.
    """
    path = site.hub.ledger_witness_file
    try:
        return SignedNote.parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, NoteError) as error:
        raise LedgerError(f"the witness {path} cannot be read: {error}") from None


def witness_place_fault(site: Site) -> str:
    """Say why no head can be kept where the site wants it; empty where one can be."""
    folder = site.hub.ledger_witness_file.parent
    if not folder.is_dir():
        return f"the folder {folder} of hub.ledger_witness_file is not there: no head can be kept"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"this account may not write into {folder}, where the ledger's head is to be kept"
    return ""
