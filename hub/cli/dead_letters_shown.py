"""How dead letters are written for people and for programs; never a body, never a person."""

import json
from collections.abc import Iterator, Sequence
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
from hub.clock import JST
from hub.message import NUMBER_HEADER

if TYPE_CHECKING:
    from hub.desks.dead_letters import Dossier
    from hub.ledger.beside import Shelved
    from hub.ledger.leaf import Recorded

STATUS_JA = {
    "open": "未処理",
    "requested": "承認待ち",
    "released": "再送決定",
    "sending": "再送中",
    "moved": "再送済",
    "discarded": "廃棄",
    "refused": "再送不可",
}
HEADS = ("id", "since (Japan)", "from", "type", "for", "step", "why (理由)", "message", "status")
_STEP_JA = {"take": "ハブの処理", "send": "送付先キューへの送付", "receive": "送付先の受取"}


def facts(one: "Shelved", dossier: "Dossier | None" = None) -> dict[str, Any]:
    """Give what is said of a dead letter, as JSON has it."""
    from hub.statute.reasons import Code, sentence  # noqa: PLC0415 - see hub.cli.main

    cause = one.cause
    found: dict[str, Any] = {
        **who_facts(one),
        "flow": one.flow,
        "receiver": one.receiver,
        "step": cause.step if cause else "",
        **why_facts(one, sentence(Code(one.code))),
        "error": cause.detail if cause else "",
        "broker": _broker_said(cause.history) if cause and cause.history else None,
        "request": one.request or None,
        "decided": one.decided or None,
    }
    if dossier is not None:
        found["overtaken"] = dossier.is_overtaken
        found["digest"] = dossier.digest
        found["entries"] = [_entry(entry) for entry in dossier.history]
    return found


def _broker_said(history: str) -> dict[str, Any]:
    """Give what the broker said; the digest of a number that came with it is for the hub alone."""
    said: dict[str, Any] = json.loads(history)
    return {word: value for word, value in said.items() if word != NUMBER_HEADER}


def _entry(one: "Recorded") -> dict[str, Any]:
    return {
        "entry": one.number,
        "at": one.at.astimezone(JST).isoformat(),
        "kind": one.kind.value,
        "outcome": one.outcome,
        "flow": one.flow,
        "receiver": one.receiver,
        "detail": one.detail,
        "staff": one.access.staff,
        "reason": one.access.reason,
    }


def lines(dossier: "Dossier") -> Iterator[str]:
    """Write a dead letter for people."""
    said = facts(dossier.row, dossier)
    step = said["step"]
    yield from who_lines("dead letter", said, STATUS_JA)
    if said["receiver"]:
        yield f"  copy of {said['flow'] or '?'} for {said['receiver']}"
    yield f"  failed step: {step} ({_STEP_JA.get(step, '')})"
    yield from why_lines(said)
    yield f"  error: {said['error']}"
    if said["broker"]:
        broker = said["broker"]
        yield f"  the broker says: {broker['times']} times, last {broker['at'] or 'unknown when'}"
    yield f"  digest of the original: {said['digest'] or 'its entry is destroyed'}"
    yield from request_lines(said)
    yield from decided_lines(said)
    if dossier.is_overtaken and dossier.row.sealed:
        yield from overtaken_lines("discarded", "廃棄")
    if not dossier.row.sealed:
        yield "  its body is deleted"
    yield "  what the ledger says of the message:"
    for one in said["entries"]:
        where = " ".join(filter(None, (one["flow"], one["receiver"])))
        who = f" by {one['staff']}: {one['reason']}" if one["kind"] == "replay" else ""
        yield f"    {one['entry']} {one['at']} {one['kind']} {one['outcome']} {where}{who}".rstrip()


def cells(one: "Shelved") -> Sequence[str]:
    """Give the cells under ``HEADS``."""
    return (
        str(one.id),
        in_table(one.at),
        one.key.sender,
        one.message_type,
        " ".join(filter(None, (one.flow, one.receiver))),
        one.cause.step if one.cause else "",
        one.code,
        one.key.id,
        status_cell(one, STATUS_JA),
    )
