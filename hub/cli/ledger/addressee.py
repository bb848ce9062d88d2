"""How commands are told whom they are about, and which days; numbers never stand in an error."""

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.numbers import is_addressee_number

if TYPE_CHECKING:
    from hub.ledger.model import Pseudonyms
    from hub.ledger.store import DatabaseLedger

AddresseeOption = Annotated[
    str | None,
    typer.Option(
        "--addressee",
        help="The resident's 宛名番号, as the systems write it. It then stands in the shell's "
        "history and in the list of processes, where others may read it: prefer --addressee-file.",
        show_default=False,
    ),
]
AddresseeFileOption = Annotated[
    str | None,
    typer.Option(
        "--addressee-file",
        metavar="FILE",
        help="A file that holds the resident's 宛名番号 and nothing else; - reads stdin.",
        show_default=False,
    ),
]
UNKNOWN_NUMBER = (
    "Systems write a 宛名番号 with or without leading zeros, and to the ledger these are two "
    "numbers: look how the sender's files have it"
)
DOUBTFUL = (
    "the number looks like a 個人番号; the ledger knows a resident with it as 宛名番号: see that "
    "this is whom you mean"
)
_MOST_CHARACTERS = 200


def day(text: str) -> dt.date:
    """Read a day from a command line.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("this is no day; write it as 2026-04-01") from None


FromOption = Annotated[
    dt.date | None,
    typer.Option(
        "--from",
        metavar="DATE",
        parser=day,
        help="The first day in Japan, as 2026-04-01; left out, the period is open.",
        show_default=False,
    ),
]
ToOption = Annotated[
    dt.date | None,
    typer.Option(
        "--to",
        metavar="DATE",
        parser=day,
        help="The last day in Japan, itself included; left out, the period is open.",
        show_default=False,
    ),
]


def check_days(begin: dt.date | None, end: dt.date | None) -> None:
    """Make sure that a period does not end before it begins.

    Raises:
        typer.BadParameter: it does.
    """
    if begin is not None and end is not None and end < begin:
        raise typer.BadParameter("--to is before --from")


def addressee_number(number: str | None, file: str | None) -> str | None:
    """Give the 宛名番号 that is meant, or none where none is given.

    Raises:
        typer.BadParameter: both are given, the file cannot be read, or it is no such number.
    """
    if number is not None and file is not None:
        raise typer.BadParameter("give either --addressee or --addressee-file")
    if file is not None:
        return _checked(_read(file), "what --addressee-file names")
    return None if number is None else _checked(number, "--addressee")


def residents_meant(
    ledger: "DatabaseLedger", pseudonyms: "Pseudonyms", number: str
) -> tuple[str, ...]:
    """Give the pseudonyms of whom a number means; says so where it looks like a 個人番号.

    Raises:
        QuestionError: it looks like one, and the ledger knows nobody with it as 宛名番号.
        LedgerError: the ledger cannot be read.
    """
    from hub.ledger.search.whom import whom  # noqa: PLC0415 - see hub.cli.main

    found = whom(ledger, pseudonyms, number)
    if found.is_doubtful:
        typer.echo(DOUBTFUL, err=True)
    return found.residents


def _read(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read(_MOST_CHARACTERS)
        with Path(file).open(encoding="utf-8-sig") as opened:
            return opened.read(_MOST_CHARACTERS)
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        message = f"the file of --addressee-file cannot be read: {error.strerror}"
        raise typer.BadParameter(message) from None


def _checked(text: str, what: str) -> str:
    if not is_addressee_number(text.strip()):
        message = f"{what} is no 宛名番号: it is 1 to 15 digits and nothing else"
        raise typer.BadParameter(message)
    return text.strip()
