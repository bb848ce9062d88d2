"""``renkei confirmations list|show|release|reject``: the confirmation list (確認リスト)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from hub.cli.shelf import (
    MOST,
    JsonOption,
    NumberArgument,
    WhyOption,
    at_desk,
    in_table,
    now_in_japan,
    print_table,
    why,
)
from hub.clock import JST

if TYPE_CHECKING:
    from hub.compose.confirmations import Desk, Shown
    from hub.ledger.beside import Shelved

app = typer.Typer(
    help="The confirmation list (確認リスト): messages that wait for a person.\n\n"
    "A message with another 個人番号 than the known one, or a doubt of its sender's, goes to "
    "nobody until staff decide."
)


class Status(StrEnum):
    """Which messages are listed."""

    OPEN = "open"
    RELEASED = "released"
    MOVED = "moved"
    REJECTED = "rejected"
    REFUSED = "refused"
    ALL = "all"


_STATUS_JA = {
    "open": "確認待ち",
    "released": "送付決定",
    "moved": "送付済",
    "rejected": "却下",
    "refused": "送付不可",
}


@app.callback()
def _confirmations() -> None:
    pass


@contextmanager
def _desk(site: Path | None, state: Path | None) -> "Iterator[Desk]":
    from hub.compose.confirmations import Desk  # noqa: PLC0415 - see hub.cli.main

    with at_desk(site, state) as (ledger, judge):
        yield Desk(ledger, judge, now_in_japan)


@app.command("list")
def list_confirmations(  # noqa: PLR0913 - the options of a command
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    status: Annotated[
        Status, typer.Option("--status", help="Those that stand like this.")
    ] = Status.OPEN,
    system: Annotated[
        str, typer.Option("--system", help="Those that this system sent.", show_default=False)
    ] = "",
    code: Annotated[
        str,
        typer.Option(
            "--code", help="Those that wait for this, such as binding-differs.", show_default=False
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """List messages that wait for a person, the oldest first. Nobody's data is shown.

    Exit status: 0 listed, also where there is none; 1 the ledger cannot be read; 2 the command
    line is wrong.
    """
    from hub.compose.confirmations import listed  # noqa: PLC0415 - see hub.cli.main
    from hub.ledger.beside import State  # noqa: PLC0415

    wanted = None if status is Status.ALL else State(status.value)
    with opened(site, state) as (_, ledger):
        found = listed(ledger, wanted, system, code, MOST + 1)
    if as_json:
        typer.echo(json.dumps([_facts(one) for one in found[:MOST]], ensure_ascii=False))
    elif found:
        _table(found[:MOST])
    else:
        typer.echo("nothing waits for a person (確認待ちの電文はありません)", err=True)
    if len(found) > MOST:
        typer.echo(f"there are more than {MOST}: name a --system or a --code", err=True)


@app.command("show")
def show_confirmation(  # noqa: PLR0913 - the options of a command
    number: NumberArgument,
    *,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show a message and whom it is about; that you look is recorded in the ledger.

    個人番号 are never shown. Exit status: 0 shown; 1 it cannot be read, or the look could not be
    recorded; 2 there is no such confirmation, or the command line is wrong.
    """
    from hub.disclosure.worded import worded  # noqa: PLC0415 - see hub.cli.main

    with _desk(site, state) as desk:
        shown = desk.show(number, asked_by(staff, department, reason, "confirmations show"))
    if as_json:
        facts = {
            **_facts(shown.row),
            "overtaken": shown.is_overtaken,
            "data": dict(shown.fields),
            "data_ja": [asdict(one) for one in worded(shown.fields, shown.row.key.sender)],
        }
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    for line in _lines(shown):
        typer.echo(line)


@app.command("release")
def release_confirmation(  # noqa: PLR0913 - the options of a command
    number: NumberArgument,
    *,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Let a message go its way. The known 個人番号 stays what it is.

    Today's rules judge it; nothing moves that is older than what was accepted meanwhile. The hub
    sends it within seconds; `--status released` lists what still waits for that. Exit status: 0
    released; 1 it may not move, or was decided about; 2 there is no such confirmation, or the
    command line is wrong.
    """
    with _desk(site, state) as desk:
        desk.release(number, asked_by(staff, department, why(reason), "confirmations release"))
    typer.echo(f"{number} is released (送付を決定しました)")


@app.command("reject")
def reject_confirmation(  # noqa: PLR0913 - the options of a command
    number: NumberArgument,
    *,
    reason: WhyOption,
    site: MaybeSiteOption = None,
    state: StateOption = None,
    staff: StaffOption = "",
    department: DepartmentOption = "",
) -> None:
    """Decide that a message goes nowhere; its body is deleted, the facts stay in the ledger.

    Exit status: 0 rejected; 1 it was decided about already; 2 there is no such confirmation, or
    the command line is wrong.
    """
    with _desk(site, state) as desk:
        desk.reject(number, asked_by(staff, department, why(reason), "confirmations reject"))
    typer.echo(f"{number} is rejected (却下しました)")


def _facts(one: "Shelved") -> dict[str, Any]:
    from hub.statute.reasons import held_sentence  # noqa: PLC0415 - see hub.cli.main

    said = held_sentence(one.code)
    return {
        "id": one.id,
        "status": one.state.value,
        "since": one.at.astimezone(JST).isoformat(),
        "sender": one.key.sender,
        "message": one.key.id,
        "message_type": one.message_type,
        "code": one.code,
        "reason": said.en,
        "reason_ja": said.ja,
        "decided": one.decided or None,
    }


def _lines(shown: "Shown") -> Iterator[str]:
    from rich.cells import cell_len  # noqa: PLC0415 - see hub.cli.main

    from hub.disclosure.worded import worded  # noqa: PLC0415

    facts = _facts(shown.row)
    yield f"confirmation {facts['id']}: {facts['status']} ({_STATUS_JA[facts['status']]})"
    yield f"  since {facts['since']}, from {facts['sender']}, {facts['message_type']}"
    yield f"  message {facts['message']}"
    yield f"  {facts['code']}: {facts['reason']}"
    yield f"  {facts['reason_ja']}"
    if facts["decided"]:
        yield f"  decided about: entry {facts['decided']} of the ledger says by whom and why"
    if shown.is_overtaken and shown.row.sealed:
        yield "  a newer one was accepted meanwhile: it can only be rejected"
        yield "  より新しい電文が受け付けられています。却下のみ可能です。"
    fields = worded(shown.fields, shown.row.key.sender)
    width = max((cell_len(one.label) for one in fields), default=0)
    for one in fields:
        yield f"    {one.label}{' ' * (width - cell_len(one.label))}  {one.value}"
    if not shown.fields:
        yield "  the data is deleted" if not shown.row.sealed else "  the data cannot be read today"


def _table(found: "list[Shelved]") -> None:
    heads = ("id", "since (Japan)", "from", "type", "why (理由)", "message", "status (状態)")
    print_table(
        heads,
        (
            (
                str(one.id),
                in_table(one.at),
                one.key.sender,
                one.message_type,
                one.code,
                one.key.id,
                f"{one.state.value} {_STATUS_JA[one.state.value]}",
            )
            for one in found
        ),
    )
