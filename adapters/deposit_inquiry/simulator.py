"""Plays the 預貯金等照会システム: looks persons up, and answers with workbooks.

What it finds follows from the number of the request: several accounts, a person of whom it is
not sure, none, or one.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from adapters.deposit_inquiry import ADAPTER
from adapters.simulation.kit import DayFile, ReceivedRecord, WrongDelivery
from adapters.simulation.misdeeds import sends_residents
from adapters.simulation.played import Played, Reaction
from hub.clock import JST
from hub.edge.form import Header
from schemas.layout import load_layout

_BANKS = (("架空銀行", "9901"), ("試験信用金庫", "9902"), ("見本農業協同組合", "9903"))
_BRANCHES = (("広坂支店", "001"), ("香林坊支店", "012"))
_KINDS = ("普通", "定期", "当座", "貯蓄")
_WIRE = ADAPTER.inbound[0]
_FIELDS = tuple(column.field for column in load_layout(_WIRE.layout).columns)

Values = Mapping[str, str]


def _several(value: Values) -> Iterator[dict[str, str]]:
    for place in range(3):
        yield {**_person(value), **_account(value, place)}


def _none(value: Values) -> Iterator[dict[str, str]]:
    yield {**_common(value), "outcome": "該当なし"}


def _one(value: Values) -> Iterator[dict[str, str]]:
    yield {**_person(value), **_account(value, 0)}


def _unsure(value: Values) -> Iterator[dict[str, str]]:
    """Find somebody of the same name at the same address, born on another day."""
    yield {**_person(value), **_account(value, 1), "birth_date": "1901-01-01"}


_FINDINGS: tuple[Callable[[Values], Iterator[dict[str, str]]], ...] = (
    _several,
    _unsure,
    _none,
    _one,
)


def found(value: Values) -> list[dict[str, str]]:
    """Give the rows that answer a request, as the layout ``deposit-inquiry.answers`` wants them."""
    number = int("".join(filter(str.isdecimal, value["request_id"])) or "0")
    finding = _FINDINGS[number // 4 % len(_FINDINGS)]
    return [dict.fromkeys(_FIELDS, "") | row for row in finding(value)]


def _common(value: Values) -> dict[str, str]:
    asked = dt.datetime.fromisoformat(value["requested_at"]).astimezone(JST)
    return {
        "request_id": value["request_id"],
        "addressee_number": value["addressee_number"],
        "answered_on": (asked.date() + dt.timedelta(days=1)).isoformat(),
        "handler": value["handler"],
    }


def _person(value: Values) -> dict[str, str]:
    return {
        **_common(value),
        "outcome": "該当あり",
        "name": value["name"],
        "name_kana": value["name_kana"],
        "birth_date": value["birth_date"],
        "address": value["address"],
    }


def _account(value: Values, place: int) -> dict[str, str]:
    number = int(value["addressee_number"]) + place
    bank, branch = _BANKS[number % len(_BANKS)], _BRANCHES[number % len(_BRANCHES)]
    return {
        "bank_name": bank[0],
        "bank_code": bank[1],
        "branch_name": branch[0],
        "branch_code": branch[1],
        "account_kind": _KINDS[number % len(_KINDS)],
        "account_number": f"{number % 10**7:07}",
        "registered_address": value["previous_address"] or value["address"],
        "last_transaction_on": "2026-03-31",
        "balance": str(number % 1000 * 1000),
    }


def _answer(path: Path, records: Sequence[ReceivedRecord]) -> DayFile:
    numbers = [record.values["request_id"] for record in records]
    if len(set(numbers)) != len(numbers):
        raise WrongDelivery(f"{path.name}: a request is there twice")
    rows = [row for record in records for row in found(record.values)]
    rows.sort(key=lambda row: row["request_id"])
    name = f"KAITOU_{path.stem.rpartition('_')[2]}.xlsx"
    header = Header(dt.datetime.fromisoformat(records[0].values["accepted_at"]))
    return DayFile(name, _WIRE.layout, _WIRE.message_type, header, rows)


SIMULATOR = Played(
    ADAPTER,
    reactions=(Reaction("requests", _answer),),
    forbidden=(
        sends_residents(
            "deposit-inquiry-sends-residents", "The deposit inquiry system", ADAPTER.system
        ),
    ),
)
