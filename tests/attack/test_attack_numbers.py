"""個人番号: in clear, in another's message, changed; and what is found where it was carried."""

import json
from typing import Any

import pytest

from adapters.simulation.people import my_number
from hub.sealing.keys import FolderKeys, Keys
from hub.sealing.sealer import Sealer
from hub.site import HUB_USER
from tests.attack.conftest import Report
from tests.attack.results import Party
from tests.attack.victim import ENTRIES, Victim
from tests.fault.ground import SPEAKS
from tests.numbers_at_rest import Numbers

pytestmark = pytest.mark.attack

PERSONS = range(600_000, 600_020)
NUMBERS = Numbers(map(my_number, PERSONS))
CLEAR = my_number(599_999)
"""Sent in clear, it is on the broker's disk before the hub refuses it: not one of the others."""


def sealed(victim: Victim, event: dict[str, Any], message_id: str = "") -> dict[str, Any]:
    """Encrypt an event's number as its adapter would, for this message or for another."""
    sealer = Sealer(Keys(SPEAKS, FolderKeys(victim.pki, SPEAKS)), HUB_USER)
    data, key = sealer.sealed(event["data"], SPEAKS, message_id or str(event["id"]))
    assert key
    return {**event, "data": data, "datakey": key}


def refused(victim: Victim, event: dict[str, Any], code: str) -> tuple[str, str]:
    """Send it; say where its refusal is recorded, and what rose."""
    rises = victim.watch(ENTRIES, kind="refusal", code=code)
    assert not victim.publish(event)
    return victim.recorded(str(event["id"]), code), rises()


def test_plain_number(victim: Victim, report: Report) -> None:
    event = victim.event({"my_number": CLEAR})
    recorded, alerted = refused(victim, event, "number-in-clear")
    report(
        Party.ADAPTER,
        "個人番号 in clear",
        "as a sender did before there were seals",
        refused="notice number-in-clear",
        recorded=recorded,
        alerted=alerted,
    )


def test_moved_number(victim: Victim, report: Report) -> None:
    """What was encrypted for one message is of no use in another, nor anything changed in it."""
    event = victim.event({"my_number": my_number(PERSONS[1])})
    moved, alerted = refused(victim, sealed(victim, event, "attack-other"), "number-misplaced")
    event = sealed(victim, victim.event({"my_number": my_number(PERSONS[2])}))
    token = str(event["data"]["my_number"])
    place = len(token) - 10
    other = "A" if token[place] != "A" else "B"
    event["data"]["my_number"] = token[:place] + other + token[place + 1 :]
    changed, _ = refused(victim, event, "number-unreadable")
    report(
        Party.ADAPTER,
        "個人番号 of another message, or changed",
        "an encrypted number moved into another message; one letter of it changed",
        refused="notices number-misplaced, number-unreadable",
        recorded=f"{moved}; {changed}",
        alerted=alerted,
    )


def test_lost_backup(victim: Victim, report: Report) -> None:
    """After messages with numbers: a dump, the broker's disk, journals, logs, the vault."""
    ground = victim.ground
    ids = []
    for person in PERSONS:
        event = victim.event({"my_number": my_number(person)})
        assert not victim.publish(sealed(victim, event))
        ids.append(str(event["id"]))
    for one in ids:
        victim.recorded(one, "delivered")
    victim.until(lambda: ("receipt", "delivered") in victim.outcomes(ids[-1]), "receipt")
    dump = victim.with_database("pg_dump")
    assert ids[0].encode() in dump
    assert not NUMBERS.found_in(dump)
    passed_over = [
        victim.drive(system) / own
        for system in ground.files
        for own in ("to-hub", "from-hub", "processed", "matching")
    ]
    for folder in (ground.node.folder, ground.folder):
        assert NUMBERS.found_in_files(folder, passed_over) == {}
    written = victim.drive("premium-collection") / "from-hub"
    assert NUMBERS.found_in_files(written)
    printed = json.dumps(victim.found("--sender", SPEAKS))
    assert not NUMBERS.found_in(printed.encode())
    report(
        Party.BACKUP,
        "searches all that was written for 個人番号",
        "a dump of the database, the broker's disk, journals, logs, configuration",
        refused=f"none of {len(PERSONS)} is found; the receiver's files have them",
        recorded="no: nobody sees a lost disk",
        alerted="no",
    )
