"""What the commands about the ledger share: where it is, and who asks."""

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.errors import SiteError
from hub.message import AccessItems
from schemas.hidden import mask_my_numbers
from schemas.numbers import MyNumber

if TYPE_CHECKING:
    from hub.ledger.store import DatabaseLedger
    from hub.site import Site

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        help="A demo's folder, in place of --site.",
        exists=True,
        file_okay=False,
        show_default=False,
    ),
]
StaffOption = Annotated[
    str,
    typer.Option(
        "--staff",
        help="Who asks, as the ledger is to name them; default: this account's name.",
        show_default=False,
    ),
]
DepartmentOption = Annotated[
    str, typer.Option("--department", help="The department of who asks.", show_default=False)
]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, for the ledger.", show_default=False)
]


def site_file(site: Path | None, state: Path | None) -> Path:
    """Give the site file that is meant.

    Raises:
        typer.BadParameter: neither or both are given.
        SiteError: the folder is no demo's.
    """
    if (site is None) == (state is None):
        both = "give --site or --state, and not both"
        neither = "give --site FILE, or --state FOLDER of a demo: it says which ledger is meant"
        raise typer.BadParameter(neither if site is None else both)
    if site is not None:
        return site
    path = (state or Path()) / "site.toml"
    if not path.is_file():
        raise SiteError(f"{state} is no demo's folder: it has no site.toml")
    return path


@contextmanager
def opened(site: Path | None, state: Path | None) -> "Iterator[tuple[Site, DatabaseLedger]]":
    """Open the ledger that is meant, to read it and to add to it.

    Raises:
        RenkeiError: it is not there, or cannot be used; the text says what to do.
    """
    from hub.compose.ledger import open_ledger  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415

    settings = load_site(site_file(site, state))
    ledger = open_ledger(settings)
    try:
        yield settings, ledger
    finally:
        ledger.close()


def asked_by(staff: str, department: str, reason: str, operation: str) -> AccessItems:
    """Give the access items of a command; the account's name stands where none is given.

    The account is in the terminal besides: ``--staff`` is a word that anybody can type.

    Raises:
        typer.BadParameter: the name is blank.
    """
    if staff and not any(sign.isprintable() and not sign.isspace() for sign in staff):
        raise typer.BadParameter("the name is blank", param_hint="--staff")
    account = _account()
    terminal = f"{account}@{socket.gethostname()}"
    # A 個人番号 that somebody typed by mistake would stand in the ledger for years.
    words = (staff.strip() or account, department, terminal, reason, operation)
    kept = tuple(map(mask_my_numbers, words))
    if kept != words:
        typer.echo(f"what looks like a 個人番号 is recorded as {MyNumber.MASK}", err=True)
    return AccessItems(*kept)


def _account() -> str:
    """Give the name of the account that runs this, whatever its environment says of it."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # as in a container that was given a number alone
        return str(number)
