"""The federation's and the banks' files on their way through an adapter's loop, both ways."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters import bank, kokuho_federation, simulator
from adapters.kokuho_federation.simulator import Heading, delivery_file
from adapters.simulation.city import City
from adapters.simulation.kit import put
from adapters.simulation.misbehaving import carry
from adapters.simulation.misbehaviour import Misbehaviour
from hub.edge.delimited import write_file
from hub.edge.forms import form_of
from hub.edge.kit import Adapter
from hub.ports import Outgoing, Sent
from hub.statute.catalogue import load_catalogue
from schemas.layout import load_layout
from tests import messages
from tests.edge_rig import HEADER, Rig, Standing
from tests.fakes import FakeBroker
from tests.fixed_values import CANDIDATE, content_of

pytestmark = pytest.mark.unit

CATALOGUE = load_catalogue()
FEDERATION, BANK = kokuho_federation.ADAPTER, bank.ADAPTER
PERSONS = "kokuho-federation.persons"
SETTLE = 5.0
Run = Callable[..., None]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    systems = (FEDERATION.system, BANK.system)
    return Rig(tmp_path, FakeBroker(routes={f"in.{system}": "hub" for system in systems}))


def runner(rig: Rig, adapter: Adapter) -> Run:
    return partial(rig.run, adapter, walls=Standing(adapter.system, CATALOGUE))


def person(number: int) -> dict[str, str]:
    return {
        "addressee_number": f"{number:015d}",
        "pension_number": f"{number:010d}",
        "name_kana": "ア" * number,
        "birth_date": CANDIDATE["birth_date"],
        "sex": CANDIDATE["sex"],
        "postal_code": "",
    }


def give_list(rig: Rig, numbers: Sequence[int], name: str = "MEIBO_1.csv") -> Path:
    path = rig.at(FEDERATION.system, "matching") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, load_layout(PERSONS), HEADER, map(person, numbers))
    return path


def give_part(rig: Rig, part: int, number: int, *, name: str = "Z31") -> None:
    row = CANDIDATE | {"pension_number": f"{number:010d}", "name_kana": "ｱ" * number}
    file = delivery_file(name, Heading("17201", "001", "00", "2026-05-15"), part, [row])
    put(file, rig.at(FEDERATION.system, "."))


def events(rig: Rig) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [json.loads(one.body) for one in rig.broker.queue("hub")]
    return [event for event in found if event["type"] != "hub.receipt"]


def sent(rig: Rig) -> list[int]:
    return [int(event["data"]["addressee_number"]) for event in events(rig)]


# -- parts of a delivery ---------------------------------------------------------------


def test_a_part_waits_for_the_one_before_it(rig: Rig) -> None:
    run = runner(rig, FEDERATION)
    give_list(rig, [1, 2])
    give_part(rig, 2, 2)
    run(seconds=2.0)
    assert sent(rig) == []
    give_part(rig, 1, 1)
    run(seconds=2 * SETTLE)
    assert sent(rig) == [1, 2]


def test_a_part_whose_forerunner_never_comes_is_told_and_kept(rig: Rig) -> None:
    run = runner(rig, FEDERATION)
    give_list(rig, [1, 2])
    give_part(rig, 2, 2)
    run(seconds=3 * SETTLE)
    assert rig.recorder.all("file_set_aside") == [("part-missing",)]
    reason = json.loads(next(rig.at(FEDERATION.system, "set-aside").glob("*.json")).read_bytes())
    assert "part 1 of this delivery was not read" in reason["reason"]
    give_part(rig, 1, 1)
    (aside,) = rig.at(FEDERATION.system, "set-aside").glob("*.dta")
    aside.rename(rig.at(FEDERATION.system, "to-hub") / aside.name)
    run(seconds=2 * SETTLE)
    assert sent(rig) == [1, 2]


def test_a_part_that_comes_again_is_sent_once_and_another_in_its_place_is_told(rig: Rig) -> None:
    run = runner(rig, FEDERATION)
    give_list(rig, [1, 2])
    give_part(rig, 1, 1)
    run(seconds=2.0)
    path = next(rig.at(FEDERATION.system, "processed").glob("*.dta"))
    copy = rig.at(FEDERATION.system, "to-hub") / "Z31_copy.dta"
    copy.write_bytes(path.read_bytes())
    run(seconds=2.0)
    assert rig.recorder.all("file_repeated") == [()]
    give_part(rig, 1, 2, name="Z31X")
    run(seconds=2.0)
    assert rig.recorder.all("file_set_aside") == [("part-repeated",)]
    assert sent(rig) == [1]


# -- the list for matching -------------------------------------------------------------


def test_nobody_is_refused_while_there_is_no_list(rig: Rig) -> None:
    run = runner(rig, FEDERATION)
    give_part(rig, 1, 1)
    run(seconds=3.0)
    assert sent(rig) == []
    assert any("no list for matching" in told[1] for told in rig.recorder.all("trouble"))
    give_list(rig, [1])
    run(seconds=60.0)
    assert sent(rig) == [1]
    assert not list(rig.at(FEDERATION.system, "rejects").iterdir())


def test_the_newest_whole_list_counts_and_nobody_else_may_read_the_copy(rig: Rig) -> None:
    run = runner(rig, FEDERATION)
    give_list(rig, [1], "MEIBO_1.csv")
    broken = give_list(rig, [3], "MEIBO_3.csv")
    broken.write_bytes(broken.read_bytes().replace(b"T,1", b"T,9"))
    give_part(rig, 1, 1)
    run(seconds=2.0)
    assert sent(rig) == [1]
    assert rig.recorder.all("file_set_aside") == [("trailer",)]
    give_list(rig, [2], "MEIBO_2.csv")
    give_part(rig, 2, 2)
    give_part(rig, 3, 1)
    run(seconds=3.0)
    assert sent(rig) == [1, 2]
    rejects = next(rig.at(FEDERATION.system, "rejects").iterdir()).read_text()
    assert "nobody of the office's list matches" in rejects
    assert "0000000001" not in rejects
    (copy,) = (rig.folder / "journals").glob("*.matching.sqlite3")
    assert copy.stat().st_mode & 0o077 == 0


def test_a_copy_that_is_broken_is_made_anew(rig: Rig) -> None:
    run = runner(rig, FEDERATION)
    give_list(rig, [1])
    run(seconds=1.0)
    (copy,) = (rig.folder / "journals").glob("*.matching.sqlite3")
    copy.write_bytes(b"no database" * 1000)
    give_part(rig, 1, 1)
    run(seconds=2.0)
    assert sent(rig) == [1]


# -- there and back --------------------------------------------------------------------


def deliver(rig: Rig, system: str, flow: str, kind: str, **changes: object) -> None:
    data = messages.sample(kind).model_dump(mode="json", exclude_none=True, exclude={"scope"})
    copy = {
        "specversion": "1.0",
        "id": f"m-{len(rig.broker.queue(f'out.{system}'))}-{flow}",
        "source": "/systems/premium-collection",
        "type": kind,
        "time": "2026-04-01T09:00:00+09:00",
        "datacontenttype": "application/json",
        "flow": flow,
        "acceptedtime": "2026-04-01T09:00:00+09:00",
        "data": data | changes,
    }
    rig.broker.put(f"out.{system}", json.dumps(copy).encode())


@pytest.mark.parametrize(
    ("month", "expected"), [(4, ["request-processed"]), (5, ["request-processed", "result"])]
)
def test_the_federation_answers_a_request_and_in_odd_months_tells_its_result(
    rig: Rig, month: int, expected: list[str]
) -> None:
    run = runner(rig, FEDERATION)
    day = date(2026, month, 15).isoformat()
    deliver(rig, FEDERATION.system, "O5", "special-collection.requested", created_on=day)
    run(seconds=3.0)
    answers = simulator(FEDERATION.system).react(rig.at(FEDERATION.system, "."))
    assert len(answers) == len(expected)
    run(seconds=3.0)
    found = [event for event in events(rig) if event["type"] == "special-collection.notified"]
    assert [event["data"]["notice"] for event in found] == expected
    assert {event["follows"] for event in found} == {"premium-collection/m-0-O5"}
    assert not list(rig.at(FEDERATION.system, "rejects").iterdir())


def test_a_bank_answers_and_a_second_answer_is_set_aside(rig: Rig) -> None:
    run = runner(rig, BANK)
    for day in ("2026-04-30", "2026-05-07"):
        changes = {
            "transfer_on": day,
            "customer_number": f"0000000000123452{day[-3:].replace('-', '0')}",
        }
        deliver(rig, BANK.system, "B1", "account-transfer.requested", **changes)
    run(seconds=3.0)
    drive = rig.at(BANK.system, ".")
    assert len(rig.names(BANK.system, "from-hub")) == 2, "one file for each day"
    (one, other) = simulator(BANK.system).react(drive)
    run(seconds=3.0)
    found = [event for event in events(rig) if event["type"] == "payment.received"]
    assert [event["data"]["received_on"] for event in found] == ["2026-04-30", "2026-05-07"]
    assert {event["data"]["transfer_result"] for event in found} <= {"done", "short"}
    again = (rig.at(BANK.system, "processed") / one.path.name).read_bytes()
    later = again.replace("ﾀｶｻｷ".encode("cp932"), "ﾀｶｻｶ".encode("cp932"))
    (drive / "to-hub" / "KEKKA_late.dat").write_bytes(later)
    run(seconds=3.0)
    assert len([e for e in events(rig) if e["type"] == "payment.received"]) == 2
    rejects = next(rig.at(BANK.system, "rejects").iterdir()).read_text()
    assert "was answered before" in rejects
    assert other.fresh


def test_the_simulators_files_are_read_without_a_refusal(rig: Rig) -> None:
    day = next(City(2000, seed=3).days())
    for adapter in (FEDERATION, BANK):
        written = simulator(adapter.system).write(day, rig.at(adapter.system, "."))
        runner(rig, adapter)(seconds=10.0)
        assert rig.names(adapter.system, "to-hub") == []
        assert rig.names(adapter.system, "rejects") == []
        total = sum(file.records for file in written)
        events_of = [e for e in events(rig) if e["source"] == f"/systems/{adapter.system}"]
        assert len(events_of) == total > 0
        assert {e["data"]["addressee_number"] for e in events_of} <= {
            one.person.number for one in day.insured
        }
        assert not any(e.get("doubt") for e in events_of)


SPOILT = {
    Misbehaviour.TRUNCATED: "truncated",
    Misbehaviour.WRONG_TOTALS: "trailer",
    Misbehaviour.WRONG_CODE: "line",
    Misbehaviour.WRONG_ENCODING: "truncated",
}


@pytest.mark.parametrize("adapter", [FEDERATION, BANK], ids=lambda adapter: adapter.system)
@pytest.mark.parametrize("how", SPOILT)
def test_a_file_that_its_system_spoils_is_set_aside_whole(
    rig: Rig, adapter: Adapter, how: Misbehaviour, tmp_path: Path
) -> None:
    simulator(adapter.system).write(next(City(2000, seed=3).days()), tmp_path / "workshop")
    whole = sorted((tmp_path / "workshop" / "to-hub").iterdir())[:1]
    (rig.at(adapter.system, "to-hub")).mkdir(parents=True)
    carry(whole, rig.at(adapter.system, "."), {how})
    runner(rig, adapter)(seconds=3 * SETTLE)
    assert rig.recorder.all("file_set_aside") == [(SPOILT[how],)]
    assert events(rig) == []


def test_a_delivery_that_comes_twice_and_in_reverse_is_sent_once_and_in_order(
    rig: Rig, tmp_path: Path
) -> None:
    day = next(City(2000, seed=3).days())
    drive, workshop = rig.at(FEDERATION.system, "."), tmp_path / "workshop"
    written = simulator(FEDERATION.system).write(day, workshop)
    odd = {Misbehaviour.DUPLICATE, Misbehaviour.OUT_OF_ORDER}
    (drive / "to-hub").mkdir(parents=True)
    (workshop / "matching").rename(drive / "matching")
    carry([file.path for file in written], drive, odd)
    runner(rig, FEDERATION)(seconds=3 * SETTLE)
    assert len(events(rig)) == sum(file.records for file in written)
    assert len(rig.recorder.all("file_repeated")) == len(written)
    assert rig.recorder.all("file_set_aside") == []


def results_of(rig: Rig, customers: Sequence[str]) -> list[dict[str, str]]:
    """Let the bank be asked about some customers, and give the rows of its answers."""
    for customer in customers:
        changes = {"customer_number": customer}
        deliver(rig, BANK.system, "B1", "account-transfer.requested", **changes)
    runner(rig, BANK)(seconds=3.0)
    (answer,) = simulator(BANK.system).react(rig.at(BANK.system, "."))
    rows = [
        dict(row.values)
        for group in form_of(answer.layout).groups(answer.path, None)
        for row in group.rows
    ]
    answer.path.unlink()
    return rows


def give_results(rig: Rig, rows: Sequence[dict[str, str]]) -> None:
    path = rig.at(BANK.system, "to-hub") / "KEKKA_1.dat"
    path.write_bytes(content_of("bank.results", list(rows)))


def test_of_two_answers_in_one_file_the_second_is_refused(rig: Rig) -> None:
    (row,) = results_of(rig, ["0000000000123452601"])
    give_results(rig, [row, row | {"transfer_result": "1"}])
    runner(rig, BANK)(seconds=3.0)
    assert len([e for e in events(rig) if e["type"] == "payment.received"]) == 1
    (rejects,) = rig.at(BANK.system, "rejects").iterdir()
    assert "answered before" in rejects.read_text()


def test_what_was_sent_is_not_refused_when_a_file_is_read_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.edge.inbound.BATCH", 1)
    rows = results_of(rig, [f"000000000012345260{place}" for place in range(3)])
    give_results(rig, [rows[0], rows[0], *rows[1:]])
    seen: list[str] = []

    def lose_once(message: Outgoing) -> Sent:
        seen.append(message.message_id)
        rig.broker.lost = len(seen) == 2
        return Sent.CONFIRMED if len(seen) != 2 else Sent.REFUSED

    rig.broker.judge = lose_once
    runner(rig, BANK)(seconds=60.0)
    found = {e["id"]: e for e in events(rig) if e["type"] == "payment.received"}
    assert len(found) == 3
    (rejects,) = rig.at(BANK.system, "rejects").iterdir()
    lines = rejects.read_text().splitlines()
    assert len(lines) == 2, "a heading, and the second answer to the first question"
