"""How confirmations are written for people and for programs; never a 個人番号."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hub.cli.shelf import (
    decided_lines,
    overtaken_lines,
    request_lines,
    status_cell,
    who_facts,
    who_lines,
    why_facts,
    why_lines,
)
from hub.cli.tables import in_table

if TYPE_CHECKING:
    from hub.desks.confirmations import Shown
    from hub.ledger.beside import Shelved
    from hub.ledger.leaf import Recorded

_STATUS_JA = {
    "open": "確認待ち",
    "requested": "承認待ち",
    "released": "送付決定",
    "moved": "送付済",
    "rejected": "却下",
    "refused": "送付不可",
}
HEADS = ("id", "since (Japan)", "from", "type", "why (理由)", "message", "status (状態)")


def facts(one: "Shelved") -> dict[str, Any]:
    """Give what is said of a confirmation on the list, as JSON has it; nobody's data."""
    from hub.statute.reasons import held_sentence  # noqa: PLC0415 - see hub.cli.main

    return {
        **who_facts(one),
        **why_facts(one, held_sentence(one.code)),
        "request": one.request or None,
        "decided": one.decided or None,
    }


def shown_facts(shown: "Shown") -> dict[str, Any]:
    """Give a confirmation with the message's data, as JSON has it."""
    from hub.disclosure.worded import worded  # noqa: PLC0415 - see hub.cli.main

    return {
        **facts(shown.row),
        "overtaken": shown.is_overtaken,
        "asked": _asked(shown.asked) if shown.asked else None,
        "data": dict(shown.fields),
        "data_ja": [asdict(one) for one in worded(shown.fields, shown.row.key.sender)],
    }


def _asked(entry: "Recorded") -> dict[str, str]:
    from hub.statute.reasons import Code, sentence  # noqa: PLC0415 - see hub.cli.main

    return {
        "code": entry.code,
        "staff": entry.access.staff,
        "reason": entry.access.reason,
        "reason_ja": sentence(Code(entry.code)).ja,
    }


def lines(shown: "Shown") -> Iterator[str]:
    """Write a confirmation with the message's data for people."""
    from rich.cells import cell_len  # noqa: PLC0415 - see hub.cli.main

    from hub.disclosure.worded import worded  # noqa: PLC0415

    said = facts(shown.row)
    yield from who_lines("confirmation", said, _STATUS_JA)
    yield from why_lines(said)
    yield from request_lines(said)
    if shown.asked:
        asked = _asked(shown.asked)
        yield f"  {asked['staff']}: {asked['reason_ja']}「{asked['reason']}」"
    yield from decided_lines(said)
    if shown.is_overtaken and shown.row.sealed:
        yield from overtaken_lines("rejected", "却下")
    fields = worded(shown.fields, shown.row.key.sender)
    width = max((cell_len(one.label) for one in fields), default=0)
    for one in fields:
        yield f"    {one.label}{' ' * (width - cell_len(one.label))}  {one.value}"
    if not shown.fields:
        yield "  the data is deleted" if not shown.row.sealed else "  the data cannot be read today"


def cells(one: "Shelved") -> Sequence[str]:
    """Give the cells under ``HEADS``."""
    return (
        str(one.id),
        in_table(one.at),
        one.key.sender,
        one.message_type,
        one.code,
        one.key.id,
        status_cell(one, _STATUS_JA),
    )
