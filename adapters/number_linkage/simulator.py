"""Plays the 番号連携システム: gives 統合宛名番号, asks for codes, passes on what passes through it.

It keeps nothing but its files: a person's 統合宛名番号 follows from the 宛名番号.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from adapters.number_linkage import ADAPTER, INQUIRY_PREFIX, RESULT_PREFIX
from adapters.simulation.kit import BROKER, DayFile, ReceivedRecord, WrongDelivery
from adapters.simulation.misdeeds import on_own_exchange
from adapters.simulation.played import NotYet, Played, Reaction
from adapters.simulation.receiving import files_of, read_file
from hub.clock import JST
from hub.edge.form import Header
from hub.edge.kit import Inbound, Outbound
from schemas.numbers import addressee_check_digit

CODE_SECONDS = 120.0
"""Long enough for a city whose first load is still under way."""
_OPERATOR = ("情報政策課", "BANGO-T01", "S0601")
_FIRST_BODY = 9 * 10**13
_KEY = ("addressee_number", "requested_at", "information_code")

Values = Mapping[str, str]


def unified_number(addressee_number: str) -> str:
    """Give a person's 統合宛名番号: newly issued, so that it ends in its check digit.

    >>> unified_number("000000010000001")
    '900000010000004'
    """
    body = str(_FIRST_BODY + int(addressee_number[:-1] or "0") % 10**13)
    return body + addressee_check_digit(body)


@dataclass(frozen=True, slots=True)
class _Passing:
    """What the system writes of the records of an outbound wire: the rows, and in which files."""

    prefix: str
    wire: Inbound
    name: Callable[[str], str]
    rows: Callable[[Path, Sequence[ReceivedRecord]], Iterator[Values]]

    def reaction(self) -> Reaction:
        return Reaction(self.prefix, self._answer)

    def _answer(self, path: Path, records: Sequence[ReceivedRecord]) -> DayFile | None:
        rows = list(self.rows(path, records))
        if not rows:
            return None
        wire = self.wire
        header = Header(_latest(records), *_OPERATOR)
        return DayFile(self.name(path.name), wire.layout, wire.message_type, header, rows)


def _latest(records: Sequence[ReceivedRecord]) -> dt.datetime:
    """Give when the newest of the records was accepted, to the second; it has an hour of day."""
    times = [record.values["accepted_at"] for record in records if "accepted_at" in record.values]
    newest = max(map(dt.datetime.fromisoformat, times), default=dt.datetime(2026, 4, 1, tzinfo=JST))
    return newest.replace(microsecond=0)


def _code_requests(path: Path, records: Sequence[ReceivedRecord]) -> Iterator[Values]:
    """Ask for the code of each person whose 個人番号 came for the first time."""
    known = set().union(*(_numbered(one, one.stat().st_mtime_ns) for one in _before(path)))
    at = _latest(records).isoformat()
    for record in records:
        number = record.addressee_number
        if record.values["my_number"] and number not in known:
            known.add(number)
            yield {
                "addressee_number": number,
                "unified_number": unified_number(number),
                "request_id": f"C{path.stem.rpartition('_')[2]}-{number}",
                "requested_at": at,
            }


def _before(path: Path) -> list[Path]:
    files = files_of(_outbound("addressees"), path.parent.parent)
    return files[: files.index(path)]


@lru_cache(maxsize=256)
def _numbered(path: Path, _changed: int) -> frozenset[str]:
    records = read_file(path, _outbound("addressees"))
    return frozenset(one.addressee_number for one in records if one.values["my_number"])


def _inquiries(path: Path, records: Sequence[ReceivedRecord]) -> Iterator[Values]:
    """Pass inquiries on, with the 統合宛名番号, once the codes of those persons are there.

    A code that does not come within ``CODE_SECONDS`` is waited for no longer: the network says then
    that there is none.
    """
    asked = {unified_number(record.addressee_number) for record in records}
    if time.time() - path.stat().st_mtime < CODE_SECONDS and not asked <= _coded(path):
        raise NotYet
    for record in records:
        yield {**record.values, "unified_number": unified_number(record.addressee_number)}


def _coded(path: Path) -> set[str]:
    """Give the 統合宛名番号 whose 処理通番 has come."""
    files = files_of(_outbound("numbers"), path.parent.parent)
    return set().union(*(_given(one, one.stat().st_mtime_ns) for one in files))


@lru_cache(maxsize=256)
def _given(path: Path, _changed: int) -> frozenset[str]:
    return frozenset(one.values["unified_number"] for one in read_file(path, _outbound("numbers")))


def _results(path: Path, records: Sequence[ReceivedRecord]) -> Iterator[Values]:
    """Pass results on, of inquiries that went through here."""
    wire = _outbound(INQUIRY_PREFIX)
    asked = {
        key
        for one in files_of(wire, path.parent.parent)
        for key in _inquired(one, one.stat().st_mtime_ns)
    }
    for number, record in enumerate(records, 1):
        if tuple(record.values[name] for name in _KEY) not in asked:
            raise WrongDelivery(f"{path.name} record {number}: it answers no inquiry")
        yield record.values


@lru_cache(maxsize=256)
def _inquired(path: Path, _changed: int) -> frozenset[tuple[str, ...]]:
    records = read_file(path, _outbound(INQUIRY_PREFIX))
    return frozenset(tuple(one.values[name] for name in _KEY) for one in records)


def _gateway_numbers(path: Path, records: Sequence[ReceivedRecord]) -> Iterator[Values]:
    """Send 処理通番 on to the 住基GW, each under the 統合宛名番号 that was given here."""
    for number, record in enumerate(records, 1):
        value = record.values
        if value["unified_number"] != unified_number(record.addressee_number):
            raise WrongDelivery(f"{path.name} record {number}: the 統合宛名番号 is another one")
        yield {name: value[name] for name in ("unified_number", "processing_number", "issued_at")}


def _outbound(prefix: str) -> Outbound:
    return next(wire for wire in ADAPTER.outbound if wire.prefix == prefix)


def _inbound(start: str) -> Inbound:
    return next(wire for wire in ADAPTER.inbound if wire.pattern.startswith(start))


def _as(prefix: str) -> Callable[[str], str]:
    return lambda name: f"{prefix}_{name.rpartition('_')[2]}"


_PASSINGS = (
    _Passing("addressees", _inbound("FUGO"), _as("FUGO"), _code_requests),
    _Passing(INQUIRY_PREFIX, _inbound(INQUIRY_PREFIX), str, _inquiries),
    _Passing(RESULT_PREFIX, _inbound(RESULT_PREFIX), str, _results),
    _Passing("numbers", _inbound("JUKIGW"), _as("JUKIGW"), _gateway_numbers),
)

SIMULATOR = Played(
    ADAPTER,
    reactions=tuple(passing.reaction() for passing in _PASSINGS),
    forbidden=(
        on_own_exchange(
            "number-linkage-provides-information",
            "The number linkage system provides information to other bodies",
            ADAPTER.system,
            message_type="information.provided",
            data={"addressee_number": "000000099999995"},
            expected_code=BROKER,
        ),
    ),
)
