"""Plays the banks: debits what is asked for, and takes payments with slips.

Every seventh account is short of money. A file of requests is answered by one file of results; a
few persons of the day pay their instalment at a counter.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from adapters.bank import ADAPTER
from adapters.simulation.city import CityDay
from adapters.simulation.insured import Insured
from adapters.simulation.kit import DayFile, ReceivedRecord, header_of
from adapters.simulation.misdeeds import sends_residents
from adapters.simulation.money import COLLECTOR, customer_number, fiscal_year, instalments_of
from adapters.simulation.played import Played, Reaction
from hub.clock import JST
from hub.edge.form import Header
from schemas.bank import PaymentReceived

_RESULTS, _RECEIPTS = "bank.results", "bank.receipts"
_HOUR = 16
_DONE, _SHORT = "0", "1"
_SHORT_OF_MONEY = 7
_SLIPS = 3
_FIRST_AT = dt.datetime(2026, 4, 1, 16, tzinfo=JST)


def results(path: Path, requests: Sequence[ReceivedRecord]) -> DayFile:
    """Answer a file of requests, record by record."""
    return DayFile(
        f"KEKKA_{path.stem}.dat",
        _RESULTS,
        PaymentReceived.MESSAGE_TYPE,
        Header(_FIRST_AT),
        [_result(request.values) for request in requests],
    )


def _result(request: Mapping[str, str]) -> Mapping[str, str]:
    short = int(request["account_account_number"]) % _SHORT_OF_MONEY == 0
    asked = {name: text for name, text in request.items() if name != "amount"}
    return {
        **asked,
        "transfer_amount": request["amount"],
        "transfer_result": _SHORT if short else _DONE,
    }


def slips(day: CityDay) -> Iterator[DayFile]:
    """Give the day's payments at the counter."""
    chosen = day.insured[1::2][:_SLIPS]
    if chosen:
        yield DayFile(
            f"NOFU_{day.date:%Y%m%d}.dat",
            _RECEIPTS,
            PaymentReceived.MESSAGE_TYPE,
            header_of(day, _HOUR, ("", "", "")),
            [_slip(one) for one in chosen],
        )


def _slip(one: Insured) -> Mapping[str, str]:
    instalment = instalments_of(one)[0]
    return {
        "created_on": one.date.isoformat(),
        "collector_code": COLLECTOR,
        "customer_number": customer_number(one, instalment.number),
        "received_on": (one.date - dt.timedelta(days=1)).isoformat(),
        "credited_on": one.date.isoformat(),
        "amount": str(instalment.amount),
        "bank_code": "9991",
        "bank_name_kana": "ｶｸｳｷﾞﾝｺｳ",
        "branch_code": "001",
        "branch_name_kana": "ﾎﾝﾃﾝ",
        "fiscal_year": str(fiscal_year(one.date)),
        "instalment_number": f"{instalment.number:02d}",
    }


SIMULATOR = Played(
    ADAPTER,
    days=slips,
    reactions=(Reaction("FURIKAE", results),),
    forbidden=(sends_residents("bank-sends-residents", "A bank", ADAPTER.system),),
)
