"""``renkei ledger search``."""

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.ledger.addressee import (
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
    opened,
)
from hub.cli.options import MaybeSiteOption
from hub.cli.tables import in_table, print_table
from hub.clock import JST, midnight
from hub.ledger.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.ledger.leaf import Recorded
    from hub.ledger.model import FlowCount
    from hub.ledger.search.ask import Question

_WIDE = 180
_HEADS = ("entry", "time (Japan)", "kind", "outcome", "flow", "from → to", "message", "staff")
_PAGE = 100
MOST = 1000


def search_ledger(  # noqa: PLR0913, PLR0917 - one for each option
    site: MaybeSiteOption = None,
    state: StateOption = None,
    addressee: AddresseeOption = None,
    addressee_file: AddresseeFileOption = None,
    message: Annotated[
        str, typer.Option("--message", help="The id of a message.", show_default=False)
    ] = "",
    sender: Annotated[
        str, typer.Option("--sender", help="The system that sent it.", show_default=False)
    ] = "",
    flow: Annotated[
        str, typer.Option("--flow", help="The flow, such as M1b.", show_default=False)
    ] = "",
    system: Annotated[
        str, typer.Option("--system", help="The sender or the receiver.", show_default=False)
    ] = "",
    staff_member: Annotated[
        str,
        typer.Option(
            "--staff-member", help="Who did it, as the ledger names them.", show_default=False
        ),
    ] = "",
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="What happened.", show_default=False)
    ] = None,
    outcome: Annotated[
        str,
        typer.Option(
            "--outcome", help="The outcome, such as delivered or not-in-force.", show_default=False
        ),
    ] = "",
    begin: FromOption = None,
    end: ToOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=MOST, help="The most entries to show.")
    ] = _PAGE,
    before: Annotated[
        int | None,
        typer.Option(
            "--before",
            min=1,
            help="Show entries below this number: the next page.",
            show_default=False,
        ),
    ] = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line for each entry.")
    ] = False,
) -> None:
    """Search the ledger: entries for which all holds that is given, the newest first.

    Give the resident's number in a file, or on stdin with `--addressee-file -`: a number on the
    command line can be read in the list of processes. Each search is itself an entry of the
    ledger, which says who searched and by what; of a resident it keeps the pseudonym alone, so
    that a later disclosure tells them who looked.

    Exit status: 0 searched, also where nothing was found; 1 the ledger cannot be read or added
    to, and nothing is shown; 2 the command line is wrong.
    """
    from hub.compose.ledger import pseudonyms  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.search.ask import Question, look_up  # noqa: PLC0415

    check_days(begin, end)
    number = addressee_number(addressee, addressee_file)
    with opened(site, state) as (settings, ledger):
        names: tuple[str, ...] = ("",)
        if number is not None:
            names = residents_meant(ledger, pseudonyms(settings), number)
        question = Question(
            resident=names[0],
            former=names[1:],
            message=message,
            sender=sender,
            flow=flow,
            system=system,
            staff=staff_member,
            kind=kind,
            outcome=outcome,
            begin=_midnight(begin, 0),
            end=_midnight(end, 1),
            before=before,
            limit=limit,
        )
        _check_outcome(outcome, ledger.counts)
        access = asked_by(staff, department, reason, "ledger search")
        found = look_up(ledger, question, access, dt.datetime.now(JST))
        hints = [] if found.entries else _never_seen(ledger.counts(), question)
    if as_json:
        for entry in found.entries:
            sys.stdout.write(json.dumps(said(entry), ensure_ascii=False) + "\n")
    else:
        _table(found.entries)
    for hint in hints:
        typer.echo(hint, err=True)
    if found.more:
        typer.echo(f"there are more: --before {found.entries[-1].number} shows them", err=True)


def _check_outcome(outcome: str, counts: "Callable[[], Iterable[FlowCount]]") -> None:
    """Make sure that there is such an outcome: one of ours, or of a receiver in the ledger.

    Raises:
        typer.BadParameter: there is none.
    """
    from hub.ledger.acts import Act  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.changes import CATALOGUE_REFUSED  # noqa: PLC0415
    from hub.ledger.leaf import outcomes_without_code  # noqa: PLC0415
    from hub.message import MARKED, UNENCODABLE  # noqa: PLC0415
    from hub.near import near  # noqa: PLC0415
    from hub.statute.reasons import Code  # noqa: PLC0415

    known = {*outcomes_without_code(), *(one.value for one in (*Code, *Act))}
    known |= {CATALOGUE_REFUSED, MARKED, UNENCODABLE, "set-aside"}  # as docs/ledger-events.md says
    if not outcome or outcome in known:
        return
    known |= {one.code for one in counts()} - {""}
    if outcome not in known:
        other = near(outcome, known)
        meant = f"did you mean {other}? " if other else ""
        message = f"no entry has this outcome; {meant}There are: {', '.join(sorted(known))}"
        raise typer.BadParameter(message, param_hint="--outcome")


def _never_seen(counts: "Iterable[FlowCount]", asked: "Question") -> list[str]:
    """Say which words of a search no entry has at all, and which are near."""
    from hub.near import near  # noqa: PLC0415 - see hub.cli.main

    seen: dict[str, set[str]] = {"flow": set(), "sender": set(), "system": set()}
    for one in counts:
        seen["flow"].add(one.flow)
        seen["sender"].add(one.sender)
        seen["system"] |= {one.sender, one.receiver}
    hints = []
    for name, known in seen.items():
        word = getattr(asked, name)
        if word and word not in known:
            other = near(word, known - {""})
            meant = f"; did you mean {other}?" if other else ""
            hints.append(f"no entry has the {name} {word}{meant}")
    return hints


def said(entry: "Recorded") -> dict[str, Any]:
    """Give an entry as JSON says it; times are those of Japan."""
    access = entry.access
    return {
        "entry": entry.number,
        "at": entry.at.astimezone(JST).isoformat(),
        "kind": entry.kind.value,
        "outcome": entry.outcome,
        "sender": entry.message.sender,
        "message": entry.message.id,
        "message_type": entry.message_type,
        "flow": entry.flow,
        "receiver": entry.receiver,
        "basis": entry.basis,
        "purpose": entry.purpose,
        "released": list(entry.released),
        "withheld": list(entry.withheld),
        "staff": access.staff,
        "department": access.department,
        "terminal": access.terminal,
        "reason": access.reason,
        "operation": access.operation,
        "resident": entry.resident,
        "digest": entry.digest,
        "detail": entry.detail,
    }


def _midnight(day: dt.date | None, after: int) -> dt.datetime | None:
    if day is None or (after and day == dt.date.max):
        return None
    return midnight(day + dt.timedelta(days=after))


def _table(entries: "tuple[Recorded, ...]") -> None:
    if not entries:
        typer.echo("nothing was found")
        return
    print_table(_HEADS, map(_cells, entries), unwatched=_WIDE)


def _cells(one: "Recorded") -> tuple[str, ...]:
    way = " → ".join(part for part in (one.message.sender, one.receiver) if part)
    what = (one.kind.value, one.outcome, one.flow, way, one.message.id, one.access.staff)
    return (str(one.number), in_table(one.at), *what)
