"""What the commands about years share: progress, a folder to work in, and who has it done."""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import asked_by, site_file

if TYPE_CHECKING:
    from hub.ledger.years.records import Order
    from hub.site import Site

IdentityOption = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        help="The identity file that opens it; renkei ledger archive-key made it.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]
_UNIT = 1024


@contextmanager
def steps() -> "Iterator[Callable[[str, int, int], None]]":
    """Show a bar on stderr for what is being done, where that is a terminal."""
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main
    from rich.progress import Progress as Bar  # noqa: PLC0415

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, whole: bar.update(
            task, description=what, completed=done, total=whole
        )


@contextmanager
def work_folder(site: Path | None, state: Path | None) -> Iterator[Path]:
    """Give a folder beside the site file, for this account alone; it is gone at the end.

    There, and not where the system keeps temporary files: it may hold a whole plain ledger.
    """
    beside = site_file(site, state).resolve().parent
    with tempfile.TemporaryDirectory(prefix=".renkei-ledger-", dir=beside) as folder:
        yield Path(folder)


def ordered(  # noqa: PLR0913 - who has what done
    settings: "Site",
    staff: str,
    department: str,
    reason: str,
    operation: str,
    *,
    plain: bool = False,
) -> "Order":
    """Give who has it done, with the hub's key and the site's recipients.

    Raises:
        SiteError: the hub's key cannot be read.
    """
    from hub.clock import JST  # noqa: PLC0415 - see hub.cli.main
    from hub.compose.ledger import ledger_signer  # noqa: PLC0415
    from hub.ledger.years.records import Order  # noqa: PLC0415

    recipients = () if plain else settings.hub.archive_recipients
    access = asked_by(staff, department, reason, operation)
    return Order(access, dt.datetime.now(JST), ledger_signer(settings), recipients)


def month_of_text(text: str) -> int:
    """Read a month as people write it, 2026-11, as the ledger does, 202611.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        day = dt.datetime.strptime(text, "%Y-%m")  # noqa: DTZ007 - a month has no zone
    except ValueError:
        raise typer.BadParameter(f"{text} is no month; write it as 2026-11") from None
    return day.year * 100 + day.month


def size_said(count: int) -> str:
    """Give a number of bytes as people read it."""
    size, unit = float(count), "bytes"
    for unit in ("bytes", "KiB", "MiB", "GiB"):  # noqa: B007 - the last one is used
        if size < _UNIT:
            break
        size /= _UNIT
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
