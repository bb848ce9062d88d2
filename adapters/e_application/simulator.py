"""Plays the system of electronic applications: residents apply, and the hub's side fetches it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from adapters.e_application import ADAPTER
from adapters.e_application.outcomes import name_of
from adapters.e_application.server import Server
from adapters.e_application.store import Store
from adapters.simulation.city import CityDay
from adapters.simulation.insured import Insured, certificate_serial
from adapters.simulation.kit import MadeFile, Service, WrittenFile, put
from adapters.simulation.misbehaving import manners_of
from adapters.simulation.misbehaviour import Misbehaviour
from adapters.simulation.played import Played
from adapters.simulation.serving import Manners, Serving
from hub.clock import JST
from hub.edge.archives.packing import package
from schemas.layout import Layout, load_layout

_EVERY = 4
"""One of so many of the day's insured persons applies."""
_HOUR = 8
_CODE_STEP = 15_485_863
_ELEVEN_DIGITS = 10**11
_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj
trailer<</Root 1 0 R>>
% made up for application
%%EOF
"""
_KINDS = (
    ("01", "限度額適用・減額認定証の申請", "入院の予定", "あり"),
    ("03", "高額療養費支給申請", "支給申請の対象", "前年度の外来分"),
    ("04", "被保険者証等の再交付の申請", "再交付の理由", "紛失、または破損"),
)


@dataclass(frozen=True)
class EApplication(Played):
    """The simulated system; ``folder`` is its own, with the packages in ``to-hub``."""

    def write(self, day: CityDay, folder: Path) -> list[WrittenFile]:
        """Let some of the day's insured persons apply; the server hands it out."""
        store, wire = Store(folder), self.adapter.inbound[0]
        layout = load_layout(wire.layout)
        written = []
        for one in day.insured[::_EVERY]:
            store.issue(certificate_serial(one.person), resident_code(one), one.person.number)
            values = application(layout, one)
            name = name_of(values["receipt_number"])
            content = package(layout, values, attached(one))
            written.append(put(MadeFile(name, wire.layout, wire.message_type, content, 1), folder))
        return written

    def serve(self, service: Service) -> AbstractContextManager[object]:
        """Serve the interface as long as the block takes."""
        server = Server(Store(service.folder), service.secret, service.misbehaves)
        return Serving(server.handle, service.port, _manners(service))


SIMULATOR = EApplication(ADAPTER, served=True)


def _manners(service: Service) -> Manners:
    # What is done to a package is done by the server itself: replies stay what they are.
    of_packages = {Misbehaviour.TRUNCATED, Misbehaviour.WRONG_ENCODING}
    return manners_of(service.misbehaves - of_packages)


def resident_code(one: Insured) -> str:
    """Give the 住民票コード of a person."""
    return f"{int(one.person.number[:-1]) * _CODE_STEP % _ELEVEN_DIGITS:011d}"


def application(layout: Layout, one: Insured) -> Mapping[str, str]:
    """Fill in a form, as the layout's fields."""
    person, place = one.person, one.household.place
    code, name, item, answer = _KINDS[one.place // _EVERY % len(_KINDS)]
    at = dt.datetime.combine(one.date, dt.time(_HOUR), JST) + dt.timedelta(minutes=one.place)
    values = dict.fromkeys((column.field for column in layout.columns), "")
    return values | {
        "receipt_number": f"R{at:%y%m%d}-{one.reference}",
        "application_type": code,
        "application_name": name,
        "filed_at": at.isoformat(),
        "certificate_serial": certificate_serial(person),
        "my_number": person.my_number,
        "insured_number": one.insured_number,
        "name": person.name,
        "name_kana": person.kana,
        "birth_date": person.birth.text,
        "address": place.address,
        "telephone": f"076-000-{one.place:04d}",
        "answers_1_item": item,
        "answers_1_text": answer,
        "answers_2_item": "連絡の方法",
        "answers_2_text": "電話",
    }


def attached(one: Insured) -> Iterator[tuple[str, bytes]]:
    """Attach a document to every second application."""
    if one.place // _EVERY % 2 == 0:
        yield "添付書類.pdf", _PDF.replace(b"application", one.reference.encode())
