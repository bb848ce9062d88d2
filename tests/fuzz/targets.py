"""What is fuzzed: every parser of outside data, each as one function of some bytes.

A target returns for every input, or raises what no caller expects: that is a finding. The clear
errors that a parser documents are caught here, and nothing else.
"""

import atexit
import datetime as dt
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec

import adapters
from adapters.e_application import interface as e_application
from adapters.intermediate_server import interface as intermediate_server
from adapters.intermediate_server.memory import Family
from hub.edge.archives import safexml
from hub.edge.archives.archive import Limits, open_archive
from hub.edge.form import BadFile, Unfinished
from hub.edge.forms import form_of
from hub.edge.groups import Group, groups
from hub.edge.http.call_faults import CallError
from hub.edge.http.calls import Answer, Call, Caller
from hub.edge.inbound import answers
from hub.edge.kit import BadRecord, Inbound
from hub.edge.numbers import Numbers
from hub.edge.records import quoted, record_parser
from hub.edge.sorting import Sorter
from hub.edge.wall import Wall
from hub.message import (
    NOTICE_TYPE,
    RECEIPT_TYPE,
    AccessItems,
    ReleaseOrder,
    encode_event,
    encode_release,
    source_of,
)
from hub.ports import Delivery
from hub.sealing.datakeys import ReaderKey
from hub.sealing.sealer import Sealer
from hub.sealing.seals import Seals
from hub.site import HUB_USER
from schemas.dates import read_register_date
from schemas.layout import FormName, layout_ids, load_layout
from tests.fakes import NoDesk
from tests.fuzz.engines import SEED
from tests.keyring import BEGIN, Keyring, keyring
from tests.layout_values import chance, record, sample_file
from tests.samples import (
    NOW,
    event,
    income,
    judge,
    receipts_event,
    resident,
    shipped,
    tax_event,
    wire,
)

SAMPLES = 3


class Finding(AssertionError):
    """A parser answered what it must not."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser: ``feed`` gives it an input, ``seeds`` are inputs to begin with.

    ``weight`` is its share of the inputs of a long run.
    """

    name: str
    weight: int
    feed: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]


@cache
def scratch() -> Path:
    """Give a folder in memory where there is one; it goes when the process ends."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
    folder = tempfile.mkdtemp(prefix="fuzz-", dir=memory if os.access(memory, os.W_OK) else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


# -- files of each form: the first byte chooses the layout -------------------------------


def _layouts(form: FormName) -> list[str]:
    return [one for one in layout_ids() if load_layout(one).form is form]


def _file_target(form: FormName, weight: int) -> Target:
    ids = _layouts(form)

    def feed(data: bytes) -> None:
        if data:
            _read_file(ids[data[0] % len(ids)], data[1:])

    def seeds() -> list[bytes]:
        random = chance(SEED)
        return [
            bytes([number]) + sample_file(layout_id, random)
            for number, layout_id in enumerate(ids)
            for _ in range(SAMPLES)
        ]

    return Target(f"form-{form}", weight, feed, seeds)


def _read_file(layout_id: str, content: bytes) -> None:
    form = form_of(layout_id)
    path = scratch() / f"P_20260401090000_0001{form.suffix}"
    path.write_bytes(content)
    for settled in (False, True):
        try:
            facts = form.check(path, None, settled=settled)
        except (BadFile, Unfinished):
            continue
        found = sum(len({row.number for row in group.rows}) for group in form.groups(path, None))
        if found < facts.records and load_layout(layout_id).group_by is None:
            raise Finding(f"{facts.records} records were counted and {found} were read")


# -- parts of files ------------------------------------------------------------------------


def _feed_xml(data: bytes) -> None:
    with suppress(BadFile):
        safexml.parse(data)


def _feed_zip(data: bytes) -> None:
    with suppress(BadFile):
        archive = open_archive(BytesIO(data), Limits(8, 1_000_000, 2_000_000, 100, paths=True))
        for name in archive.parts:
            for _ in archive.chunks(name):
                pass


def _zip_seeds() -> list[bytes]:
    random = chance(SEED)
    ids = [*_layouts(FormName.PACKAGE), *_layouts(FormName.SHEET)]
    return [sample_file(layout_id, random) for layout_id in ids]


def _xml_seeds() -> list[bytes]:
    random = chance(SEED)
    return [sample_file(layout_id, random) for layout_id in _layouts(FormName.XML)]


def _feed_date(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with suppress(ValueError):
        date = read_register_date(text)
        if date is not None and date.raw != text:
            raise Finding("a date was changed")


def _date_seeds() -> list[bytes]:
    texts = ("2026-04-01", "1944-00-00", "0000-00-00", "3190401", "1450730", "令和3年○月頃", "不詳")
    return [text.encode() for text in texts]


# -- records through a layout's columns and a mapping --------------------------------------


@cache
def _wires() -> list[Inbound]:
    return [wire for system in adapters.systems() for wire in adapters.find(system).inbound]


def _feed_mapping(data: bytes) -> None:
    if not data:
        return
    inbound = _wires()[data[0] % len(_wires())]
    lines = data[1:].decode("utf-8", "replace").split("\n")[:8]
    parse = record_parser(load_layout(inbound.layout))
    parsed = (parse(number, number, f"D,{line}") for number, line in enumerate(lines, start=1))
    for group in groups(parsed, load_layout(inbound.layout)):
        _judge_answers(inbound, group)


def _judge_answers(inbound: Inbound, group: Group) -> None:
    for answer in answers(inbound, group, NoDesk()):
        if isinstance(answer, BadRecord) and answer.reason.startswith("the mapping"):
            raise Finding(f"{inbound.layout}: {answer.reason}")


def _mapping_seeds() -> list[bytes]:
    random = chance(SEED)
    found = []
    for number, inbound in enumerate(_wires()):
        layout = load_layout(inbound.layout)
        encoder = form_of(inbound.layout).encoder(None)
        for _ in range(SAMPLES):
            values = record(layout, encoder, random)
            line = ",".join(quoted(values[column.field]) for column in layout.columns)
            found.append(bytes([number]) + line.encode("utf-8", "replace"))
    return found


# -- what the interfaces of others answer ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answering:
    """Stands for ``hub.edge.calls.Caller``: every call gets the same content."""

    content: bytes

    async def call(self, call: Call) -> Answer:
        return Answer(min(call.accept), self.content, {})


def _feed_answer(data: bytes) -> None:
    caller = cast("Caller", _Answering(data))
    applications = e_application.Interface(caller, "secret")
    applications._token = "token"  # noqa: S105 - nobody's
    server = intermediate_server.Interface(caller, "secret")
    for asked in (
        applications.page(""),
        applications.addressee("1"),
        server.ask_permit(b""),
        server.code_state("1"),
        server.results(Family.SKI),
    ):
        with suppress(CallError, StopIteration):
            asked.send(None)  # nothing there waits for anything


def _answer_seeds() -> list[bytes]:
    said = ({"token": "t"}, {"applications": [{"receipt_number": "1"}], "next": "2"})
    texts = (*said, {"resident_code": "12345678901"}, {"addressee_number": "1"})
    return [json.dumps(text).encode() for text in texts] + _xml_seeds()


# -- what comes over the broker --------------------------------------------------------------


@cache
def _ring() -> Keyring:
    """Give keys that are the same in every process, so that each opens the seeds of another."""
    ring = keyring()
    for place, account in enumerate((HUB_USER, "union"), 1):
        key = ec.derive_private_key(place, ec.SECP256R1())
        kid = f"{account}.{place:08x}"
        ring.private[account] = {kid: key}
        until = NOW + dt.timedelta(days=3650)
        ring.public.append(ReaderKey(kid, account, key.public_key(), BEGIN, until))
    return ring


@cache
def _judge() -> Callable[[Delivery], object]:
    asked = replace(judge(), seals=Seals(_ring().keys(HUB_USER)))
    return lambda sent: asked.judge(sent, NOW)


def _feed_judge(data: bytes) -> None:
    for user, key in (("resident-registry", "resident.changed"), ("tax", "income.assessed")):
        _judge()(_delivery(data, user, key))
    _judge()(_delivery(data, "union", RECEIPT_TYPE))


def _delivery(body: bytes, user: str, key: str) -> Delivery:
    return Delivery(tag=1, queue="hub.in.0", routing_key=key, user_id=user, body=body)


def _judge_seeds() -> list[bytes]:
    receipt = {"sender": "tax", "id": "m-1", "flow": "M1d", "result": "delivered", "code": ""}
    sealed = encode_event(
        message_id="m-1",
        system="tax",
        message_type="income.assessed",
        time=NOW,
        data=income(),
        access=AccessItems("職員一"),
        seal=Sealer(_ring().keys("tax"), HUB_USER),
    )
    plain = [wire(event()), wire(tax_event()), wire(receipts_event("union", [receipt]))]
    return [*plain, sealed, json.dumps(json.loads(sealed), indent=1).encode()]


@cache
def _receivers() -> list[tuple[Sorter, Wall]]:
    catalogue = shipped()
    numbers = Numbers.by(_ring().keys("union"), lambda: True)
    found = (adapters.find(system) for system in adapters.systems())
    return [
        (Sorter(one.outbound, None, numbers), Wall(one.system, catalogue))
        for one in found
        if one.outbound
    ]


def _feed_sorter(data: bytes) -> None:
    if data:
        sorter, wall = _receivers()[data[0] % len(_receivers())]
        sorter.judge(_delivery(data[1:], HUB_USER, "out"), wall)


def _sorter_seeds() -> list[bytes]:
    copy: dict[str, Any] = {
        "specversion": "1.0",
        "id": "m-1",
        "source": "/systems/resident-registry",
        "type": "resident.changed",
        "time": NOW.isoformat(),
        "datacontenttype": "application/json",
        "flow": "M1b",
        "acceptedtime": NOW.isoformat(),
        "data": {name: value for name, value in resident().items() if name != "scope"},
    }
    notice = {"specversion": "1.0", "id": "notice-1", "type": NOTICE_TYPE, "data": {"code": "x"}}
    order = ReleaseOrder(sender="resident-registry", id="m-1", flow="M1b")
    release = encode_release("release-1", order, source_of(HUB_USER), NOW)
    seal = Sealer(_ring().keys(HUB_USER), "union", HUB_USER, "union")
    data, datakey = seal.sealed(copy["data"], "M1b", "resident-registry", "m-1")
    sealed = copy | {"datakey": datakey, "data": data}
    bodies = (wire(copy), wire(sealed), wire(notice), release)
    return [bytes([place]) + body for place in range(len(_receivers())) for body in bodies]


def targets() -> dict[str, Target]:
    """Give every target by its name; a form without a layout has none."""
    weights = {FormName.FRAMED: 12, FormName.PLAIN: 12, FormName.XML: 8}
    files = [_file_target(form, weights.get(form, 6)) for form in FormName if _layouts(form)]
    others = [
        Target("xml", 12, _feed_xml, _xml_seeds),
        Target("zip", 12, _feed_zip, _zip_seeds),
        Target("dates", 8, _feed_date, _date_seeds),
        Target("mappings", 6, _feed_mapping, _mapping_seeds),
        Target("answers", 2, _feed_answer, _answer_seeds),
        Target("judge", 6, _feed_judge, _judge_seeds),
        Target("sorter", 6, _feed_sorter, _sorter_seeds),
    ]
    return {target.name: target for target in (*files, *others)}
