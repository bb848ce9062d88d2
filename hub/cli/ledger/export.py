"""``renkei ledger export``."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ledger.common import (
    DepartmentOption,
    ReasonOption,
    StaffOption,
    StateOption,
    asked_by,
    opened,
)
from hub.cli.options import MaybeSiteOption

if TYPE_CHECKING:
    from hub.ledger.evidence.export import Exported, Progress


def export_ledger(  # noqa: PLR0913 - typer makes an option of each
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="A new folder, or that of an earlier export, which is brought up to date.",
            file_okay=False,
            show_default=False,
        ),
    ],
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Write the whole ledger as files that tools of others can verify (C2SP tlog-tiles).

    The export is recorded in the ledger first, and a checkpoint is signed that covers it. Says
    how to verify the folder without the hub, and which entries are destroyed and so not in it.

    Exit status: 0 the export is whole; 1 it could not be made, and DIR is as it was.
    """
    import datetime as dt  # noqa: PLC0415 - see hub.cli.main

    from hub.compose.ledger import ledger_signer  # noqa: PLC0415
    from hub.ledger.evidence.export import export  # noqa: PLC0415

    access = asked_by(staff, department, reason, "renkei ledger export")
    with opened(site, state) as (settings, ledger), _bar() as progress:
        verifier = ledger_signer(settings).verifier
        now = dt.datetime.now(dt.UTC)
        made = export(ledger, verifier, folder, access, now, progress=progress)
    typer.echo(json.dumps(_facts(made)) if as_json else _said(made, folder, verifier.text()))


def _facts(made: "Exported") -> dict[str, object]:
    return {
        "log": made.checkpoint.origin,
        "size": made.checkpoint.size,
        "root": made.checkpoint.root.hex(),
        "before": made.before,
        "destroyed": made.destroyed,
    }


def _said(made: "Exported", folder: Path, key: str) -> str:
    size = made.checkpoint.size
    was = f" ({made.before} were there before)" if made.before else ""
    ranges = [f"{first}-{last}" for first, last in made.destroyed]
    destroyed = "".join(f" --destroyed {one}" for one in ranges)
    lines = [f"{folder}: {size} entries of {made.checkpoint.origin}{was}"]
    if ranges:
        lines.append(f"destroyed, so only their hashes are there: {', '.join(ranges)}")
    lines.append(f"to verify: python -m schemas.evidence.audit {folder} --key {key}{destroyed}")
    return "\n".join(lines)


@contextmanager
def _bar() -> "Iterator[Progress]":
    """Show a bar on stderr, where that is a terminal."""
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main
    from rich.progress import Progress as Bar  # noqa: PLC0415

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("entries", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
