"""Make what a site file names and what is not there yet: secrets, and the folders around it."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import adapters
from hub.compose.checked import load_named
from hub.edge.folders import Folders
from hub.errors import SiteError
from hub.pki.check import key_here
from hub.secret import SecretPlace
from hub.site import Site
from hub.tls import CA, shared
from schemas.evidence.note import Signer

SECRET_MODE = 0o600
SECRET_BYTES = 32
MAKE_RECIPIENT = (
    "on a machine where the hub is not: renkei ledger archive-key --out archive.key; its public "
    "key (age1…) into archive_recipients under [hub]"
)
"""How backups get somebody to whom they are encrypted; the name of the site file follows."""
_SQLITE = "sqlite:///"
_ENTERED_BY_GROUP = 0o027
"""The umask for the folders of a system, whose group may enter them; as its adapter's."""


def prepare(path: Path) -> tuple[list[Path], list[str]]:
    """Make the missing secrets, with random content, and the missing folders of a site.

    What is there is left as it is, so it may be asked again at any time.

    Returns:
        What was made, and what is left to do, in order.

    Raises:
        SiteError: the site file has faults, or something cannot be made; or the pseudonym key
            is missing though the site has worked before, and a new one would not do.
        EdgeError: a system's folder cannot be made.
    """
    site = load_named(path)
    _refuse_a_second_key(site)
    made = [secret for secret in _files(_secrets(site)) if _make_secret(secret, _random())]
    made += (
        key
        for key in _files([site.hub.ledger_key_file])
        if _make_secret(key, new_ledger_key(site.hub.ledger_name))
    )
    made += [folder for folder in _private_folders(site) if _make_folder(folder)]
    with _umask(_ENTERED_BY_GROUP):
        for name, system in site.systems.items():
            is_new = not system.folder.exists()
            carried = name in adapters.systems() and adapters.find(name).courier is not None
            Folders(system.folder).make(shared=not carried)
            made += [system.folder] if is_new else []
    return made, _left(path, site, made)


def notes(path: Path, site: Site) -> list[str]:
    """Say what is no fault of a site, and will be missed one day."""
    found: list[str] = []
    if not site.hub.archive_recipients:
        found.append(f"no backup can be encrypted: {MAKE_RECIPIENT} of {path}")
    if site.tls.folder is not None and (text := key_here(site.tls.folder)):
        found.append(text)
    return found


def _refuse_a_second_key(site: Site) -> None:
    """Make no new key where entries were made with another one."""
    missing = [
        (path, loss)
        for path, loss in (
            (site.hub.pseudonym_key_file, "no entry could be matched to a resident any more"),
            (
                site.hub.ledger_key_file,
                "the ledger could not go on: its head is sealed by this key",
            ),
        )
        if isinstance(path, Path) and not path.exists()
    ]
    if not missing:
        return
    worked = [one.journal for one in site.systems.values() if one.journal.exists()]
    ledger = _ledger_file(site)
    if ledger is not None and ledger.exists():
        worked.insert(0, ledger)
    if worked:
        path, loss = missing[0]
        message = (
            f"the secret {path} is missing, and {worked[0]} shows that the site has worked "
            f"before: bring the key back from its copy; with a new one, {loss}"
        )
        raise SiteError(message)


def _ledger_file(site: Site) -> Path | None:
    if not site.hub.ledger.startswith(_SQLITE):
        return None
    return Path(site.hub.ledger.removeprefix(_SQLITE))


def _files(secrets: Iterable[SecretPlace]) -> Iterator[Path]:
    """Give those that stand in files: what a command or the environment holds is made there."""
    return (secret for secret in secrets if isinstance(secret, Path))


def _secrets(site: Site) -> Iterator[SecretPlace]:
    yield site.hub.pseudonym_key_file
    broker = site.broker
    if site.console is not None:
        yield site.console.key_file
    for other in (
        site.hub.password_file,
        *(system.password_file for system in site.systems.values()),
        broker.admin_password_file,
        broker.monitor_password_file,
        site.hub.ledger_password_file,
    ):
        if other is not None:
            yield other


def _private_folders(site: Site) -> Iterator[Path]:
    ledger = _ledger_file(site)
    if ledger is not None:
        yield ledger.parent
    yield site.hub.ledger_witness_file.parent
    if site.console is not None:
        yield site.console.folder
    for system in site.systems.values():
        yield system.journal.parent


def new_ledger_key(name: str) -> str:
    """Make a key that signs a ledger; its name is that of the ledger's log (C2SP origin)."""
    return Signer.generate(f"{name}-{secrets.token_hex(4)}").text()


def _random() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def _make_secret(path: Path, content: str) -> bool:
    _make_folder(path.parent)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
    except FileExistsError:
        return False
    except OSError as error:
        raise _cannot(path, error) from error
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(handle)
    except OSError as error:
        path.unlink(missing_ok=True)  # half a secret would count as one
        raise _cannot(path, error) from error
    return True


def _make_folder(folder: Path) -> bool:
    if folder.is_dir():
        return False
    try:
        with _umask(0o077):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot(folder, error) from error
    return True


def _cannot(path: Path, error: OSError) -> SiteError:
    return SiteError(f"{path} cannot be made: {error.strerror}")


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _left(path: Path, site: Site, made: list[Path]) -> list[str]:
    """Say what is left to do, in order; it can be done again where it is done already."""
    hub, broker = site.hub, site.broker
    key = (
        f"copy {hub.pseudonym_key_file} and {hub.ledger_key_file} to where the ledger's backup is "
        "not: without the one, no entry can be matched to a resident any more; without the "
        "other, the ledger cannot go on"
    )
    left = [key]
    if not hub.archive_recipients:
        left.append(f"{MAKE_RECIPIENT} of {path}: without it no backup is made")
    left += (
        f"write what the operator of {name} gave into {system.secret_file}, for its adapter's "
        "account alone (chmod 600)"
        for name, system in site.systems.items()
        if isinstance(system.secret_file, Path) and not system.secret_file.exists()
    )
    if hub.ledger_password_file in made:
        left.append(
            f"give PostgreSQL's user the password in {hub.ledger_password_file}, or write its own "
            "password there"
        )
    if site.tls.folder is not None and not shared(site.tls.folder, CA).exists():
        left += [f"renkei pki init --site {path}", f"renkei pki issue --all --site {path}"]
    if not site.tls.plain_loopback:
        left.append(
            f"on the broker: put in place what renkei broker config --site {path} writes, and its "
            "certificate"
        )
    left.append("on the broker: rabbitmq-plugins enable rabbitmq_management")
    if broker.admin_password_file is None:
        left.append(f"name broker.admin_password_file in {path}, and run this again")
    else:
        left.append(
            f"on the broker: make the user {broker.admin_user} with the password in "
            f"{broker.admin_password_file} and the tag administrator, or write its password there"
        )
    return [
        *left,
        f"renkei site check --site {path}",
        f"renkei broker apply --site {path}",
        f"renkei ledger migrate --site {path}",
        f"renkei up --site {path}",
    ]
