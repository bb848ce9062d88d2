"""Plays the 国保連合会: names candidates, and says of each request what became of it.

The first day's candidates come as the two parts of one delivery; those of every third person
are known to the office by name and birth date alone. Beside them stands the office's own list for
matching, as the office puts it there.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adapters.kokuho_federation import ADAPTER
from adapters.simulation.asking import in_jis, pension_person
from adapters.simulation.city import CityDay
from adapters.simulation.insured import Insured, pension_number
from adapters.simulation.kit import (
    MATCHING,
    DayFile,
    ReceivedRecord,
    WrittenFile,
    WrongDelivery,
    header_of,
    put,
)
from adapters.simulation.misdeeds import sends_residents
from adapters.simulation.people import Person
from adapters.simulation.played import Played
from adapters.simulation.receiving import files_of, read_file
from hub.clock import midnight
from hub.edge.delimited import write_file
from hub.edge.form import Header
from hub.edge.kit import Outbound
from schemas.layout import load_layout
from schemas.special_collection import SpecialCollectionNotified

_NOTIFIED = "kokuho-federation.notified"
_PERSONS = "kokuho-federation.persons"
_HOUR = 6
_OPERATOR = ("医療保険課", "KOKI-T02", "S0302")
_ODD_MONTHS = range(1, 13, 2)
_SEXES = frozenset({"1", "2"})
_WIDE = {point: point + 0xFEE0 for point in range(0x21, 0x7F)} | {0x20: 0x3000}
_PLAIN_BIRTH = len("YYYY-MM-DD")


class _Answer(NamedTuple):
    """What comes after a request: how its file's name begins, and its 通知内容."""

    name: str
    notice: str


_ANSWERS: Mapping[str, tuple[_Answer, ...]] = {
    "01": (_Answer("Z33", "02"), _Answer("Z34", "22")),
    "31": (_Answer("Z33", "32"),),
    "41": (_Answer("Z3A", "42"),),
    "61": (_Answer("Z3A", "62"),),
    "81": (_Answer("Z3A", "82"),),
}
_RESULTS = "22"
_WELL = {"result": "00"}
_COLLECTED = {"result": "00", "category": "00"}
_CITY, _COLLECTOR = "17201", "001"


class Heading(NamedTuple):
    """What names a delivery of the federation."""

    city_code: str
    collector_code: str
    notice: str
    created_on: str


def delivery_file(
    name: str, heading: Heading, part: int, rows: Iterable[Mapping[str, str]]
) -> DayFile:
    """Give one part of a delivery; the order of names is the order of parts."""
    day = heading.created_on.replace("-", "")
    place = f"{heading.city_code}{heading.collector_code}{heading.notice}"
    said = {**heading._asdict(), "medium_number": f"{part:03d}", "insurance_scheme": "2"}
    layout = load_layout(_NOTIFIED)
    blank = dict.fromkeys((column.field for column in layout.columns), "")
    return DayFile(
        f"{name}_{day}_{place}_{part:03d}.dta",
        _NOTIFIED,
        SpecialCollectionNotified.MESSAGE_TYPE,
        Header(midnight(dt.date.fromisoformat(heading.created_on))),
        [{**blank, **row, **said} for row in rows],
    )


@dataclass(frozen=True)
class _Federation(Played):
    """``Played``, and the office's list beside it."""

    def write(self, day: CityDay, folder: Path) -> list[WrittenFile]:
        """Write the first day's candidates, and the list of the office."""
        if not day.is_initial:
            return []
        path = folder / MATCHING / f"MEIBO_{day.date:%Y%m%d}.csv"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, load_layout(_PERSONS), header_of(day, _HOUR, _OPERATOR), listed(day))
        return [put(file, folder) for file in candidates(day)]

    def react(self, folder: Path) -> list[WrittenFile]:
        """Answer each request with its results; a request is read once."""
        return [
            put(answer, folder)
            for wire in self.adapter.outbound
            for path in self._arrived(wire.prefix, folder)
            for answer in self._answers(path, wire, folder)
        ]

    def _answers(self, path: Path, wire: Outbound, folder: Path) -> list[DayFile]:
        requests = list(read_file(path, wire))
        answers = list(results(requests, part_of(path, files_of(wire, folder))))
        self._settled.add(path)
        return answers


# -- candidates ------------------------------------------------------------------------


def known_to_pensions(day: CityDay) -> list[Insured]:
    """Give those of the day's insured whom the federation has whole data of."""
    return [one for one in day.insured if one.person.sex in _SEXES]


def candidates(day: CityDay) -> Iterator[DayFile]:
    """Give the candidates in two parts, and those who were added in a file of their own."""
    chosen = known_to_pensions(day)
    first, added = chosen[::2], chosen[1::4]
    half = (len(first) + 1) // 2
    deliveries = (("00", 1, first[:half]), ("00", 2, first[half:]), ("30", 1, added))
    for notice, part, some in deliveries:
        if some:
            yield _named(notice, day, part, some)


def _named(notice: str, day: CityDay, part: int, insured: Sequence[Insured]) -> DayFile:
    rows = [_candidate(one) for one in insured]
    heading = Heading(_CITY, _COLLECTOR, notice, day.date.isoformat())
    return delivery_file("Z31", heading, part, rows)


def _candidate(one: Insured) -> Mapping[str, str]:
    told = pension_person(one)
    return {
        "pension_number": pension_number(one.person),
        "pension_code": str(told["pension_code"]),
        "birth_date": _birth(one.person),
        "sex": one.person.sex,
        "name_kana": str(told["name_kana"]),
        "name": str(told["name"]).translate(_WIDE),
        "postal_code": one.household.place.postal_code,
        "address": in_jis(one.household.place.address).translate(_WIDE)[:80],
        "amount_first": "1800000",
    }


def _birth(person: Person) -> str:
    text = person.birth.text
    plain = len(text) == _PLAIN_BIRTH and text.replace("-", "").isdecimal()
    return text if plain else person.birth.day.isoformat()


def listed(day: CityDay) -> Iterator[Mapping[str, str]]:
    """Give the office's list of its insured persons."""
    by_name = {one.person.number for one in known_to_pensions(day)[::3] if _tells(one.person)}
    for group in day.groups():
        for entry in group.entries:
            person = entry.person
            if person.eligibility is not None:
                yield {
                    "addressee_number": person.number,
                    "pension_number": "" if person.number in by_name else pension_number(person),
                    "name_kana": person.kana,
                    "birth_date": person.birth.text,
                    "sex": person.sex,
                    "postal_code": entry.place.postal_code,
                }


def _tells(person: Person) -> bool:
    """Say whether name and birth date of a person are as the federation has them."""
    return bool(in_jis(person.kana)) and _birth(person) == person.birth.text


# -- results ---------------------------------------------------------------------------


def part_of(path: Path, files: Sequence[Path]) -> int:
    """Give the place of a request's file among those that say the same of themselves.

    The answers to them are parts of one delivery.
    """
    said = _header(path)
    return 1 + sum(1 for file in files[: files.index(path)] if _header(file) == said)


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(96 + 500)[96:]


def results(requests: Sequence[ReceivedRecord], part: int) -> Iterator[DayFile]:
    """Give what comes after the requests of one file.

    Raises:
        WrongDelivery: the file does not say that it is a whole delivery of this office.
    """
    first = requests[0].values
    if first["medium_number"] != "001" or first["city_code"] != _CITY:
        raise WrongDelivery("a file of requests is no whole delivery of this city")
    for name, notice in _ANSWERS[first["notice"]]:
        day = dt.date.fromisoformat(first["created_on"])
        if notice == _RESULTS and day.month not in _ODD_MONTHS:
            continue
        more = _COLLECTED if notice == _RESULTS else _WELL
        rows = [{**request.values, **more} for request in requests]
        heading = Heading(first["city_code"], first["collector_code"], notice, day.isoformat())
        yield delivery_file(name, heading, part, rows)


SIMULATOR = _Federation(
    ADAPTER,
    forbidden=(sends_residents("federation-sends-residents", "The federation", ADAPTER.system),),
)
