"""``renkei ledger reconcile``."""

import datetime as dt
import itertools
import json
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
    site_file,
)
from hub.cli.options import MaybeSiteOption
from hub.clock import today

if TYPE_CHECKING:
    from rich.console import Console

    from hub.compose.certified import Reconciliation
    from hub.compose.reconcile import AskBroker
    from hub.site import Site
    from hub.statute.model import Catalogue

ALL = "all"
SHOWN = 50
"""How many messages of a gap a terminal shows."""
DEMO_OVER = "the demo is over and its broker with it"
BY_COMMAND = "--without-broker was given"

DayOption = Annotated[
    str,
    typer.Option(
        "--day",
        metavar="DAY",
        help="As 2026-04-01, or today, yesterday or all; in Japan.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Where the certificate goes; default: reconciliation-DAY.txt in the folder where the "
        "command runs. The list of a gap goes beside it, as NAME.gap.jsonl.",
        dir_okay=False,
        show_default=False,
    ),
]


def reconcile_ledger(  # noqa: PLR0913 - the options of a command
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    day: DayOption = "yesterday",
    without_broker: Annotated[
        bool,
        typer.Option(
            "--without-broker",
            help="Certify although nobody asks the broker; the certificate says so.",
        ),
    ] = False,
    out: OutOption = None,
    as_object: Annotated[
        bool, typer.Option("--json", help="Print a JSON object, with every message of a gap.")
    ] = False,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
) -> None:
    """Hold the senders' files, the ledger, the broker and the receipts against each other.

    For the messages of a day: sent = accepted + out of scope + refused + held + waiting, and
    accepted for each receiver = delivered + withdrawn + expired + dead-lettered + pending.
    docs/operations/reconciliation.md says what each word means and to which day a message
    belongs.

    Exit status: 0 and a signed certificate where all agrees; 1 where a message is missing
    somewhere, or a side could not be asked. Every message of the gap is named, with what is
    missing on which side. The ledger records what it came to.
    """
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main

    from hub.compose.certified import reconciled  # noqa: PLC0415
    from hub.compose.checked import load_checked  # noqa: PLC0415
    from hub.desks.shelf import undecided  # noqa: PLC0415
    from hub.edge import files  # noqa: PLC0415
    from hub.ledger.beside import Shelf  # noqa: PLC0415
    from hub.reconcile.report import as_json  # noqa: PLC0415
    from hub.site import HUB_USER  # noqa: PLC0415

    when = _day(day)
    path = site_file(site, state)
    _, catalogue = load_checked(path, {HUB_USER})
    access = asked_by(staff, department, reason, "ledger reconcile")
    console = Console(stderr=as_object)
    with (
        opened(site, state) as (settings, ledger),
        Console(stderr=True).status("reconciling ..."),
        reconciled(
            settings,
            catalogue,
            ledger,
            when,
            ask=_broker(state, settings, catalogue),
            access=access,
            without_broker=BY_COMMAND if without_broker else "",
        ) as result,
    ):
        certificate = out or Path(f"reconciliation-{result.head.day}.txt")
        target = certificate if result.reconciled else certificate.with_suffix(".gap.jsonl")
        if result.reconciled or result.document:
            files.write_whole(target.absolute(), result.document, files.PRIVATE_MODE)
        meant = f"--site {path}" if state is None else f"--state {state}"
        dead = undecided(ledger, Shelf.DEAD_LETTER)
        _show(result, target, console, dead=dead, where=meant)
        if as_object:
            answer = as_json(result.sheet, result.head, reconciled=result.reconciled)
            answer["certificate"] = str(target) if result.reconciled else None
            typer.echo(json.dumps(answer, ensure_ascii=False))
    raise typer.Exit(0 if result.reconciled else 1)


def _day(text: str) -> dt.date | None:
    """Give the day that is meant; nothing for all there is."""
    if text == ALL:
        return None
    try:
        near = {"today": 0, "yesterday": 1}
        day = today() - dt.timedelta(near[text]) if text in near else dt.date.fromisoformat(text)
    except ValueError:
        message = f"{text} is no day; write it as 2026-04-01, or today, yesterday or all"
        raise typer.BadParameter(message, param_hint="--day") from None
    if day > today():
        raise typer.BadParameter(f"{day} is still to come", param_hint="--day")
    return day


def _broker(state: Path | None, site: "Site", catalogue: "Catalogue") -> "AskBroker":
    from hub.compose.reconcile import broker_of  # noqa: PLC0415 - see hub.cli.main
    from hub.demo.state import is_over  # noqa: PLC0415
    from hub.reconcile.model import Waiting  # noqa: PLC0415

    if state is not None and is_over(state):
        return lambda: Waiting(hub=0, out={}, taken={}, note=DEMO_OVER)
    return broker_of(site, catalogue)


def _show(
    result: "Reconciliation", target: Path, console: "Console", *, dead: int, where: str
) -> None:
    from rich.markup import escape  # noqa: PLC0415 - see hub.cli.main

    from hub.cli.ledger.reconcile_tables import flow_table, source_table  # noqa: PLC0415
    from hub.reconcile.report import flow_lines, source_lines  # noqa: PLC0415

    sheet, head = result.sheet, result.head
    sources = [line for line in source_lines(sheet) if line.total or line.records]
    flows = [line for line in flow_lines(sheet) if line.has_moved]
    console.print(f"Day {head.day}, from a ledger of {head.size:,} entries", style="bold")
    if sources:
        console.print("What was sent, in messages", style="bold")
        console.print(source_table(sources))
        console.print("What became of it, flow by flow", style="bold")
        console.print(flow_table(flows))
    else:
        console.print("Nothing was sent and nothing was decided.")
    waits = [f"waiting:   {dead:,} dead letters for a person: renkei dead-letters list {where}"]
    for line in (*_sides(result), *(waits if dead else ())):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if result.reconciled:
        console.print("Reconciled: every side tells the same.", style="bold green")
        said = f"certificate: {escape(str(target.absolute()))}"
        console.print(said, highlight=False, soft_wrap=True)
        return
    if not sheet.gaps:
        console.print("No certificate: a side is missing.", style="bold red")
        return
    console.print(
        f"NOT reconciled: {len(sheet.gaps):,} times something is missing", style="bold red"
    )
    for gap in itertools.islice(sheet.gaps, SHOWN):
        where = f" ({gap.flow} to {gap.receiver})" if gap.receiver else ""
        line = f"  {gap.sender or '-'}/{gap.id}{where}: {gap.lack.value}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if len(sheet.gaps) > SHOWN:
        console.print(f"  ... and {len(sheet.gaps) - SHOWN:,} more")
    console.print(f"all of them: {escape(str(target.absolute()))}", highlight=False, soft_wrap=True)


def _sides(result: "Reconciliation") -> list[str]:
    """Say of each side what was there to count from."""
    sheet, head = result.sheet, result.head
    lines = []
    unknown = sorted({source.sender for source, line in sheet.sources.items() if line.unknown})
    if unknown:
        names = ", ".join(name or "(not proven)" for name in unknown)
        lines.append(f"senders:   of {names}, no journal tells here how much was sent")
    attempts = sum(line.attempts for line in sheet.sources.values())
    if attempts:
        lines.append(f"senders:   {attempts} refused messages stand in none of the senders' files")
    lines.append(f"receivers: own records of {', '.join(sorted(sheet.recorded)) or 'none'}")
    waiting = sheet.waiting
    if waiting is None:
        lines.append(f"broker:    not counted: {head.no_broker}")
        return lines
    out = sum(waiting.out.values())
    counted = "" if waiting.taken is not None else "; what a process has taken is not counted"
    counted += f"; {waiting.note}" if waiting.note else ""
    lines.append(
        f"broker:    {waiting.hub:,} messages in the hub's queues, {out:,} in the receivers', "
        f"{waiting.dead:,} in that of dead letters{counted}"
    )
    return lines
