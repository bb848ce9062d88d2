"""``renkei ledger disclose``."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.ledger.addressee import (
    UNKNOWN_NUMBER,
    AddresseeFileOption,
    AddresseeOption,
    FromOption,
    ToOption,
    addressee_number,
    check_days,
    residents_meant,
)
from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    asked_by,
    site_file,
)
from hub.cli.options import MaybeSiteOption
from hub.clock import JST

_FORMATS = ("html", "pdf", "json")


def _formats(text: str) -> str:
    wanted = text.split(",")
    if not set(wanted) <= set(_FORMATS):
        message = f"--format takes {', '.join(_FORMATS)}, divided by commas"
        raise typer.BadParameter(message)
    return text


def disclose_ledger(  # noqa: PLR0913, PLR0917 - one for each option
    site: MaybeSiteOption = None,
    state: StateOption = None,
    addressee: AddresseeOption = None,
    addressee_file: AddresseeFileOption = None,
    begin: FromOption = None,
    end: ToOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The folder for the files; default: disclosure-<date>-<time> in this folder.",
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    formats: Annotated[
        str,
        typer.Option("--format", callback=_formats, help="Which files: html, pdf, json."),
    ] = ",".join(_FORMATS),
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    *,
    show_staff: Annotated[
        bool, typer.Option("--show-staff", help="Name the members of staff in the report.")
    ] = False,
) -> None:
    """Write what a resident is told: who received what about them, by which article, and when.

    Writes disclosure.html, disclosure.pdf and disclosure.json in Japanese, readable by this
    account alone, and prints their names. docs/howto/answer-a-disclosure-request.md says what to
    look at before they are handed over.

    Give the resident's number in a file, or on stdin with `--addressee-file -`: a number on the
    command line can be read in the list of processes. The disclosure is recorded in the ledger
    before it is made, and each file's SHA-256 before it gets its name.

    Exit status: 0 written; 1 it could not be, and there are no files; 2 the command line is
    wrong.
    """
    from hub.compose.checked import load_checked  # noqa: PLC0415 - see hub.cli.main
    from hub.compose.ledger import open_ledger, pseudonyms  # noqa: PLC0415
    from hub.desks.disclose import Request, read_disclosure, write_disclosure  # noqa: PLC0415
    from hub.disclosure.transfers import Period  # noqa: PLC0415
    from hub.site import HUB_USER  # noqa: PLC0415

    check_days(begin, end)
    if out is not None and out.suffix.removeprefix(".").lower() in _FORMATS and not out.exists():
        message = "this is the folder for the files, which have their own names, and no file's name"
        raise typer.BadParameter(message, param_hint="--out")
    number = addressee_number(addressee, addressee_file)
    if number is None:
        raise typer.BadParameter("give --addressee-file (or --addressee): whom it is about")
    now = dt.datetime.now(JST)
    settings, catalogue = load_checked(site_file(site, state), (HUB_USER,))
    names = pseudonyms(settings)
    access = asked_by(staff, department, reason, "ledger disclose")
    request = Request(number, Period(begin, end), show_staff)
    ledger = open_ledger(settings)
    try:
        residents_meant(ledger, names, number)
        made = read_disclosure(ledger, catalogue, names, request, access=access, now=now)
        folder = out or Path(now.strftime("disclosure-%Y%m%d-%H%M%S"))
        wanted = dict.fromkeys(formats.split(","))
        files = write_disclosure(ledger, names, made, folder, formats=wanted, access=access)
    finally:
        ledger.close()
    if not made.rows:
        message = "nobody with this number is in the ledger, or nothing moved about them in this "
        typer.echo(f"{message}period: the files say so. {UNKNOWN_NUMBER}", err=True)
    typer.echo(f"{len(made.rows)} transfers; written:")
    for file in files:
        typer.echo(str(file))
