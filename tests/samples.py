"""Made-up events and deliveries for tests; no person in them exists.

An event is a plain dictionary, so that a test can make it wrong in any way.
"""

import datetime as dt
import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hub.ledger.model import Entry, Kind, Pseudonyms, commit
from hub.message import RECEIPT_TYPE, AccessItems, MessageKey
from hub.pipeline.judge import Judge
from hub.ports import Delivery
from hub.statute.catalogue import Catalogue, load_catalogue
from schemas.evidence.note import Signer

NOW = dt.datetime(2026, 4, 1, 3, 0, 0, 123456, tzinfo=dt.UTC)
PSEUDONYMS = Pseudonyms(b"a key that only the tests have....")
SIGNER = Signer(
    "PRIVATE+KEY+renkei.test/ledger+9c71b77e+AbcDpBfhC/7muL2dOajXeK2OpBCXK98HVKNsAYcHrz1e"
)
REGISTRY = "resident-registry"
TAX = "tax"
CHANGED = "resident.changed"
ASSESSED = "income.assessed"
MY_NUMBER = "123456789018"
ADDRESSEE = "000000000012345"
NAME = "髙﨑 𠮷之助"


def resident(**changes: object) -> dict[str, Any]:
    """Give the data of a valid ``resident.changed`` about an insured person."""
    data: dict[str, Any] = {
        "addressee_number": ADDRESSEE,
        "scope": {"insurance": "current"},
        "my_number": MY_NUMBER,
        "history_number": 1,
        "household_number": "000000000000777",
        "resident_kind": "1",
        "resident_state": "resident",
        "event_reason": "moved-within",
        "name": NAME,
        "birth_date": {"raw": "1940-05-06", "precision": "day", "date": "1940-05-06"},
        "sex": "2",
        "postal_code": "9208577",
        "municipality_code": "172014",
        "address": "金沢市広坂一丁目",
        "note": "備考",
    }
    return {**data, **changes}


def income(**changes: object) -> dict[str, Any]:
    """Give the data of a valid ``income.assessed`` about an insured person."""
    data: dict[str, Any] = {
        "addressee_number": ADDRESSEE,
        "scope": {"insurance": "current"},
        "my_number": MY_NUMBER,
        "household_number": "000000000000777",
        "tax_year": 2026,
        "undeclared": "0",
        "taxation_class": "1",
        "total_income": 1_234_567,
        "income_levy": 45_600,
        "per_capita_levy": 5_000,
    }
    return {**data, **changes}


def event(data: Mapping[str, Any] | None = None, **attributes: object) -> dict[str, Any]:
    """Give a valid event of the registry, with these attributes changed."""
    made: dict[str, Any] = {
        "specversion": "1.0",
        "id": "file-1.7",
        "source": f"/systems/{REGISTRY}",
        "type": CHANGED,
        "time": "2026-04-01T11:59:00+09:00",
        "datacontenttype": "application/json",
        "staff": "職員一",
        "department": "市民課",
        "terminal": "T-01",
        "reason": "転居",
        "data": resident() if data is None else data,
    }
    return {**made, **attributes}


def tax_event(data: Mapping[str, Any] | None = None, **attributes: object) -> dict[str, Any]:
    """Give a valid event of the tax system, with these attributes changed."""
    given = income() if data is None else data
    return event(given, source=f"/systems/{TAX}", type=ASSESSED, **attributes)


def receipts_event(
    receiver: str, receipts: Iterable[Mapping[str, Any]], **attributes: object
) -> dict[str, Any]:
    """Give a valid event with receipts of a receiver."""
    made = event(
        {"receipts": list(receipts)}, id="r-1", source=f"/systems/{receiver}", type=RECEIPT_TYPE
    )
    return {**made, **attributes}


def wire(content: Mapping[str, Any] | bytes) -> bytes:
    """Give an event's bytes on the wire."""
    if isinstance(content, bytes):
        return content
    return json.dumps(content, ensure_ascii=False).encode()


def delivery(content: Mapping[str, Any] | bytes | None = None, **changes: object) -> Delivery:
    """Give a delivery as its sender and the broker would make it, with these parts changed."""
    given = event() if content is None else content
    known = {} if isinstance(given, bytes) else given
    source = str(known.get("source", f"/systems/{REGISTRY}"))
    parts: dict[str, Any] = {
        "tag": 1,
        "queue": "hub.in.0",
        "routing_key": str(known.get("type", CHANGED)),
        "user_id": source.removeprefix("/systems/"),
        "body": wire(given),
    }
    return Delivery(**{**parts, **changes})


@functools.cache
def shipped() -> Catalogue:
    """Give the shipped catalogue, read once: nothing can change it."""
    return load_catalogue()


def judge(catalogue: Catalogue | None = None, about_to_reach_days: int = 90) -> Judge:
    """Give a judge of the shipped catalogue, or of another."""
    return Judge(catalogue or shipped(), PSEUDONYMS, about_to_reach_days)


def entry(number: int = 1, **changes: object) -> Entry:
    """Give an acceptance entry with every field filled, with these fields changed."""
    parts: dict[str, Any] = {
        "kind": Kind.ACCEPTANCE,
        "at": NOW,
        "message": MessageKey(REGISTRY, f"file-1.{number}"),
        "message_type": CHANGED,
        "flow": "I1",
        "receiver": "premium-collection",
        "resident": PSEUDONYMS.resident(ADDRESSEE),
        **commit(b"body %d" % number, b"%016d" % number)._asdict(),
        "basis": "番号法 9条1項 別表 85の項",
        "access": AccessItems("職員一", "市民課", "T-01", "転居", CHANGED),
        "released": ("addressee_number", "name"),
        "withheld": ("note",),
        "purpose": "資格管理",
    }
    return Entry(**{**parts, **changes})


SYSTEMS_TOML = """
[[system]]
id = "alpha"
name = "Alpha"
name_ja = "甲"
section = "1"

[[system]]
id = "beta"
name = "Beta"
name_ja = "乙"
section = "2"

[[system]]
id = "aside"
name = "Aside"
name_ja = "隣"
section = "3"
neighbour = true
"""

FLOW_TOML = """
ref = "T1"
title = "A flow"
title_ja = "流れ"
sender = "alpha"
message_type = "resident.changed"
purpose = "試験"
frequency = "日次"
transport = "庁内LAN"
section = "1"

[whose]
rule = "insured-household"
text = "被保険者"

[[basis]]
law = "試験法"
article = "1条"
valid_from = 2020-01-01

[receivers.beta]
fields = ["addressee_number", "name"]
"""


def routes(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write a routes folder; ``systems.toml`` is there unless given."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"systems.toml": SYSTEMS_TOML, **files}.items():
        content = text if isinstance(text, bytes) else text.encode()
        (folder / name).write_bytes(content)
    return folder
