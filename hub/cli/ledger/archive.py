"""``renkei ledger archive`` and ``archive-key``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    opened,
    site_file,
)
from hub.cli.ledger.files import NewFileOption, log_key, write_new
from hub.cli.ledger.steps import IdentityOption, month_of_text, ordered, size_said, steps
from hub.cli.options import MaybeSiteOption
from hub.errors import LedgerError

if TYPE_CHECKING:
    from hub.ledger.store import DatabaseLedger
    from hub.ledger.years.archive import Archived, ClosedMonth
    from schemas.evidence.keys import Verifier


def make_key(out: NewFileOption) -> None:
    """Make a key pair for archives and backups; prints the public key.

    The file is the private half: whoever has it can read every archive and backup. Keep it, and
    a copy, where the hub is not. The public key goes into hub.archive_recipients of the site
    file. Exit status: 0 made; 1 there is a file of this name, or it cannot be written.
    """
    from hub.ledger.years.sealed import Identity  # noqa: PLC0415 - see hub.cli.main

    identity = Identity.fresh()
    write_new(out, identity.text().encode())
    typer.echo(identity.recipient)


def archive_ledger(  # noqa: PLR0913 - the options of a command
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    month: Annotated[
        str,
        typer.Option(
            "--month",
            metavar="MONTH",
            help="The month, as 2026-11; default: each closed one that has no archive yet.",
            show_default=False,
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The folder; default: archives beside the site file.", show_default=False
        ),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check",
            metavar="FILE",
            help="Check an archive instead; needs --identity, and --key or a site.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    identity: IdentityOption = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="VKEY",
            help="The hub's verifier key, for --check; each of its retired ones with one more.",
            show_default=False,
        ),
    ] = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Write closed months as encrypted files that prove their entries' place in the ledger.

    A month is closed once an entry of a later month is there. Each file is entered in the
    ledger with its SHA-256. Nothing is overwritten. --check decrypts a file and verifies it up
    to the signed root; it needs no database. Exit status: 0 written, or the archive is good;
    1 it could not be done, or the archive is not good; 2 the command line is wrong.
    """
    if check is not None:
        verifier = log_key(key) if key else _key_of(site, state)
        _check(check, identity, verifier, as_json=as_json)
        return
    folder = out or site_file(site, state).resolve().parent / "archives"
    with opened(site, state) as (settings, ledger), steps() as step:
        from hub.ledger.years.archive import archive_month  # noqa: PLC0415 - see hub.cli.main

        order = ordered(settings, staff, department, reason, "ledger archive")
        done = [
            archive_month(
                ledger, one, folder, order, lambda some, whole: step("entries", some, whole)
            )
            for one in _wanted(ledger, month)
        ]
    typer.echo(json.dumps(_facts(done)) if as_json else _said(done))


def _wanted(ledger: "DatabaseLedger", month: str) -> "list[ClosedMonth]":
    from hub.ledger.schema import ledger_errors  # noqa: PLC0415
    from hub.ledger.years.archive import closed_months  # noqa: PLC0415 - see hub.cli.main

    with ledger_errors("be read"), ledger.engine.connect() as connection:
        closed = closed_months(connection)
    if not month:
        return [one for one in closed if not one.archive and not one.month.destroyed]
    number = month_of_text(month)
    found = [one for one in closed if one.month.month == number]
    if not found:
        message = (
            f"{month} is no closed month of this ledger: a month is closed once an entry of a "
            "later month is there"
        )
        raise LedgerError(message)
    return found


def _facts(done: "list[Archived]") -> list[dict[str, object]]:
    return [
        {
            "file": str(one.path),
            "month": one.month.month.month,
            "entries": [one.month.first, one.month.last],
            "sha256": one.digest,
            "bytes": one.bytes,
        }
        for one in done
    ]


def _said(done: "list[Archived]") -> str:
    if not done:
        return "every closed month has its archive"
    return "\n".join(
        f"{one.path}: {one.month.said()}, {size_said(one.bytes)}, SHA-256 {one.digest}"
        for one in done
    )


def _key_of(site: Path | None, state: Path | None) -> "Verifier":
    from hub.compose.ledger import ledger_signer  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415

    if site is None and state is None:
        raise typer.BadParameter("--check needs --key, or the site whose key it is")
    return ledger_signer(load_site(site_file(site, state))).verifier


def _check(path: Path, identity: Path | None, key: "Verifier", *, as_json: bool) -> None:
    from hub.ledger.years.archive_check import check_archive  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.years.sealed import read_identity  # noqa: PLC0415

    if identity is None:
        raise typer.BadParameter("--check needs --identity")
    with steps() as step:
        found = check_archive(
            path,
            read_identity(identity),
            [key],
            lambda done: step("entries", done, done),
        )
    facts = {
        "file": str(path),
        "month": found.month,
        "entries": [found.first, found.last],
        "checkpoint": found.checkpoint.size,
        "root": found.checkpoint.root.hex(),
        "salts": found.salts,
        "erased_salts": found.without,
    }
    said = (
        f"{path} is good: month {found.month}, entries {found.first}-{found.last}, all in the "
        f"tree of {found.checkpoint.size} entries that {found.checkpoint.origin} has signed; "
        f"{found.salts} salts, {found.without} erased before"
    )
    typer.echo(json.dumps(facts) if as_json else said)
