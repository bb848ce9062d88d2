"""A disclosure as JSON (RFC 8259), for programs; the keys are stable, the values Japanese.

The object has

- ``schema`` (``renkei.disclosure``), ``schema_version`` (a number; grows when a key changes its
  meaning or goes), ``title``
- ``city``, ``office``, ``addressee_number``
- ``period``: ``from`` and ``to``, days in Japan, both included, null where open
- ``made_at``, ``made_by``: ``staff``, ``department``
- ``ledger_size`` (entries), ``checkpoint`` (signed note, byte for byte; empty where none)
- ``row_count``, and ``receivers``: for each receiver ``receiver`` (null where a refusal came
  before one could be named), ``kinds`` (what its rows have in common) and ``rows``, in the order
  of time
- ``destroyed_months``: those of the period whose entries are gone, as ``2026-11``
- ``views``: who looked at the ledger about the resident: ``entry``, ``at``, ``what`` (a code),
  ``what_ja`` and ``access``, as of a row
- ``notes``: what the record can say (``known``), cannot say (``unknown``), and from when names
  are (``as_recorded``); ``terms``: ``term`` and ``meaning``; ``contacts``: ``about``, ``place``,
  ``how``, ``source``

A kind has ``kind`` (its number in the whole report), ``sender``, ``flow`` (or null),
``message_type``, ``basis``, ``purpose``, ``released`` and ``withheld``.

A row has ``entry``, ``kind``, ``outcome`` and ``outcome_ja``, ``code`` and ``reason`` (of what
did not move; else empty), ``accepted_at``, ``delivered_at`` (or null), ``receipt`` (null, or
``at``, ``result``, ``result_ja``, ``code``) and ``access``: ``department``, ``reason``,
``operation``, and ``staff`` only where the report shows it.

Named things are ``{"id", "name"}``; the name is empty where there is no Japanese one. Times are
ISO 8601 in Japan's time.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hub.clock import JST
from hub.disclosure import words
from hub.disclosure.grouping import Group, Kind, grouped, kind_of, kinds_of, numbered_kinds
from hub.disclosure.model import Access, Disclosure, Named, Receipt, Row, View

SCHEMA = "renkei.disclosure"
SCHEMA_VERSION = 1

Part = dict[str, Any]


def render(of: Disclosure) -> bytes:
    """Write a disclosure as UTF-8 JSON; the same disclosure gives the same bytes."""
    text = json.dumps(_report(of), ensure_ascii=False, indent=2)
    # A lone surrogate is no UTF-8; as \\udXXX it is what JSON itself writes for one.
    return f"{text}\n".encode(errors="backslashreplace")


def _report(of: Disclosure) -> Part:
    groups = grouped(of.rows)
    kinds = numbered_kinds(groups)
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "title": words.TITLE,
        "city": of.city,
        "office": of.office,
        "addressee_number": of.addressee_number,
        "period": {"from": _day(of.start), "to": _day(of.end)},
        "made_at": _time(of.made_at),
        "made_by": asdict(of.made_by),
        "ledger_size": of.ledger_size,
        "checkpoint": of.checkpoint,
        "row_count": len(of.rows),
        "receivers": [_group(of, group, kinds) for group in groups],
        "destroyed_months": [f"{month // 100}-{month % 100:02}" for month in of.destroyed],
        "views": [_view(of, view) for view in of.views],
        "notes": {
            "known": list(words.KNOWN),
            "unknown": list(words.UNKNOWN),
            "as_recorded": words.AS_RECORDED,
        },
        "terms": [{"term": term, "meaning": meaning} for term, meaning in words.TERMS],
        "contacts": [asdict(contact) for contact in of.contacts],
    }


def _group(of: Disclosure, group: Group, kinds: Mapping[Kind, int]) -> Part:
    return {
        "receiver": _named(group.receiver),
        "kinds": [_kind(number, kind) for kind, number in kinds_of(group, kinds).items()],
        "rows": [_row(of, row, kinds[kind_of(row)]) for row in group.rows],
    }


def _kind(number: int, kind: Kind) -> Part:
    return {
        "kind": number,
        "sender": _named(kind.sender),
        "flow": _named(kind.flow),
        "message_type": _named(kind.message_type),
        "basis": kind.basis,
        "purpose": kind.purpose,
        "released": [_named(one) for one in kind.released],
        "withheld": [_named(one) for one in kind.withheld],
    }


def _row(of: Disclosure, row: Row, kind: int) -> Part:
    return {
        "entry": row.entry,
        "kind": kind,
        "outcome": row.outcome.value,
        "outcome_ja": words.OUTCOMES[row.outcome],
        "code": row.code,
        "reason": words.reason(row),
        "accepted_at": _time(row.accepted_at),
        "delivered_at": _time(row.delivered_at),
        "receipt": _receipt(row.receipt),
        "access": _access(of, row.access),
    }


def _view(of: Disclosure, view: View) -> Part:
    return {
        "entry": view.entry,
        "at": _time(view.at),
        "what": view.what,
        "what_ja": words.VIEWS.get(view.what, ""),
        "access": _access(of, view.access),
    }


def _access(of: Disclosure, access: Access) -> Part:
    items = asdict(words.shown_access(of, access))
    if not of.show_staff:
        del items["staff"]
    return items


def _receipt(said: Receipt | None) -> Part | None:
    if said is None:
        return None
    return {
        "at": _time(said.at),
        "result": said.result.value,
        "result_ja": words.RECEIPTS[said.result],
        "code": said.code,
    }


def _named(of: Named | None) -> Part | None:
    return None if of is None else {"id": of.id, "name": of.name}


def _day(date: dt.date | None) -> str | None:
    return None if date is None else date.isoformat()


def _time(at: dt.datetime | None) -> str | None:
    return None if at is None else at.astimezone(JST).isoformat()
